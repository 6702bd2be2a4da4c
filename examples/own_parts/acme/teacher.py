"""A teacher: rules in place of a language model."""

import random
from pathlib import Path
from typing import Any

from evokd import Prompt
from evokd.teacher.accounting.budget import Budget
from evokd.teacher.settings import TeacherSettings
from evokd.testing import ScriptedTeacher, words

WORDS = {
    "good": ["five", "lovely", "great", "tasty", "warm", "friendly"],
    "bad": ["one", "cold", "rude", "slow", "broken", "dirty"],
}
NOUNS = ["stars", "room", "staff", "soup", "bed", "service", "view", "door"]


def write(prompt: Prompt) -> Any:
    """Subtypes of each label, or texts."""
    about, rng = prompt.about, random.Random(f"{prompt.sample} {words(prompt)}")
    if about["purpose"] == "taxonomy":
        subtypes = [{"name": noun, "topics": []} for noun in NOUNS[:3]]
        return {"classes": [{"label": label, "subtypes": subtypes} for label in WORDS]}
    if about["purpose"] == "breadth":
        label = about["target_class"]
        return {"texts": [{"text": text(label, rng), "label": label} for _ in range(about["count"])]}
    if about["purpose"] == "rewrite":
        return {"texts": []}  # the rules know no other words for a text
    return {
        source: [{"text": text(rng.choice(list(WORDS)), rng)} for _ in range(count)]
        for source, count in about["counts"].items()
    }


def text(label: str, rng: random.Random) -> str:
    """A review in a few words."""
    return " ".join(f"{rng.choice(WORDS[label])} {rng.choice(NOUNS)}" for _ in range(3))


def annotate(prompt: Prompt) -> Any:
    """The label whose words a text has."""
    return {"labels": [{"id": each["id"], "label": label_of(each["text"])} for each in prompt.about["texts"]]}


def label_of(said: str) -> str:
    """The label whose words a text has most of."""
    return max(WORDS, key=lambda label: len(set(WORDS[label]) & set(said.split())))


def analyse(prompt: Prompt) -> Any:
    """One lesson, and a new shape to probe."""
    lesson = {"assumes": None, "name": "short", "pattern": "few words", "advice": "write short ones", "cases": [1]}
    return {"lessons": [lesson], "probe": {"name": "questions", "shape": "a question", "advice": "ask"}}


class Rules(ScriptedTeacher):
    """Built as EvoKD builds its own."""

    def __init__(self, settings: TeacherSettings, budget: Budget, folder: Path, *, run: str, seed: int) -> None:
        """Take what every teacher is given; the rules need none of it."""
        super().__init__({"generator": write, "analyst": analyse, "annotator": annotate})
