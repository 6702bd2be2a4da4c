"""A run folder as the report reads it: files only, nothing of the running program."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ..tasks.errors import ConfigError
from ..tasks.guidelines import Guidelines, parse_guidelines

Row = dict[str, Any]


def read_json(path: Path) -> Row:
    """The object in a JSON file.

    Raises:
        ConfigError: it is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON ({error}). Delete it and run or resume again to have it anew.") from None
    if not isinstance(found, dict):
        raise ConfigError(f"{path} holds no JSON object. Delete it and run or resume again to have it anew.")
    return found


@dataclass(frozen=True)
class Run:
    """One run on disk, whether it is finished, stopped or at work."""

    root: Path

    @classmethod
    def find(cls, name: str, runs: Path) -> Self:
        """The run a name or a path means.

        Raises:
            ConfigError: there is none; the message lists those that are there.
        """
        for file in ("run.json", "config.toml"):  # without EvoKD's marker it is found last: to be refused by its name
            for root in (Path(name), runs / name):
                if (root / file).exists():
                    return cls(root)
        there = sorted(path.parent.name for path in runs.glob("*/run.json"))
        raise ConfigError(f"there is no run {name!r}. Runs under {runs}/: {', '.join(there) or 'none'}.")

    @cached_property
    def metrics(self) -> list[Row]:
        """One row per finished cycle."""
        return self.rows("metrics.jsonl")

    @property
    def best(self) -> str:
        """Name of the best student's folder, as `best` points to it now; of a copy that stands there, as was noted."""
        link = self.root / "best"
        if link.is_dir() and not link.is_symlink():
            return str((self.result or {}).get("champion") or Path(self.metrics[-1]["champion"]).name)
        return link.resolve().name

    @cached_property
    def result(self) -> Row | None:
        """What the test set said, if there was one and the run is over."""
        path = self.root / "result.json"
        return read_json(path) if path.exists() else None

    @cached_property
    def learnt(self) -> list[Row]:
        """The texts that the best student learnt, seeds left out; those of the gate, where it learnt them too."""
        splits = ("train", "gate") if str((self.result or {}).get("champion", "")).startswith("final") else ("train",)
        return [row for row in self.rows("samples.jsonl") if row["split"] in splits and row["status"] == "kept"]

    @cached_property
    def guidelines(self) -> Guidelines:
        """The annotation guidelines; an empty one where the run has none."""
        path = self.root / "guidelines.toml"
        return parse_guidelines(path.read_text(encoding="utf-8"), str(path)) if path.exists() else Guidelines()

    def rows(self, name: str) -> list[Row]:
        """The rows of one of the run's JSON lines files; an absent file has none, a torn last line is left out."""
        path = self.root / name
        if not path.exists():
            return []
        rows: list[Row] = []
        # Not splitlines: a text may hold U+2028 and other line ends of Unicode as they are.
        *lines, torn = path.read_bytes().split(b"\n")
        for number, line in enumerate([*lines, torn] if torn else lines, start=1):
            try:
                rows.append(json.loads(line))
            except ValueError as error:  # half a line may end within a character, too
                if number <= len(lines):
                    raise ConfigError(f"{path}, line {number}: not JSON ({error}).") from None
        return rows
