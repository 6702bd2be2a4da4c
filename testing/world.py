"""A small world to run the loop in on fakes: four classes with their own words, and a teacher who knows them.

`services` is for tests of one part; `write` makes a whole run that needs no model, no server and no key.
"""

import json
import random
from pathlib import Path
from typing import Any

import tomli_w

from ..agents.base import Services, State
from ..graph.build import initial_state
from ..memory.base import MemorySettings
from ..memory.run_folder import RunFolder
from ..tasks.base import Example
from ..tasks.kinds.classification import Classification
from ..teacher.base import Prompt
from .fakes import ListMemory, ScriptedTeacher, words
from .students import WordStudent, WordStudents

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
    about, rng = prompt.about, random.Random(f"{prompt.sample} {words(prompt)}")
    if about["purpose"] == "taxonomy":
        return {
            "classes": [
                {"label": name, "subtypes": [{"name": w, "topics": []} for w in VOCABULARY[name][:3]]}
                for name in VOCABULARY
            ]
        }
    if about["purpose"] in ("breadth", "rewrite"):
        label = about["target_class"] if about["purpose"] == "breadth" else about["cases"][0]["label"]
        return {"texts": [{"text": make_text(label, rng), "label": label} for _ in range(about["count"])]}
    answer: dict[str, list[Any]] = {"hard": [], "typical": [], "probe": []}
    for source, count in about["counts"].items():
        answer[source] = [{"text": make_text(rng.choice(list(VOCABULARY)), rng)} for _ in range(count)]
    return answer


def analyst(prompt: Prompt) -> Any:
    """One lesson that cites the first case, one that cites none, and a probe."""
    if prompt.about["purpose"] == "guidelines":
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
    return {"labels": [{"id": each["id"], "label": true_label(each["text"])} for each in prompt.about["texts"]]}


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
    return State(**{**initial_state(), **changes})  # type: ignore[typeddict-item]


def student() -> WordStudent:
    """A student that has learnt the seeds."""
    made = WordStudent(list(VOCABULARY))
    made.fit([Example(text=text, label=label) for label, text in SEEDS.items()])
    return made


PARTS = tuple(f"evokd.testing.parts:{name}" for name in ("WorldMemory", "WorldStudents", "WorldTeacher"))
"""What the run of `config` must be allowed when it goes on."""


def config(folder: str | Path) -> dict[str, Any]:
    """A small run in this world as `evokd.run` takes it; its data files are written to `folder`.

    A run of one cycle takes about a second.
    """
    memory, students, teacher = PARTS
    description, labels = given()
    return {
        "name": "small",
        "task": {"description": description, "labels": labels},
        "data": write_data(Path(folder).resolve()),
        "teacher": {"kind": teacher},
        "student": {"kind": students},
        "memory": {"kind": memory, "duplicate_cosine": 0.999},
        "stop": {"cycles": 2},
        "agents": {"generator": {"backbone": 24, "gate_size": 16, "batch": 8}},
    }


def write_data(folder: Path) -> dict[str, str]:
    """Write four seeds and 24 texts each for dev and test; the section `[data]` that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(3)
    splits = {"seeds": [(text, label) for label, text in SEEDS.items()]}
    for name in ("dev", "test"):
        splits[name] = [(make_text(label, rng), label) for label in VOCABULARY for _ in range(6)]
    for name, pairs in splits.items():
        lines = [json.dumps({"text": text, "label": label}) + "\n" for text, label in pairs]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return {name: str(folder / f"{name}.jsonl") for name in splits}


def write(folder: str | Path) -> Path:
    """The same run as a file, `small.toml` in `folder`; its path."""
    path = Path(folder) / "small.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tomli_w.dumps(config(folder)), encoding="utf-8")
    return path
