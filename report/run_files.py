"""A run folder as the report reads it: files only, nothing of the running program."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from ..tasks.errors import ConfigError
from ..tasks.files import led_to
from ..tasks.guidelines import Guidelines, parse_guidelines
from .reading import Row, damaged, read_json, read_rows

__all__ = ["Row", "Run", "read_json"]


RESULT = {"metric", "champion", "champion score", "seeds only", "difference"}
"""What is said of the test set."""


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
        """Name of the best student's folder, as `best` points to it now; of a copy that stands there, as was noted.

        Raises:
            ConfigError: it points to none.
        """
        link = self.root / "best"
        found = led_to(link)
        if link.is_dir() and not link.is_symlink():
            return str((self.result or {}).get("champion") or Path(self.metrics[-1]["champion"]).name)
        if found is None:
            raise damaged(link, " is missing or leads nowhere")
        return found.name

    @property
    def best_folder(self) -> Path:
        """Folder of the best student: its own, or in a copy of the run without the others what stands at `best`.

        Raises:
            ConfigError: `best` points to none.
        """
        own = self.root / "students" / self.best
        return own if own.is_dir() else self.root / "best"

    @cached_property
    def result(self) -> Row | None:
        """What the test set said, if there was one and the run is over."""
        path = self.root / "result.json"
        found = self.made_at_the_end(path)
        if found is not None and not found.keys() & RESULT:
            raise damaged(path, " is not what the run wrote")
        return found

    def made_at_the_end(self, path: Path) -> Row | None:
        """What a file says that the end of the run made; None where it made none.

        Raises:
            ConfigError: it is damaged, or was made and is missing.
        """
        if path.exists():
            return read_json(path)
        end = self.root / "end.json"
        if end.exists() and path.relative_to(self.root).as_posix() in read_json(end):
            raise damaged(path, " is missing")
        return None

    @property
    def outlook(self) -> str:
        """What going on would bring and what would help more, as it stood after the last cycle."""
        return str(self.metrics[-1].get("outlook", "")) if self.metrics else ""

    @cached_property
    def samples(self) -> list[Row]:
        """Every text of the run with its label, source and fate; dev and test texts are not among them."""
        return self.rows("samples.jsonl")

    @cached_property
    def ledger(self) -> list[Row]:
        """A row for every call of the teacher."""
        return self.rows("ledger.jsonl")

    @cached_property
    def lessons(self) -> list[Row]:
        """What the analyst wrote, and what each lesson brought."""
        return self.rows("lessons.jsonl")

    @cached_property
    def tested(self) -> list[Row]:
        """Every test text with its label and what the best student says; none before the test set is opened."""
        return self._with_texts("test", self.rows("scored.jsonl"))

    def held_out(self, cycle: int, split: str) -> list[Row]:
        """What the champion of a cycle says of the texts of `dev` or `gate`."""
        return [row for row in self.rows(f"cycles/{cycle:03d}/held_out.jsonl") if row["split"] == split]

    @cached_property
    def dev(self) -> list[Row]:
        """Every dev text with its label and what the champion of the last cycle says."""
        return self._with_texts("dev", self.held_out(self.metrics[-1]["cycle"], "dev") if self.metrics else [])

    def _with_texts(self, split: str, rows: list[Row]) -> list[Row]:
        texts = {row["id"]: row["text"] for row in self.rows(f"data/{split}.jsonl")} if rows else {}
        return [{**row, "text": texts.get(row["id"], "")} for row in rows]

    @cached_property
    def config(self) -> Row:
        """What the run was asked to do, whole.

        Raises:
            ConfigError: `config.toml` is damaged.
        """
        path = self.root / "config.toml"
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise damaged(path, f" is not TOML ({error})") from None
        if not found:
            raise damaged(path, " is empty")
        return found

    @cached_property
    def learnt(self) -> list[Row]:
        """The texts that the best student learnt, seeds left out; those of the gate, where it learnt them too."""
        splits = ("train", "gate") if str((self.result or {}).get("champion", "")).startswith("final") else ("train",)
        return [row for row in self.samples if row["split"] in splits and row["status"] == "kept"]

    @cached_property
    def guidelines(self) -> Guidelines:
        """The annotation guidelines; an empty one where the run has none."""
        path = self.root / "guidelines.toml"
        try:
            return parse_guidelines(path.read_text(encoding="utf-8"), str(path)) if path.exists() else Guidelines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path} cannot be read ({error}). Put it back from a copy, or delete it to go without."
            ) from None

    def rows(self, name: str) -> list[Row]:
        """The rows of one of the run's JSON lines files; an absent file has none, a torn last line is left out.

        Raises:
            ConfigError: it is damaged, or has fewer rows than the run had written.
        """
        path = self.root / name
        found, lacking = read_rows(path), self.lacking(name)
        if lacking and name != "transcripts.jsonl":  # which is no account of anything
            raise damaged(path, f" has {len(found)} rows where the run had written {len(found) + lacking}")
        return found

    def lacking(self, name: str) -> int:
        """How many rows of a file are gone that were there after the last step; 0 where nothing was noted."""
        path = self.root / "rows.json"
        noted = read_json(path).get(name, 0) if path.exists() else 0
        return max(0, noted - len(read_rows(self.root / name))) if isinstance(noted, int) else 0
