"""The TOML file of a comparison: which cells it means, each an ordinary run config with a name of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue, NonNegativeInt, ValidationError, field_validator

from ..graph.config.run_config import RunConfig, own_parts, read_toml, validate
from ..graph.config.strategies import STRATEGIES
from ..graph.config.validation import first_mistake
from ..tasks.base import Frozen
from ..tasks.errors import ConfigError
from ..teacher.settings import BudgetSettings

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,29}")
"""Of tasks and variants: they are parts of folder names, between dots."""

Shots = int | str
"""Rows per label, or `all`: the seeds file as it is."""


class TaskEntry(Frozen):
    """`[tasks.NAME]`: one task of the comparison."""

    config: str
    """An ordinary run config with a test file; paths here start from the comparison's file."""
    seeds: str | None = None
    """Labelled rows to draw the shots from, in place of the config's own `data.seeds`."""
    gold: str | None = None
    """Texts of the pool with their true labels, to count label noise by; nothing in a run sees it."""


class SharedBudget(Frozen):
    """`[budget]`: limits of all cells together; an unset limit does not exist."""

    max_usd: float | None = Field(default=None, gt=0)
    max_tokens: int | None = Field(default=None, ge=1)
    max_calls: int | None = Field(default=None, ge=1)


class Comparison(Frozen):
    """All of one comparison: every variant on every task, with every number of shots and every random seed."""

    name: str
    strategies: tuple[str, ...] = ()
    variants: dict[str, dict[str, JsonValue]] = Field(default={})
    """Name -> `strategy` and other overrides of the config, by dotted key or as tables."""
    baseline: str | None = None
    """The variant that the others are compared with; by default the first."""
    shots: tuple[Shots, ...] = Field(default=("all",), min_length=1)
    random_seeds: tuple[NonNegativeInt, ...] = Field(default=(0, 1, 2), min_length=1)
    tasks: dict[str, TaskEntry] = Field(min_length=1)
    set: dict[str, JsonValue] = Field(default={})
    """Overrides of every cell's config, by dotted key or as tables; a variant's own win."""
    budget: SharedBudget = SharedBudget()

    @field_validator("name")
    @classmethod
    def _a_folder_name(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError("must be letters, digits, '_' or '-', at most 30, as it names a folder")
        return value

    @field_validator("tasks", "variants")
    @classmethod
    def _parts_of_a_folder_name(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not NAME.fullmatch(name):
                raise ValueError(f"the name {name!r} must be letters, digits, '_' or '-', at most 30")
        return value

    @field_validator("shots", mode="before")
    @classmethod
    def _numbers_or_all(cls, value: object) -> object:
        for each in value if isinstance(value, list | tuple) else [value]:
            if each != "all" and (not isinstance(each, int) or isinstance(each, bool) or each < 1):
                raise ValueError(f'{each!r} must be a number of rows per label, 1 or more, or "all"')
        return value

    @field_validator("shots", "random_seeds", "strategies")
    @classmethod
    def _once_each(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if doubled := [each for number, each in enumerate(value) if each in value[:number]]:
            raise ValueError(f"{doubled[0]!r} is named twice")
        return value


@dataclass(frozen=True)
class Cell:
    """One run of the comparison."""

    task: str
    variant: str
    shots: Shots
    config: RunConfig
    base: Path
    """The folder that the config's relative paths start from."""

    @property
    def name(self) -> str:
        """Of the run and its folder."""
        return self.config.name


@dataclass(frozen=True)
class ComparisonSpec:
    """A comparison with all its cells, in the order they are run: every variant of a seed before the next seed."""

    settings: Comparison
    cells: tuple[Cell, ...]
    baseline: str
    base: Path
    """The folder of the comparison's file."""

    @property
    def own_parts(self) -> tuple[str, ...]:
        """The `module:Class` of every part of the user's own that a cell needs."""
        return tuple(sorted({spec for cell in self.cells for spec in own_parts(cell.config)}))


def read_spec(path: Path) -> ComparisonSpec:
    """Read a comparison and check the config of every cell.

    Raises:
        ConfigError: one line for the first mistake, in the comparison or in a config it names.
    """
    raw = read_toml(path)
    raw.setdefault("name", path.stem)
    try:
        settings = Comparison.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_mistake(error, Comparison)}") from None
    variants = _variants(settings, path)
    baseline = settings.baseline or next(iter(variants))
    if baseline not in variants:
        raise ConfigError.unknown(f"{path}: baseline", baseline, variants)
    base = path.resolve().parent
    configs = {
        (task, variant): _config(settings, base, entry, variant, overrides)
        for task, entry in settings.tasks.items()
        for variant, overrides in variants.items()
    }
    cells = [
        Cell(task, variant, shots, _named(configs[task, variant], task, variant, shots, seed), _folder(entry, base))
        for task, entry in settings.tasks.items()
        for shots in settings.shots
        for seed in settings.random_seeds
        for variant in variants
    ]
    return ComparisonSpec(settings, tuple(cells), baseline, base)


def _variants(settings: Comparison, path: Path) -> dict[str, dict[str, Any]]:
    for strategy in settings.strategies:
        if strategy not in STRATEGIES:
            raise ConfigError.unknown(f"{path}: the strategy in `strategies`", strategy, STRATEGIES)
        if strategy in settings.variants:
            raise ConfigError(f"{path}: {strategy!r} is both in `strategies` and in [variants]. Rename the variant.")
    variants: dict[str, dict[str, Any]] = {name: {"strategy": name} for name in settings.strategies}
    variants |= settings.variants
    if not variants:
        raise ConfigError(f"{path}: there is nothing to compare. Give `strategies`, e.g. ['static', 'gated'].")
    return variants


def _config(
    settings: Comparison, base: Path, entry: TaskEntry, variant: str, overrides: Mapping[str, Any]
) -> RunConfig:
    """The config of one variant on one task, without the cell's name and seed."""
    path = base / Path(entry.config).expanduser()
    raw = {"name": "cell", **read_toml(path)}
    if entry.seeds is not None:
        raw = overlaid(raw, {"data": {"seeds": anchored(entry.seeds, base)}}, "seeds")
    raw = overlaid(raw, settings.set, "[set]")
    raw = overlaid(raw, overrides, f"[variants.{variant}]")
    config = validate(raw, f"{path} with [set] and variant {variant}", trusted=True)
    if config.data.test is None:
        raise ConfigError(f"{path}: data.test is missing: a comparison needs a test set.")
    BudgetSettings(max_usd=settings.budget.max_usd).check_prices(config.teacher)
    return config


def overlaid(raw: Mapping[str, Any], overrides: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A raw config with values replaced: `{"agents.trainer.review": False}` and nested tables mean the same.

    Raises:
        ConfigError: a key leads through something that is no table.
    """
    merged = dict(raw)
    for key, value in overrides.items():
        first, _, rest = key.partition(".")
        below, inner = merged.get(first), {rest: value} if rest else value
        if not isinstance(inner, Mapping):
            merged[first] = inner
        elif below is None or isinstance(below, Mapping):
            merged[first] = overlaid(below or {}, inner, where)
        else:
            raise ConfigError(f"{where}: {key} cannot be set: {first} = {below!r} is not a table.")
    return merged


def anchored(source: str, base: Path) -> str:
    """A data source whose relative path starts from `base`."""
    return source if source.startswith("hf:") else str(base / Path(source).expanduser())


def _folder(entry: TaskEntry, base: Path) -> Path:
    return (base / Path(entry.config).expanduser()).resolve().parent


def _named(config: RunConfig, task: str, variant: str, shots: Shots, seed: int) -> RunConfig:
    return config.model_copy(update={"name": f"{task}.{variant}.k{shots}.s{seed}", "seed": seed})
