"""Parts of the user's own, as a config names them, with settings of their own."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from evokd.agents.base import Services, State
from evokd.memory.base import Status
from evokd.memory.chroma import ChromaMemory
from evokd.tasks.base import Example, Split
from evokd.tasks.kinds.classification import Classification
from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message
from evokd.teacher.custom import CustomTeacher
from evokd.teacher.settings import TeacherSettings
from evokd.testing import HashEmbedder, ScriptedTeacher, WordStudent, WordStudents, world

if TYPE_CHECKING:
    from nowhere import Settings  # type: ignore[import-not-found]


class Oracle(ScriptedTeacher):
    """Built as `open_teacher` is called; keeps what it was given."""

    def __init__(
        self, settings: TeacherSettings, budget: Budget, folder: Path, *, run: str, seed: int, style: str = "plain"
    ) -> None:
        roles: dict[str, Any] = {
            "generator": world.generator,
            "analyst": world.analyst,
            "annotator": world.annotator,
        }
        super().__init__(roles)
        self.given = (run, seed, folder)
        self.style = style


class Stars(Classification):
    """Its setting comes after what every task is given."""

    def __init__(self, *given: Any, tolerance: int = 1) -> None:
        super().__init__(*given)
        self.tolerance = tolerance


class Linear(WordStudents):
    """The types of what it is given need not be there; that of its setting has a bound."""

    def __init__(
        self,
        settings: "Settings",
        labels: Sequence[str],
        head: str,
        strength: "Annotated[float, Field(gt=0)]" = 1.0,
    ) -> None:
        super().__init__(labels)
        self.strength = strength

    def new(self, seed: int) -> WordStudent:
        return Weighed(self.labels, strength=self.strength)

    def load(self, folder: Path, seed: int = 0) -> WordStudent:
        saved = super().load(folder, seed)
        return Weighed(saved.labels, saved.counts, self.strength)


class Weighed(WordStudent):
    """Says how strong it was made."""

    def __init__(self, labels: Sequence[str], counts: Any = None, strength: float = 1.0) -> None:
        super().__init__(labels, counts)
        self.strength = strength


class Newest(ChromaMemory):
    """Shows the newest texts only."""

    def __init__(self, folder: Path, embedder: object, settings: Any, *, newest: int = 500) -> None:
        super().__init__(folder, HashEmbedder(), settings)
        self.newest = newest

    def samples(self, split: Split, status: Status = "kept") -> list[Example]:
        return super().samples(split, status)[-self.newest :]


@dataclass(frozen=True)
class Generator:
    """Takes the place of ours; of the settings of ours it has one."""

    style: str = "plain"
    varied: bool = True

    def __call__(self, state: State, services: Services) -> State:
        return State()


class World(CustomTeacher):
    """The world's teacher in the short form: it labels what stands in the prompt, and is ready for a try."""

    takes_schema = True

    def answer(self, messages: Sequence[Message], schema: dict[str, Any] | None) -> str:
        if (schema or {}).get("title") == "Word":
            return '{"word": "ready"}'
        texts = re.findall(r"^\[(\d+)\] (.*)$", str(messages[-1]["content"]), re.MULTILINE)
        return json.dumps({"labels": [{"id": int(number), "label": world.true_label(text)} for number, text in texts]})
