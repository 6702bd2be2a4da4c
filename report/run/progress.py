"""What a run at work is doing, as a file: written by its process, read by who watches."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from ..run_files import Run
from .costs import spent

EVERY = 1.0
"""Seconds between two writes."""

SILENT = 120
"""Seconds without news after which a reader is told that the process may be gone."""


class Note:
    """The latest event of a run in a file, which goes when the process ends as it should."""

    def __init__(self, path: Path) -> None:
        """Nothing is written before the first event."""
        self._path = path
        self._written = float("-inf")

    def take(self, event: dict[str, Any]) -> None:
        """Note one event, unless one was noted a moment ago. A disk that is full harms no run here."""
        now = time.monotonic()
        if "step" not in event or now - self._written < EVERY:
            return
        self._written = now
        aside = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # the run's own files tell of it, and stop the run
            aside.write_text(json.dumps(event, ensure_ascii=False), encoding="utf-8")  # no need to force it to disk
            aside.replace(self._path)

    def remove(self) -> None:
        """Say that nobody is at work any more."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def standing(run: Run) -> dict[str, Any]:
    """What a run is doing now, for who watches: a sentence each for work, time and money, and how far the step is."""
    path, end = run.root / "progress.json", run.root / "outcome.json"
    try:
        if end.exists() and end.stat().st_mtime >= path.stat().st_mtime:  # a cell of a comparison, which leaves both
            raise FileNotFoundError
        event, silent = json.loads(path.read_text(encoding="utf-8")), time.time() - path.stat().st_mtime
    except (OSError, ValueError):  # not at work; or just being replaced, and the next look finds it
        return {
            "at_work": False,
            "now": "Nobody is at work on this run.",
            "cycles": len(run.metrics),
            **_told(run, None),
        }
    now = f"Cycle {event['cycle']}, {event['step']}{': ' if event['what'] else ''}{event['what']}"
    if event["total"]:
        now += f" ({event['done']:,} of {event['total']:,})"
    if silent > SILENT:
        now += f". No news for {silent / 60:.0f} minutes: a long step, or the process is gone."
    share = event["done"] / event["total"] if event["total"] else None
    return {"at_work": True, "now": now, "share": share, "cycles": len(run.metrics), **_told(run, event)}


def _told(run: Run, event: dict[str, Any] | None) -> dict[str, str]:
    cost = spent(run)
    return {"cost": f"{cost.value}, {cost.remark}", "left": _time_left(run) if event else ""}


def _time_left(run: Run) -> str:
    """By the cycles so far, the first of which is the seeds' alone and short."""
    cycles, done = run.config.get("stop", {}).get("cycles"), [sum(row["seconds"].values()) for row in run.metrics[1:]]
    if not cycles or not done:
        return "The time left is not known before the first cycle is finished."
    left = (int(cycles) - len(done)) * sum(done) / len(done)
    return f"At most about {max(1, round(left / 60))} minutes more, by the {len(done)} cycles so far."
