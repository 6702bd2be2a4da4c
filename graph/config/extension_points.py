"""Where a part of the user's own may stand in for one of ours, and what EvoKD gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...memory.base import Memory
from ...student.base import Students
from ...tasks.errors import ConfigError
from ...tasks.kinds.classification import Classification
from ...tasks.kinds.multilabel import MultiLabel
from ...tasks.kinds.ner import Ner
from ...tasks.task import Task
from ...teacher.base import Teacher
from ...teacher.custom import CustomTeacher
from ...teacher.endpoint import KINDS
from ..stop import Stop
from .part_settings import PartSettings
from .parts import build, installed_class, own_class

TASKS: dict[str, type[Any]] = {"classification": Classification, "multilabel": MultiLabel, "ner": Ner}
"""Our task kinds; another needs no entry here."""


@dataclass(frozen=True)
class ExtensionPoint:
    """One sort of part: how it is named in a config, and the arguments that EvoKD builds it with."""

    key: str
    group: str
    """Of the entry points that packages offer such parts by."""
    contract: type
    alternatives: tuple[type, ...] = ()
    """Classes of ours, from one of which a part may inherit in place of having the contract's methods."""
    ours: tuple[str, ...] = ()
    given: int = 0
    """Arguments by place."""
    named: tuple[str, ...] = ()
    """Arguments by name."""

    def own(self, name: str) -> type[Any]:
        """The class of a part that is not ours: behind `module:Class`, or offered by an installed package.

        Raises:
            ConfigError: it is not known, not allowed, cannot be imported, or is no such part.
        """
        if ":" in name:
            return own_class(name, self.key, self.contract, *self.alternatives)
        return installed_class(name, self.key, self.group, self.ours, self.contract, *self.alternatives)

    def settings(self, name: str) -> PartSettings:
        """What a part that is not ours can be set to."""
        section, kind = self.key.partition(".")[0], self.own(name)
        given, named = (1, ()) if issubclass(kind, self.alternatives) else (self.given, self.named)
        return PartSettings(kind, f"[{section}.settings]", given, named)

    def write(self, name: str, settings: Mapping[str, Any], *, is_whole: bool = False) -> dict[str, Any]:
        """The settings of a part, checked, with its defaults; `is_whole` is as `PartSettings.check` has it.

        Raises:
            ConfigError: a setting is not known or not allowed, or the part is ours and has them elsewhere.
        """
        if name not in self.ours:
            return self.settings(name).write(settings, is_whole=is_whole)
        if settings:
            section = self.key.partition(".")[0]
            raise ConfigError(
                f"[{section}.settings] is for a part of your own; {self.key} = {name!r} is ours, and its settings "
                f"stand in [{section}]."
            )
        return {}

    def build(self, name: str, settings: Mapping[str, Any], *given: Any, **named: Any) -> Any:
        """A part that is not ours, with the arguments that ours would get.

        Raises:
            ConfigError: as `own` and `write` do, or it cannot be built, or lacks an attribute of the protocol.
        """
        own = self.settings(name)
        return build(own.kind, f"{self.key} = {name!r}", self.contract, given, {**named, **own.check(settings)})


TASK = ExtensionPoint("task.kind", "evokd.tasks", Task, ours=tuple(TASKS), given=4)
STUDENT = ExtensionPoint("student.kind", "evokd.students", Students, ours=("transformer",), given=3)
MEMORY = ExtensionPoint("memory.kind", "evokd.memories", Memory, ours=("chroma",), given=3)
TEACHER = ExtensionPoint(
    "teacher.kind", "evokd.teachers", Teacher, (CustomTeacher,), ours=KINDS, given=3, named=("run", "seed")
)
"""A teacher of one's own is a `CustomTeacher`, which is given its endpoint, or has the whole `Teacher` protocol."""
STOP_RULE = ExtensionPoint("stop.kind", "evokd.stop_rules", Stop)
