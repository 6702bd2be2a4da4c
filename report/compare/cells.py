"""A comparison on disk, cell by cell: what each cost, what it learnt, what the test set said. Reads files only."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ...tasks.errors import ConfigError
from ..run_files import Row, Run, read_json

CallKey = tuple[int, str, str, int]
"""Seed of the run, model, hash of the prompt, sample index: equal for calls that share one answer."""


@dataclass(frozen=True)
class Cost:
    """What teacher answers cost; `usd` is None where the price of one is unknown."""

    tokens: int = 0
    """Input and output together."""
    usd: float | None = 0.0
    calls: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Cost(self.tokens + other.tokens, usd, self.calls + other.calls)


@dataclass(frozen=True)
class Point:
    """The champion after one cycle, against all that was spent up to then."""

    cycle: int
    split: str
    """What it was scored on: `dev`, or `gate` where there is no dev set."""
    score: float
    cost: Cost
    samples: int


@dataclass(frozen=True)
class CellRun:
    """One cell: its place in the comparison, and its run folder."""

    task: str
    variant: str
    shots: str
    seed: int
    run: Run
    prices: Mapping[CallKey, Cost]
    """What each answer cost whoever paid for it: an answer from the shared cache is free, yet was worth that."""

    @cached_property
    def state(self) -> str:
        """`finished`, `cut` (by the budget of the whole), `failed`, `interrupted`, or `waiting`."""
        path = self.run.root / "outcome.json"
        how = read_json(path)["how"] if path.exists() else "waiting"
        if how == "finished" and self.run.result is None:
            return "failed"
        return "cut" if how == "budget" else str(how)

    @cached_property
    def result(self) -> Row:
        """What the test set said; empty unless the cell is finished."""
        return (self.run.result or {}) if self.state == "finished" else {}

    @property
    def score(self) -> float:
        """Of the best student on the test set; only a finished cell has one."""
        return float(self.result["champion score"]["value"])

    @cached_property
    def texts(self) -> list[Row]:
        """Every test text with its label, and what the best student and the student of the seeds alone say."""
        return self.run.rows("scored.jsonl")

    def cost(self, upto: int | None = None) -> Cost:
        """What the cell would have cost by itself, up to a cycle: what it paid, and what it got from other cells."""
        total, seen = Cost(), set()
        for row in self._ledger:
            key = key_of(self.seed, row)
            if upto is not None and row["cycle"] > upto:
                continue
            if not row["from_cache"]:
                total += price(row)
            elif key not in seen:  # a killed step that runs again finds its own answers in the cache
                total += self.prices.get(key, Cost())
            seen.add(key)
        return total

    @cached_property
    def _ledger(self) -> list[Row]:
        return self.run.rows("ledger.jsonl")

    @cached_property
    def paid(self) -> Cost:
        """What the cell really spent."""
        return sum((price(row) for row in self._ledger if not row["from_cache"]), Cost())

    @cached_property
    def unpriced(self) -> int:
        """Answers from the cache that no cell of this comparison paid for: what they were worth is not known."""
        return len({key_of(self.seed, row) for row in self._ledger} - set(self.prices))

    @property
    def learnt(self) -> list[Row]:
        """The texts that the best student learnt, seeds left out."""
        return self.run.learnt

    @cached_property
    def curve(self) -> list[Point]:
        """One point per cycle that was scored on dev or gate."""
        kept = [row["origin"]["cycle"] for row in self.learnt if row["split"] == "train"]
        points = []
        for row in self.run.metrics:
            split = next((each for each in ("dev", "gate") if row["scores"].get(each)), None)
            if split is not None:
                cycle = row["cycle"]
                samples = sum(each <= cycle for each in kept)
                points.append(Point(cycle, split, row["scores"][split]["value"], self.cost(cycle), samples))
        return points

    @property
    def seconds(self) -> float:
        """Time at work in finished cycles."""
        return sum(sum(row["seconds"].values()) for row in self.run.metrics)


def key_of(seed: int, row: Row) -> CallKey:
    """Which answer a row of a ledger is about."""
    return seed, row["model"], row["prompt"], row["sample"]


def price(row: Row) -> Cost:
    """What a paid row of a ledger cost."""
    return Cost(row["input"] + row["output"], row["usd"], 1)


@dataclass(frozen=True)
class ComparisonRun:
    """A comparison on disk, whether it is finished or not."""

    root: Path
    name: str
    baseline: str
    cells: tuple[CellRun, ...]

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read the folder that `compare` made.

        Raises:
            ConfigError: there is none, or a file of it is broken.
        """
        path = root / "comparison.json"
        if not path.exists():
            raise ConfigError(f"{root} holds no comparison (no comparison.json). `evokd compare FILE.toml` makes one.")
        listed = read_json(path)
        runs = [(each, Run(root / "cells" / each["name"])) for each in listed["cells"]]
        prices: dict[CallKey, Cost] = {}
        for each, run in runs:
            for row in run.rows("ledger.jsonl"):
                if not row["from_cache"]:
                    prices.setdefault(key_of(each["seed"], row), price(row))
        cells = [CellRun(c["task"], c["variant"], c["shots"], c["seed"], run, prices) for c, run in runs]
        return cls(root, listed["name"], listed["baseline"], tuple(cells))

    @property
    def groups(self) -> list[tuple[str, str]]:
        """Task and shots of every table, in the order of the file."""
        return list(dict.fromkeys((cell.task, cell.shots) for cell in self.cells))

    def variants(self, task: str, shots: str) -> dict[str, list[CellRun]]:
        """Variant -> its cells over the seeds, finished or not."""
        found: dict[str, list[CellRun]] = {}
        for cell in self.cells:
            if (cell.task, cell.shots) == (task, shots):
                found.setdefault(cell.variant, []).append(cell)
        return found

    def gold(self, task: str) -> dict[str, Any]:
        """Id of a text -> its true label; empty where the user gave no gold file."""
        return {row["id"]: row["label"] for row in Run(self.root).rows(f"gold/{task}.jsonl")}
