"""Parts for whole runs in tests: fast ones of our own kind, named in a config, and the world's teacher as a server."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import tomli_w
from langgraph.types import interrupt

from evokd.agents.base import Services, State
from evokd.agents.batch_stats import add_stats
from evokd.memory.base import Encoder, MemorySettings
from evokd.memory.chroma import ChromaMemory
from evokd.memory.run_folder import RunFolder
from evokd.student.base import Progress
from evokd.student.settings import StudentSettings
from evokd.tasks.base import Example, Prediction
from evokd.teacher.base import Prompt
from evokd.testing import HashEmbedder, WordStudent, WordStudents, world
from evokd.testing.loopback import Body, Said, as_prompt, chat

ROOT = Path(__file__).resolve().parents[1]

ALLOW = ("--allow", "tests.parts:Notes", "--allow", "tests.parts:Students")
"""What `resume` must be told of runs on these parts."""

_done: Counter[str] = Counter()


def _mortal(what: str) -> None:
    """Kill this process where the test said so: `EVOKD_TEST_DIE=fit:3` is after the third `fit`."""
    _done[what] += 1
    if os.environ.get("EVOKD_TEST_DIE") == f"{what}:{_done[what]}":
        os.kill(os.getpid(), signal.SIGKILL)


if off := os.environ.get("EVOKD_TEST_CLOCK"):  # a process whose clock is set to another time, in seconds from now
    _told = time.time_ns
    time.time_ns = lambda: _told() + int(off) * 10**9


class MortalStudent(WordStudent):
    def fit(self, examples: Sequence[Example], progress: Progress | None = None, **how: Any) -> None:
        super().fit(examples, progress, **how)
        _mortal("fit")

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        found = super().predict(texts)
        _mortal("predict")
        return found

    def save(self, folder: Path) -> None:
        super().save(folder)
        _mortal("save")


class Students(WordStudents):
    """Built as `TransformerStudents` is."""

    def __init__(self, settings: StudentSettings, labels: Sequence[str], head: str) -> None:
        super().__init__(labels)

    def new(self, seed: int) -> MortalStudent:
        return MortalStudent(self.labels)

    def load(self, folder: Path, seed: int = 0) -> MortalStudent:
        saved = super().load(folder, seed)
        return MortalStudent(saved.labels, saved.counts)


class Notes(ChromaMemory):
    """Our memory with an encoder that needs no model."""

    def __init__(self, folder: Path, embedder: Encoder, settings: MemorySettings) -> None:
        super().__init__(folder, HashEmbedder(), settings)

    def remember(self, *args: Any, **kwargs: Any) -> None:
        super().remember(*args, **kwargs)
        _mortal("remember")

    def mark(self, *args: Any, **kwargs: Any) -> None:
        super().mark(*args, **kwargs)
        _mortal("mark")


@dataclass(frozen=True)
class Critic:
    """A role of the user's own: leaves its setting in the stats."""

    shortest: int = 3

    def __call__(self, state: State, services: Services) -> State:
        return State(stats=add_stats(state.get("stats", {}), other={"critic asks for": self.shortest}))


class Asked(State, total=False):
    answers: list[Any]


@dataclass(frozen=True)
class Asker:
    """A role of the user's own that asks the person before the texts of cycle 1 are labelled; it may have a fault."""

    state_schema: ClassVar[type] = Asked

    async def __call__(self, state: Asked, services: Services) -> Any:
        if state["cycle"] != 1:
            return None
        answer = interrupt({"question": "Are these texts like yours?"})
        if os.environ.get("EVOKD_TEST_FAULT"):
            raise ValueError("a role of the user's own has a fault")
        return {"answers": [*state.get("answers", []), answer]}


class NoMemory:
    """Lacks nearly everything."""

    def __init__(self, *given: object) -> None:
        self.given = given

    def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True)
class After:
    """A stop rule of the user's own."""

    lessons: int = 1

    def __call__(self, state: State) -> str:
        rows = [row for row in state["history"] if row["batch_kind"] == "lessons"]
        return f"{len(rows)} lesson batches" if len(rows) >= self.lessons else ""


def role_of(body: Body) -> str:
    """Who asks, by the schema that is asked for."""
    name = body["response_format"]["json_schema"]["name"]
    return {"Analysis": "analyst", "Labels": "annotator"}.get(name, "generator")


def answer(body: Body) -> Said:
    """The world's teacher as a chat server."""
    roles: dict[str, Callable[[Prompt], Any]] = {
        "analyst": world.analyst,
        "generator": world.generator,
        "annotator": world.annotator,
    }
    return chat(json.dumps(roles[role_of(body)](as_prompt(body))))


def config(url: str, **changes: Any) -> dict[str, Any]:
    """A small run on these parts; a change replaces a section's keys, or the section where it is no table."""
    raw: dict[str, Any] = {
        "name": "small",
        "task": {
            "description": "What is the text about?",
            "labels": {n: ", ".join(w[:4]) for n, w in world.VOCABULARY.items()},
        },
        "data": {"seeds": "seeds.jsonl", "dev": "dev.jsonl", "test": "test.jsonl"},
        "teacher": {"kind": "openai", "model": "m", "base_url": url, "api_key_env": "none", "concurrency": 1},
        "student": {"kind": "tests.parts:Students"},
        "memory": {"kind": "tests.parts:Notes", "duplicate_cosine": 0.999},
        "stop": {"cycles": 2},
        "agents": {"generator": {"backbone": 24, "gate_size": 16, "batch": 8}},
    }
    for key, value in changes.items():
        raw[key] = {**raw.get(key, {}), **value} if isinstance(value, dict) else value
    return raw


def write(folder: Path, url: str, **changes: Any) -> Path:
    """The config and its data files in a folder; returns the config's path."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(3)
    rows = {
        "seeds": [(text, label) for label, text in world.SEEDS.items()],
        "dev": [(world.make_text(label, rng), label) for label in world.VOCABULARY for _ in range(6)],
        "test": [(world.make_text(label, rng), label) for label in world.VOCABULARY for _ in range(6)],
    }
    for name, pairs in rows.items():
        lines = [json.dumps({"text": text, "label": label}) for text, label in pairs]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "small.toml"
    path.write_text(tomli_w.dumps(config(url, **changes)), encoding="utf-8")
    return path


def start(*words: str | Path, **env: str) -> "subprocess.Popen[str]":
    """`python main.py WORDS` as a process of its own, from the root of the project."""
    command = [sys.executable, "main.py", *map(str, words)]
    out = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, stdout=out, stderr=out, text=True)


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def folder(root: Path) -> RunFolder:
    """A run folder."""
    root.mkdir(parents=True, exist_ok=True)
    return RunFolder(root)
