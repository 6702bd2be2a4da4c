"""The TOML file of a run: read, validated, resolved. Every mistake in it is one line that says what is allowed."""

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, ValidationError, field_validator

from ...agents.analyst.agent import Analyst
from ...agents.annotator.agent import Annotator
from ...agents.base import Agent
from ...agents.evaluator.agent import Evaluator
from ...agents.generator.agent import Generator
from ...agents.trainer.agent import Trainer
from ...memory.base import Memory, MemorySettings
from ...student.base import Students
from ...student.settings import StudentSettings
from ...tasks.base import Frozen
from ...tasks.errors import ConfigError
from ...tasks.kinds.classification import Classification
from ...tasks.kinds.multilabel import MultiLabel
from ...tasks.kinds.ner import Ner
from ...tasks.task import Task
from ...teacher.base import Teacher
from ...teacher.custom import CustomTeacher
from ...teacher.endpoint import KINDS
from ...teacher.settings import BudgetSettings, TeacherSettings
from ..stop import Stop
from .parts import allow, known_kind, own_class, require
from .strategies import MOST_CYCLES, STRATEGIES
from .validation import built, first_mistake

AGENTS = {kind.__name__.lower(): kind for kind in (Trainer, Evaluator, Analyst, Generator, Annotator)}
"""Our agents by role; another is named `module:Class` in `order`."""

ROLES = tuple(AGENTS)
"""The ring of one cycle, in order; the run may end after the evaluator."""

TASKS: dict[str, type[Any]] = {"classification": Classification, "multilabel": MultiLabel, "ner": Ner}
"""Our task kinds; another is named `module:Class` in the config and needs no entry here."""


class TaskSettings(Frozen):
    """`[task]`: what is to be learnt."""

    kind: str = "classification"
    """`classification` (one label a text), `multilabel` (any number), `ner` (spans), or `module:Class`."""
    description: str = Field(min_length=1)
    labels: dict[str, str]
    """Label or entity type -> description; a plain list of names is accepted too."""
    say: dict[str, str] = Field(default={})
    """Label -> the word that says it, for models that continue a text; by default the name, split into words."""
    noun: str = "text"
    """What one text is called, e.g. "message to a help desk"; for models that continue a text."""

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


class MemorySection(MemorySettings):
    """`[memory]`: our settings, and whose memory it is."""

    kind: str = "chroma"
    """`chroma`, or `module:Class` for a part of your own."""


class RunConfig(Frozen):
    """All of one run."""

    name: str
    seed: int = Field(default=0, ge=0)
    strategy: Literal["gated", "paper", "static", "zerogen", "auggpt", "none"] = "gated"
    order: tuple[str, ...] = ROLES
    task: TaskSettings
    data: DataSettings
    teacher: TeacherSettings = TeacherSettings()
    student: StudentSettings = StudentSettings()
    memory: MemorySection = MemorySection()
    budget: BudgetSettings = BudgetSettings()
    stop: dict[str, JsonValue] = Field(default={})
    agents: dict[str, dict[str, JsonValue]] = Field(default={})

    @field_validator("name")
    @classmethod
    def _a_folder_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", value):
            raise ValueError(
                "must be letters, digits, '.', '_' or '-', at most 80, as it names the run's folder; unset, it is the "
                "file's name (--name gives another)"
            )
        return value


def load(path: Path, overrides: Mapping[str, Any] | None = None, *, trusted: bool = True) -> RunConfig:
    """Read a config file.

    Args:
        path: the TOML file; its name is the run's name unless the file gives one.
        overrides: dotted key -> value, from the command line.
        trusted: as `validate` has it; by default the user has named this file.

    Raises:
        ConfigError: the file is missing, is not TOML, or says something that is not allowed.
    """
    raw = read_toml(path)
    raw.setdefault("name", path.stem)
    for key, value in (overrides or {}).items():
        *sections, last = key.split(".")
        target = raw
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise ConfigError(f"{path}: {section} = {target!r}: must be a table, [{section}].")
        target[last] = value
    return validate(raw, str(path), trusted=trusted)


