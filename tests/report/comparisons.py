"""Comparisons on disk as `evokd compare` leaves them, written by hand."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from evokd.report.compare.cells import ComparisonRun

Verdicts = Iterable[tuple[Any, Any, Any]]
"""(gold, what the student of the seeds alone says, what the best one says) for every test text."""


def call(prompt: str, cycle: int = 1, tokens: int = 100, usd: float | None = 0.01, cached: bool = False) -> Any:
    """A row of a ledger."""
    paid = {"input": tokens - 10, "output": 10, "usd": usd}
    free = {"input": 0, "output": 0, "usd": 0.0}
    return {
        "prompt": prompt,
        "sample": 0,
        "model": "m",
        "cycle": cycle,
        "from_cache": cached,
        **(free if cached else paid),
    }


def sample(text: str, label: Any, cycle: int = 1, split: str = "train", status: str = "kept") -> Any:
    """A row of `samples.jsonl`."""
    return {"id": text, "text": text, "label": label, "split": split, "status": status, "origin": {"cycle": cycle}}


def row(cycle: int, dev: float) -> Any:
    """A row of `metrics.jsonl`."""
    return {"cycle": cycle, "scores": {"dev": {"value": dev}}, "seconds": {"trainer": 1.5}}


def cell(
    root: Path,
    name: str,
    verdicts: Verdicts = (),
    how: str | None = "finished",
    ledger: Sequence[Any] = (),
    samples: Sequence[Any] = (),
    metrics: Sequence[Any] = (),
    champion: str = "cycle-001",
) -> None:
    """One cell: its files, scored by accuracy."""
    folder = root / "cells" / name
    folder.mkdir(parents=True, exist_ok=True)
    if how is not None:
        (folder / "outcome.json").write_text(json.dumps({"how": how, "why": ""}))
    scored = [
        {"id": str(number), "label": gold, "seeds only": before, "predicted": after, "points": [gold == after, 1]}
        for number, (gold, before, after) in enumerate(verdicts)
    ]
    lines = {"scored": scored, "ledger": ledger, "samples": samples, "metrics": metrics}
    for file, rows in lines.items():
        (folder / f"{file}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    if scored:
        seen = {
            key: sum(each["label"] == each[key] for each in scored) / len(scored) for key in ("seeds only", "predicted")
        }
        score = {"value": seen["predicted"], "low": None, "high": None, "n": len(scored)}
        result = {"champion": champion, "metric": "accuracy", "seeds only": {"value": seen["seeds only"]}}
        (folder / "result.json").write_text(json.dumps({**result, "champion score": score}))


def listed(root: Path, *names: str, baseline: str = "static") -> ComparisonRun:
    """The comparison of cells that are named `task.variant.kSHOTS.sSEED`."""
    cells = []
    for name in names:
        task, variant, shots, seed = name.split(".")
        cells.append({"name": name, "task": task, "variant": variant, "shots": shots[1:], "seed": int(seed[1:])})
    root.mkdir(parents=True, exist_ok=True)
    (root / "comparison.json").write_text(json.dumps({"name": "mine", "baseline": baseline, "cells": cells}))
    return ComparisonRun.read(root)


def right(*which: int, of: int = 8) -> list[tuple[str, str, str]]:
    """Verdicts on texts of label `a`: the best student is right on these, that of the seeds on none."""
    return [("a", "b", "a" if number in which else "b") for number in range(of)]
