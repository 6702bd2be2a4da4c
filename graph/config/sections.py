"""The sections of a run's config that are more than the settings of our own parts."""

from pydantic import Field, JsonValue, field_validator

from ...memory.base import MemorySettings
from ...student.settings import StudentSettings
from ...tasks.base import Frozen
from ...teacher.endpoint import KINDS, Endpoint
from ...teacher.settings import TeacherSettings

OwnSettings = dict[str, JsonValue]
"""Settings of a part of the user's own, checked when its class is known; ours has none here."""


class TaskSettings(Frozen):
    """`[task]`: what is to be learnt."""

    kind: str = "classification"
    """`classification` (one label a text), `multilabel` (any number), `ner` (spans), `module:Class` for a kind of your
    own, or the name of an installed one."""
    description: str = Field(min_length=1)
    labels: dict[str, str]
    """Label or entity type -> description; a plain list of names is accepted too."""
    say: dict[str, str] = Field(default={})
    """Label -> the word that says it, for models that continue a text; by default the name, split into words."""
    noun: str = "text"
    """What one text is called, e.g. "message to a help desk"; for models that continue a text."""
    settings: OwnSettings = Field(default={})
    """What a task kind of your own takes beyond the above."""

    @field_validator("labels", mode="before")
    @classmethod
    def _names_alone(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        if wrong := [name for name in value if not isinstance(name, str)]:
            raise ValueError(f"a list of labels holds names only, not {wrong[0]!r}")
        if len(set(value)) < len(value):
            raise ValueError("a label is named twice")
        return dict.fromkeys(value, "")


class DataSettings(Frozen):
    """`[data]`: files beside the config (JSON lines, CSV, Parquet) or `hf:name` / `hf:name:split`."""

    seeds: str
    dev: str | None = None
    test: str | None = None
    pool: str | None = None
    """Texts without labels."""
    text: str | None = None
    """Column of the text; by default what is usual for the task's kind, `text` or `tokens`."""
    label: str | None = None
    """Column of the label; by default `label`, `labels`, `spans` or `tags`."""
    guidelines: str | None = None
    """TOML file with decided examples of contested patterns; without one the teacher drafts it where it matters."""


class TeacherSection(TeacherSettings):
    """`[teacher]`: our settings, and those of a teacher of the user's own."""

    settings: OwnSettings = Field(default={})
    """What a teacher of your own takes beyond ours."""

    def with_defaults(self) -> "TeacherSection":
        """The same with what our kinds fill in written out, but for what is looked up: prices, address, key and model.

        `max_tokens` is left to the kind where a role is of another kind, which would inherit it.
        """
        if self.kind not in KINDS:
            return self
        others = {name: own for name, own in self.roles.items() if own.kind not in (None, self.kind)}
        filled = _filled(self.role("")) | ({} if others else {"max_tokens": self.role("").max_tokens})
        roles = {name: own.model_copy(update=_filled(self.role(name))) for name, own in others.items()}
        return self.model_copy(update={**filled, "roles": {**self.roles, **roles}})


def _filled(endpoint: Endpoint) -> dict[str, object]:
    return {"prompting": endpoint.prompting, "timeout": endpoint.timeout}


class StudentSection(StudentSettings):
    """`[student]`: our settings, and those of a student of the user's own."""

    settings: OwnSettings = Field(default={})
    """What a student of your own takes beyond ours."""


class MemorySection(MemorySettings):
    """`[memory]`: our settings, whose memory it is, and the settings of a memory of the user's own."""

    kind: str = "chroma"
    """`chroma`, `module:Class` for a part of your own, or the name of an installed one."""
    settings: OwnSettings = Field(default={})
    """What a memory of your own takes beyond ours."""
