"""What every call cost and came to (`ledger.jsonl`), and what was said in it (`transcripts.jsonl`)."""

import json
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from ...tasks.files import JsonLines
from ..transport.figures import read_count
from .budget import Cost
from .cache import paid_calls


class Entry(TypedDict):
    """One call, or one answer from the cache. Holds no key and no text."""

    id: str
    time: str
    """UTC, ISO 8601."""
    role: str
    cycle: int
    lesson: str | None
    model: str
    prompt: str
    """Hash of the request; finds the transcript."""
    sample: int
    input: int
    output: int
    cached_input: int
    """Prompt tokens the server had in its own cache; part of `input`."""
    usd: float | None
    """None where the price is unknown."""
    seconds: float
    attempt: str
    """`first` or `repair`."""
    from_cache: bool
    tokens: NotRequired[int]
    """Of an answer from the cache, what it took whoever paid for it, in and out."""
    outcome: str
    """`ok`, `repaired`, `bad answer: ...`, `error: ...`, `answered` where a kill came before the answer was read, or
    `lost: ...`: a try whose answer never arrived whole. The server may bill for it, so it counts as an estimate."""


KEYS = ("calls", "input", "output", "cached", "seconds", "usd")
"""What was paid."""


COUNTED = (
    "id", "cycle", "prompt", "sample", "attempt", "input", "output", "cached_input", "from_cache", "seconds", "usd",
)  # fmt: skip
"""What of a call is added up."""

MOST = 1e9
"""Dollars or seconds of one call that are believed."""

FAILED = ("error", "lost")
"""How the outcome of a call begins that brought no answer."""


class Ledger:
    """The account of one run. Every paid call is in it, even if a kill fell between the answer and its line."""

    def __init__(self, folder: Path) -> None:
        """Open the files of a run folder, mended, and add up what they hold."""
        self._lines = JsonLines(folder / "ledger.jsonl", COUNTED)
        self._said = JsonLines(folder / "transcripts.jsonl", ("prompt", "sample", "answer"))
        self._lock = threading.Lock()
        self._sums: dict[int, dict[str, float]] = {}
        self._worth: dict[int, dict[tuple[str, int, str], float]] = {}  # tokens of an answer, paid for or not
        self._unpriced: set[int] = set()
        self._ids: set[str] = set()
        self._transcribed = {(row["prompt"], row["sample"], hash(row["answer"])) for row in self._said}
        self.run = _run_id(folder)
        for row in self._lines:
            if row["id"] not in self._ids:
                self._count(row)

    def complete(self, entries: Iterable[dict[str, Any]]) -> int:
        """Write the calls that are missing (from the cache) and say how many there were."""
        missing = sorted((e for e in entries if e["id"] not in self._ids), key=lambda e: str(e["time"]))
        for entry in missing:
            self.write(cast(Entry, entry))
        return len(missing)

    def write(self, entry: Entry) -> None:
        """Append one call."""
        with self._lock:
            self._lines.append(dict(entry))
            self._count(dict(entry))

    def transcribe(self, entry: Entry, messages: list[dict[str, str]], text: str) -> None:
        """Append what was sent and said, once per request, sample and answer."""
        said = (entry["prompt"], entry["sample"], hash(text))
        with self._lock:
            if said in self._transcribed:
                return
            self._transcribed.add(said)
            kept = {key: entry[key] for key in ("prompt", "sample", "role", "cycle", "model", "attempt")}
            self._said.append({**kept, "messages": messages, "answer": text})

    def spent(self, cycle: int | None = None) -> dict[str, float]:
        """Sums of `KEYS` over all cycles or one; without `usd` if the price of any call is unknown.

        `tokens` is what the answers would have taken had none come from a cache, each of them counted once.
        """
        with self._lock:
            chosen = [sums for at, sums in self._sums.items() if cycle in (None, at)]
            total = {key: sum(sums[key] for sums in chosen) for key in KEYS}
            answers = dict(each for at, worth in self._worth.items() if cycle in (None, at) for each in worth.items())
            total["tokens"] = sum(answers.values())
            if self._unpriced if cycle is None else cycle in self._unpriced:
                del total["usd"]
            return total

    @property
    def cost(self) -> Cost:
        """All of it as the budget counts."""
        with self._lock:
            total = {key: sum(sums[key] for sums in self._sums.values()) for key in KEYS}
        return Cost(int(total["calls"]), int(total["input"] + total["output"]), total["usd"])

    def close(self) -> None:
        """Release the files; safe to call twice."""
        self._lines.close()
        self._said.close()

    def _count(self, row: dict[str, Any]) -> None:
        """Add a row up; figures of a server that cannot be, as earlier versions wrote them, count as nothing."""
        self._ids.add(row["id"])
        given, taken, cached = (read_count(row[name]) or 0 for name in ("input", "output", "cached_input"))
        answers = self._worth.setdefault(row["cycle"], {})
        worth = read_count(row.get("tokens", given + taken)) or 0
        answers.setdefault((row["prompt"], row["sample"], row["attempt"]), worth)
        if row["from_cache"]:
            return
        sums = self._sums.setdefault(row["cycle"], dict.fromkeys(KEYS, 0.0))
        if row["usd"] is None:
            self._unpriced.add(row["cycle"])
        figures = (1, given, taken, min(cached, given), _bounded(row["seconds"]), _bounded(row["usd"]))
        for key, value in zip(KEYS, figures, strict=True):
            sums[key] += value


def _bounded(value: object) -> float:
    """A number that can be; what is none adds nothing."""
    return float(value) if isinstance(value, int | float) and 0 < value < MOST else 0.0


def _run_id(folder: Path) -> str:
    """A random name for this ledger, kept beside it: a cache shared by runs must know whose call was whose."""
    path = folder / "ledger.id"
    if not path.exists():
        aside = folder / f".ledger.id.{secrets.token_hex(4)}"
        aside.write_text(json.dumps(secrets.token_hex(16)), encoding="utf-8")
        aside.replace(path)
    return str(json.loads(path.read_text(encoding="utf-8")))


def count_paid(folder: Path) -> tuple[int, int]:
    """How many answered calls of a run its cache holds, and how many of its ledger the cache does not hold.

    Nothing is written; a run that has no ledger of ours has neither.

    Raises:
        ConfigError: the cache is damaged.
    """
    if not (folder / "ledger.id").exists():
        return 0, 0
    kept = paid_calls(folder / "answers.sqlite", _run_id(folder))
    told: set[str] = set()
    if (folder / "ledger.jsonl").exists():
        for line in (folder / "ledger.jsonl").read_text(encoding="utf-8", errors="replace").split("\n")[:-1]:
            with suppress(
                ValueError, TypeError, KeyError, AttributeError
            ):  # a damaged line is told when the ledger is opened
                row = json.loads(line)
                told |= {row["id"]} if not row["from_cache"] and not row["outcome"].startswith(FAILED) else set()
    return len(kept), len(told - kept)
