"""A teacher: rules in place of a language model."""

import random
import re
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
    said, rng = words(prompt), random.Random(f"{prompt.sample} {words(prompt)}")
    if "list what each " in said:
        subtypes = [{"name": noun, "topics": []} for noun in NOUNS[:3]]
        return {"classes": [{"label": label, "subtypes": subtypes} for label in WORDS]}
    if found := re.search(r'Write (\d+) typical texts of the class "(.*?)"', said):
        return {"texts": [{"text": text(found[2], rng), "label": found[2]} for _ in range(int(found[1]))]}
    asked = re.findall(r"^- `(\w+)`: (\d+)", said, re.MULTILINE)
    none: dict[str, list[Any]] = {"hard": [], "typical": [], "probe": []}
    return none | {
        kind: [{"text": text(rng.choice(list(WORDS)), rng)} for _ in range(int(number))] for kind, number in asked
    }


def text(label: str, rng: random.Random) -> str:
    """A review in a few words."""
    return " ".join(f"{rng.choice(WORDS[label])} {rng.choice(NOUNS)}" for _ in range(3))


def annotate(prompt: Prompt) -> Any:
    """The label whose words a text has."""
    listed = re.findall(r"^\[(\d+)\] (.*)$", words(prompt), re.MULTILINE)
    return {"labels": [{"id": int(number), "label": label_of(said)} for number, said in listed]}


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
