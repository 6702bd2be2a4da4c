"""The TOML file of a run: read, validated, resolved. Every mistake in it is one line that says what is allowed."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from ...agents.base import Agent
from ...tasks.base import Frozen
from ...tasks.errors import ConfigError
from ...teacher.settings import BudgetSettings
from ..stop import Stop
from .address import check_address
from .extension_points import MEMORY, STOP_RULE, STUDENT, TASK, TEACHER
from .part_settings import PartSettings
from .parts import allow, require
from .roles import ROLES, check_order, role_classes, role_settings
from .secrets import refuse_secrets
from .sections import DataSettings, MemorySection, StudentSection, TaskSettings, TeacherSection
from .strategies import MOST_CYCLES, STRATEGIES
from .validation import first_mistake, with_nulls

PARTS = {"task": TASK, "student": STUDENT, "memory": MEMORY, "teacher": TEACHER}
"""Section -> the part that its `kind` names."""


class RunConfig(Frozen):
    """All of one run. One that was checked is whole: presets and defaults of agents and stop rule are written out."""

    name: str
    seed: int = Field(default=0, ge=0)
    strategy: Literal["gated", "paper", "static", "zerogen", "auggpt", "none"] = "gated"
    order: tuple[str, ...] = ROLES
    task: TaskSettings
    data: DataSettings
    teacher: TeacherSection = TeacherSection()
    student: StudentSection = StudentSection()
    memory: MemorySection = MemorySection()
    checkpoints: str | None = None
    """`postgresql://user@host/database`; by default a file in the run's folder. The password comes from PGPASSWORD."""
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

    @model_validator(mode="after")  # of the whole, as an error at the key would repeat what may be a password
    def _a_server_without_password(self) -> Self:
        if self.checkpoints is not None:
            check_address(self.checkpoints)
        return self


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
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"there is no config file {str(path)!r}; `configs/` has examples.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: not a readable TOML file: {error}{_quotes(text, str(error))}") from None


def _quotes(text: str, error: str) -> str:
    """A word on what TOML's own error does not say: a text without quotes. Its value may be a key, and is not shown."""
    found = re.search(r"at line (\d+)", error)
    line = text.split("\n")[int(found[1]) - 1] if found else ""
    if named := re.match(r"\s*([\w.-]+)\s*=\s*[^\W\d_\[{]|\s*([\w.-]+)\s*=\s*[\u2018-\u201f]", line):
        name = named[1] or named[2]
        return f'. A text stands between straight quotes: {name} = "..."'
    return ""


def parsed(raw: Mapping[str, Any], source: str, *, is_whole: bool = False) -> RunConfig:
    """A config whose keys and values are checked. What it names of the user's own has not been imported.

    Args:
        raw: what the file holds.
        source: its name, for errors.
        is_whole: whether it is a run's own, in which what may be null and is not there is null.

    Raises:
        ConfigError: one line for the first mistake.
    """
    refuse_secrets(raw, source)
    try:
        return RunConfig.model_validate(with_nulls(RunConfig, raw) if is_whole else raw)
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


def validate(raw: Mapping[str, Any], source: str, *, trusted: bool = False, is_whole: bool = False) -> RunConfig:
    """A checked and whole config: parts, agents and stop rule included.

    Args:
        raw: what the file holds.
        source: its name, for errors.
        trusted: whether the user named this config, and so allows what it names; else that must have been allowed.
        is_whole: whether it is a run's own, to which the presets of its strategy are not applied again.

    Raises:
        ConfigError: one line for the first mistake.
    """
    config = parsed(raw, source, is_whole=is_whole)
    if trusted:
        allow(own_parts(config))
    require(own_parts(config), source)
    try:
        for kind in config.teacher.own_kinds:  # of single roles too, and before their settings
            TEACHER.own(kind)
        return _completed(config, is_whole)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error.__cause__


def complete_parts(config: RunConfig, names: Iterable[str], *, is_whole: bool) -> RunConfig:
    """The config with the settings of some parts of the user's own checked and whole; `names` are of `PARTS`.

    Raises:
        ConfigError: a part is not known, not allowed or cannot be used, or a setting is not known or not allowed.
    """
    whole = {}
    for name in names:
        section = getattr(config, name)
        settings = PARTS[name].write(section.kind or "local", section.settings, is_whole=is_whole)
        whole[name] = section.model_copy(update={"settings": settings})
    return config.model_copy(update=whole)


def agents(config: RunConfig) -> dict[str, Agent]:
    """Role name -> agent with its settings, in the order of the ring."""
    return {
        role: role_settings(role, kind).build(config.agents.get(role, {}))
        for role, kind in role_classes(config.order).items()
    }


def stop_rule(config: RunConfig) -> Stop:
    """The stop rule, ours or the one that `[stop] kind` names."""
    own, settings = _stop(config)
    rule: Stop = own.build(settings)
    return rule


def _completed(config: RunConfig, is_whole: bool) -> RunConfig:
    """The config with presets and defaults written out, so that another version takes it for the same."""
    config = complete_parts(config, tuple(PARTS), is_whole=is_whole)
    whole = {"agents": _agents(config, is_whole), "stop": _stopping(config, is_whole)}
    config = config.model_copy(update={**whole, "teacher": config.teacher.with_defaults()})
    agents(config)
    stop_rule(config)
    return config


def _agents(config: RunConfig, is_whole: bool) -> dict[str, dict[str, Any]]:
    classes = role_classes(config.order)
    for name in config.agents:
        if name not in classes:
            raise ConfigError.unknown("the role in [agents]", name, classes)
    presets = {} if is_whole else STRATEGIES[config.strategy]
    written = {}
    for role, kind in classes.items():
        own = role_settings(role, kind)
        preset = {name: value for name, value in presets.get(role, {}).items() if name in own.names()}
        written[role] = own.write(_merged(preset, config.agents.get(role, {})), is_whole=is_whole)
    check_order(classes, written)
    return written


def _stopping(config: RunConfig, is_whole: bool) -> dict[str, Any]:
    own, given = _stop(config)
    settings = own.write(given, is_whole=is_whole)
    if issubclass(own.kind, Stop) and not is_whole and config.strategy in MOST_CYCLES:
        settings["cycles"] = min(settings["cycles"], MOST_CYCLES[config.strategy])
    return {"kind": config.stop["kind"], **settings} if "kind" in config.stop else settings


def _stop(config: RunConfig) -> tuple[PartSettings, dict[str, Any]]:
    """What the stop rule can be set to, and what it is set to."""
    settings: dict[str, Any] = dict(config.stop)
    kind = settings.pop("kind", None)
    if kind is not None and not isinstance(kind, str):
        raise ConfigError.unknown("stop.kind", kind, ["module:Class"])
    return PartSettings(Stop if kind is None else STOP_RULE.own(kind), "[stop]"), settings


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
