"""A small world to run the loop in on fakes: four classes with their own words, and a teacher who knows them."""

import random
import re
from pathlib import Path
from typing import Any

from evokd.agents.base import Services, State
from evokd.graph.build import initial_state
from evokd.memory.base import MemorySettings
from evokd.memory.run_folder import RunFolder
from evokd.tasks.base import Example
from evokd.tasks.kinds.classification import Classification
from evokd.teacher.base import Prompt
from tests.fake_student import WordStudents
from tests.fakes import ListMemory, ScriptedTeacher, words

WORDS = """
sports: goal match team coach league striker referee tennis medal stadium race champion
money: bank loan profit shares tax budget interest market invoice salary debt price
science: atom planet enzyme telescope theory lab fossil molecule orbit virus quantum gene
food: bread soup recipe oven spice cheese dinner chef salad butter onion menu
"""
VOCABULARY = {line.split(":")[0]: line.split(":")[1].split() for line in WORDS.strip().splitlines()}
FILLER = ["the", "a", "today", "about", "with", "their", "very", "new", "old", "again", "while", "people", "said"]
SEEDS = {"sports": "the team won the match", "money": "the bank raised a loan", "science": "a planet and its orbit",
         "food": "soup with bread"}  # fmt: skip


def make_text(label: str, rng: random.Random) -> str:
    """A text of a class: three of its words among filler."""
    chosen = rng.sample(VOCABULARY[label], 3) + rng.sample(FILLER, 4)
    rng.shuffle(chosen)
    return " ".join(chosen)


def true_label(text: str) -> str:
    """The class whose words a text has."""
    found = set(text.split())
    return max(VOCABULARY, key=lambda label: len(found & set(VOCABULARY[label])))


def given() -> tuple[str, dict[str, str]]:
    """What the user says of the four classes, each described by its words."""
    return "What is the text about?", {name: ", ".join(w[:4]) for name, w in VOCABULARY.items()}


def task() -> Classification:
    """The four classes."""
    return Classification(*given())


def generator(prompt: Prompt) -> Any:
    """Lists subtypes, or writes texts in breadth or for a lesson, different for every sample."""
    said, rng = words(prompt), random.Random(f"{prompt.sample} {words(prompt)}")
    if "list what each " in said:
        return {
            "classes": [
                {"label": name, "subtypes": [{"name": w, "topics": []} for w in VOCABULARY[name][:3]]}
                for name in VOCABULARY
            ]
        }
    if found := re.search(r'Write (\d+) typical texts of the class "(.*?)"', said):
        return {"texts": [{"text": make_text(found[2], rng), "label": found[2]} for _ in range(int(found[1]))]}
    if found := re.search(r"=> (\w+)\n\nWrite (\d+) other versions of it", said):
        return {"texts": [{"text": make_text(found[1], rng), "label": found[1]} for _ in range(int(found[2]))]}
    answer: dict[str, list[Any]] = {"hard": [], "typical": [], "probe": []}
    for source, count in re.findall(r"^- `(\w+)`: (\d+)", said, re.MULTILINE):
        answer[source] = [{"text": make_text(rng.choice(list(VOCABULARY)), rng)} for _ in range(int(count))]
    return answer


def analyst(prompt: Prompt) -> Any:
    """One lesson that cites the first case, one that cites none, and a probe."""
    if "where would two careful annotators disagree" in words(prompt):
        return {
            "conventions": [
                {"pattern": "money in sport", "seed": None, "text": "the team got a loan", "label": "money"},
                {"pattern": "science of food", "seed": 1, "text": "", "label": None},
                {"pattern": "cannot be read", "seed": None, "text": "soup", "label": "health"},
            ]
        }
    lesson = {
        "assumes": None,
        "name": "short texts",
        "pattern": "few words",
        "advice": "write short ones",
        "cases": [1],
    }
    return {
        "lessons": [lesson, {**lesson, "name": "made up", "cases": [999]}],
        "probe": {"name": "questions", "shape": "a question", "advice": "ask"},
    }


def annotator(prompt: Prompt) -> Any:
    """Labels every numbered text by its words."""
    listed = re.findall(r"^\[(\d+)\] (.*)$", words(prompt), re.MULTILINE)
    return {"labels": [{"id": int(number), "label": true_label(text)} for number, text in listed]}


def teacher(**roles: Any) -> ScriptedTeacher:
    """The teacher of this world; a role can be replaced."""
    return ScriptedTeacher({"generator": generator, "analyst": analyst, "annotator": annotator, **roles})


def services(folder: Path, **changes: Any) -> Services:
    """Services on fakes, seeds and a dev set of forty texts remembered."""
    memory = changes.pop("memory", None) or ListMemory(settings=MemorySettings(duplicate_cosine=0.999))
    rng = random.Random(7)
    memory.remember(Example(text=text, label=label, split="seed") for label, text in SEEDS.items())
    dev = [(label, make_text(label, rng)) for label in VOCABULARY for _ in range(10)]
    memory.remember(Example(text=text, label=label, split="dev") for label, text in dev)
    parts: dict[str, Any] = {
        "task": task(),
        "memory": memory,
        "students": WordStudents(list(VOCABULARY)),
        "teacher": teacher(),
        "folder": RunFolder(folder),
    }
    return Services(**{**parts, **changes})


def state(**changes: Any) -> State:
    """A state of a run that has begun."""
    return State(**{**initial_state(), **changes})