def read_toml(path: Path) -> dict[str, Any]:
    """The raw content of a TOML file.

    Raises:
        ConfigError: it is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"there is no config file {str(path)!r}; `configs/` has examples.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: not a readable TOML file: {error}") from None


def parsed(raw: Mapping[str, Any], source: str) -> RunConfig:
    """A config whose keys and values are checked. What it names of the user's own has not been imported.

    Raises:
        ConfigError: one line for the first mistake.
    """
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"{source}: {first_mistake(error, RunConfig)}") from None


def own_parts(config: RunConfig) -> tuple[str, ...]:
    """The `module:Class` of every part of the user's own that a config names."""
    kinds = (
        config.task.kind,
        config.student.kind,
        config.memory.kind,
        *config.teacher.own_kinds,
        config.stop.get("kind"),
    )
    return tuple(sorted({each for each in (*config.order, *kinds) if isinstance(each, str) and ":" in each}))


def validate(raw: Mapping[str, Any], source: str, *, trusted: bool = False) -> RunConfig:
    """A checked config: parts, agents and stop rule included.

    Args:
        raw: what the file holds.
        source: its name, for errors.
        trusted: whether the user named this config, and so allows what it names; else that must have been allowed.

    Raises:
        ConfigError: one line for the first mistake.
    """
    config = parsed(raw, source)
    if trusted:
        allow(own_parts(config))
    require(own_parts(config), source)
    try:
        known_kind(config.task.kind, "task.kind", TASKS, Task)
        known_kind(config.student.kind, "student.kind", ("transformer",), Students)
        known_kind(config.memory.kind, "memory.kind", ("chroma",), Memory)
        for kind in (config.teacher.kind or "", *config.teacher.own_kinds):
            known_kind(kind, "teacher.kind", KINDS, Teacher, CustomTeacher)
        agents(config)
        stop_rule(config)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error.__cause__
    return config


def agents(config: RunConfig) -> dict[str, Agent]:
    """Role name -> agent with its settings, in the order of the ring."""
    classes: dict[str, Any] = {}
    for entry in config.order:
        kind = _agent_class(entry)
        if kind.__name__.lower() in classes:
            raise ConfigError(f"order names the role {kind.__name__.lower()!r} twice.")
        classes[kind.__name__.lower()] = kind
    if [role for role in classes if role in ROLES] != list(ROLES):
        raise ConfigError(
            f"order = {list(classes)}: a cycle needs {', '.join(ROLES)}, in this order; others may stand between."
        )
    for name in config.agents:
        if name not in classes:
            raise ConfigError.unknown("the role in [agents]", name, classes)
    defaults = STRATEGIES[config.strategy]
    return {
        name: built(kind, _merged(defaults.get(name, {}), config.agents.get(name, {})), f"[agents.{name}]")
        for name, kind in classes.items()
    }


def stop_rule(config: RunConfig) -> Stop:
    """The stop rule, ours or the one that `[stop] kind = "module:Class"` names."""
    settings: dict[str, Any] = dict(config.stop)
    kind = settings.pop("kind", None)
    if kind is not None and (not isinstance(kind, str) or ":" not in kind):
        raise ConfigError.unknown("stop.kind", kind, ["module:Class"])
    rule: Stop = built(own_class(kind, "stop.kind", Stop) if kind else Stop, settings, "[stop]")
    if isinstance(rule, Stop) and config.strategy in MOST_CYCLES:
        return dataclasses.replace(rule, cycles=min(rule.cycles, MOST_CYCLES[config.strategy]))
    return rule


def _agent_class(entry: str) -> type[Any]:
    if ":" not in entry and entry not in AGENTS:
        raise ConfigError.unknown("the role in `order`", entry, [*ROLES, "module:Class"])
    return own_class(entry, "order", Agent) if ":" in entry else AGENTS[entry]


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
