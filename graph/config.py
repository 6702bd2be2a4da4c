"""The TOML file of a run: read, validated, resolved. Every mistake in it is one line that says what is allowed."""

import dataclasses
import importlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from agents.base import Agent
from graph.stop import Stop
from graph.strategies import STRATEGIES
from memory.base import MemorySettings
from student.settings import StudentSettings
from tasks.base import Frozen
from tasks.errors import ConfigError
from teacher.settings import BudgetSettings, TeacherSettings

ROLES = ("trainer", "evaluator", "analyst", "generator", "annotator")
"""The ring of one cycle, in order; the run may end after the evaluator."""


class TaskSettings(Frozen):
    """`[task]`: what is to be learnt."""

    kind: str = "classification"
    description: str = Field(min_length=1)
    labels: dict[str, str]
    """Label -> description; a plain list of names is accepted too."""
    say: dict[str, str] = Field(default={})
    """Label -> the word that says it, for models that continue a text; by default the name, split into words."""
    noun: str = "text"
    """What one text is called, e.g. "message to a help desk"; for models that continue a text."""

    @field_validator("labels", mode="before")
    @classmethod
    def _names_alone(cls, value: object) -> object:
        return dict.fromkeys(value, "") if isinstance(value, list) else value


class DataSettings(Frozen):
    """`[data]`: files beside the config (JSON lines, CSV, Parquet) or `hf:name` / `hf:name:split`."""

    seeds: str
    dev: str | None = None
    test: str | None = None
    pool: str | None = None
    """Texts without labels."""
    text: str = "text"
    label: str = "label"


class RunConfig(Frozen):
    """All of one run."""

    name: str
    seed: int = Field(default=0, ge=0)
    strategy: Literal["gated", "paper", "static"] = "gated"
    order: tuple[str, ...] = ROLES
    task: TaskSettings
    data: DataSettings
    teacher: TeacherSettings = TeacherSettings()
    student: StudentSettings = StudentSettings()
    memory: MemorySettings = MemorySettings()
    budget: BudgetSettings = BudgetSettings()
    stop: dict[str, Any] = Field(default={})
    agents: dict[str, dict[str, Any]] = Field(default={})

    @field_validator("name")
    @classmethod
    def _a_folder_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", value):
            raise ValueError("must be letters, digits, '.', '_' or '-', at most 80, as it names the run's folder")
        return value


def load(path: Path, overrides: Mapping[str, Any] | None = None) -> RunConfig:
    """Read a config file.

    Args:
        path: the TOML file; its name is the run's name unless the file gives one.
        overrides: dotted key -> value, from the command line.

    Raises:
        ConfigError: the file is missing, is not TOML, or says something that is not allowed.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no config file {str(path)!r}; `configs/` has examples.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: not a readable TOML file: {error}") from None
    raw.setdefault("name", path.stem)
    for key, value in (overrides or {}).items():
        *sections, last = key.split(".")
        target = raw
        for section in sections:
            target = target.setdefault(section, {})
        target[last] = value
    return validate(raw, str(path))


def validate(raw: Mapping[str, Any], source: str) -> RunConfig:
    """A checked config, agents and stop rule included.

    Raises:
        ConfigError: one line for the first mistake.
    """
    try:
        config = RunConfig.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_first_mistake(error)}") from None
    agents(config)
    stop_rule(config)
    return config


def agents(config: RunConfig) -> dict[str, Agent]:
    """Role name -> agent with its settings, in the order of the ring."""
    found = {}
    for entry in config.order:
        kind = _agent_class(entry)
        name = kind.__name__.lower()
        settings = _merged(STRATEGIES[config.strategy].get(name, {}), config.agents.get(name, {}))
        found[name] = _built(kind, settings, f"[agents.{name}]")
    for name in config.agents:
        if name not in found:
            raise ConfigError.unknown("the section [agents] names a role that", name, found)
    if missing := [role for role in ROLES if role not in found]:
        raise ConfigError(f"order lacks {', '.join(missing)}: a cycle needs {', '.join(ROLES)}.")
    return found


def stop_rule(config: RunConfig) -> Stop:
    """The stop rule, ours or the one that `[stop] kind = "module:Class"` names."""
    settings = dict(config.stop)
    kind = settings.pop("kind", None)
    rule: Stop = _built(resolve(kind) if kind else Stop, settings, "[stop]")
    return rule


def resolve(spec: str) -> Any:
    """The object behind `module:Name`.

    Raises:
        ConfigError: no such module or name.
    """
    module, _, name = spec.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"cannot import {spec!r} ({error}); write it as `module:Class`, importable from here."
        ) from None


def _agent_class(entry: str) -> Any:
    if ":" in entry:
        return resolve(entry)
    if entry not in ROLES:
        raise ConfigError.unknown("the role in `order`", entry, [*ROLES, "module:Class"])
    return getattr(importlib.import_module(f"agents.{entry}"), entry.capitalize())


def _built(kind: Any, settings: Mapping[str, Any], where: str) -> Any:
    """A dataclass from settings, with types checked and unknown keys refused."""
    if not dataclasses.is_dataclass(kind):
        raise ConfigError(f"{where}: {kind!r} must be a dataclass whose fields are its settings.")
    allowed = [field.name for field in dataclasses.fields(kind)]
    for key in settings:
        if key not in allowed:
            raise ConfigError.unknown(f"the setting in {where}", key, allowed)
    try:
        return TypeAdapter(kind).validate_python(dict(settings))
    except ValidationError as error:
        raise ConfigError(f"{where}: {_first_mistake(error)}") from None


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _first_mistake(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"the key {where!r} is not known. Allowed: {', '.join(_allowed(first['loc'][:-1]))}."
    if first["type"] == "missing":
        return f"the key {where!r} is missing."
    return f"{where} = {first['input']!r:.80}: {first['msg'].removeprefix('Value error, ')}."


def _allowed(section: tuple[int | str, ...]) -> list[str]:
    model: Any = RunConfig
    for part in section:
        annotation = model.model_fields[part].annotation if hasattr(model, "model_fields") else None
        model = annotation if hasattr(annotation, "model_fields") else getattr(annotation, "__args__", [model])[-1]
    return sorted(getattr(model, "model_fields", {}))
