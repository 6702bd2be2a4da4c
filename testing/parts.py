"""Parts of the small world that a config can name, for whole runs without a model, a server or a key."""

from collections.abc import Sequence
from pathlib import Path

from ..memory.base import Encoder, MemorySettings
from ..memory.chroma import ChromaMemory
from ..student.settings import StudentSettings
from ..teacher.accounting.budget import Budget
from ..teacher.settings import TeacherSettings
from . import world
from .fakes import HashEmbedder, ScriptedTeacher
from .students import WordStudents


class WorldMemory(ChromaMemory):
    """Our memory with an encoder that needs no model."""

    def __init__(self, folder: Path, embedder: Encoder, settings: MemorySettings) -> None:
        """Open the memory in `folder`; the embedder of the config is left alone."""
        super().__init__(folder, HashEmbedder(), settings)


class WorldStudents(WordStudents):
    """Students that count words."""

    def __init__(self, settings: StudentSettings, labels: Sequence[str], head: str) -> None:
        """Make students of `labels`; they have no settings."""
        super().__init__(labels)


class WorldTeacher(ScriptedTeacher):
    """The teacher who knows the four classes; costs nothing."""

    def __init__(self, settings: TeacherSettings, budget: Budget, folder: Path, *, run: str, seed: int) -> None:
        """Take what every teacher is given, and use none of it."""
        super().__init__({"generator": world.generator, "analyst": world.analyst, "annotator": world.annotator})
