"""Small comparisons for tests, and an executor whose cells do what a script says."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from evokd.comparison.spec import ComparisonSpec, read_spec
from evokd.memory.run_folder import RunFolder
from evokd.teacher.accounting.ledger import Entry, Ledger
from evokd.teacher.settings import BudgetSettings
from tests import parts

DEAD = "http://127.0.0.1:9/v1"
"""Nobody listens at this port."""


def write(folder: Path, url: str = DEAD, task: dict[str, Any] | None = None, **raw: Any) -> Path:
    """A comparison of two strategies on the world's task, two seeds; returns its file."""
    parts.write(folder / "task", url, **(task or {}))
    whole = {
        "strategies": ["static", "gated"],
        "random_seeds": [0, 1],
        "tasks": {"small": {"config": "task/small.toml"}},
    }
    path = folder / "mine.toml"
    path.write_text(tomli_w.dumps({**whole, **raw}), encoding="utf-8")
    return path


def spec(folder: Path, **raw: Any) -> ComparisonSpec:
    """The same, read."""
    return read_spec(write(folder, **raw))


def spend(folder: Path, tokens: int) -> None:
    """Book a call in the ledger of a cell."""
    ledger = Ledger(folder)
    plain = Entry(
        id=f"{folder.name}{len(parts.rows(folder / 'ledger.jsonl'))}", time="", role="generator", cycle=1, lesson=None,
        model="m", prompt="p", sample=0, input=tokens, output=0, cached_input=0, usd=tokens / 1000, seconds=0.0,
        attempt="first", from_cache=False, outcome="ok",
    )  # fmt: skip
    ledger.write(plain)
    ledger.close()


def end(folder: Path, how: str, why: str = "") -> None:
    """What a cell leaves behind."""
    run = RunFolder(folder)
    run.write_json(folder / "outcome.json", {"how": how, "why": why})
    if how in ("finished", "budget"):
        run.write_json(folder / "result.json", {"champion": "cycle-001"})


@dataclass
class ScriptedJob:
    """A cell that takes a step at every look, until its script says how it ended (an exit code)."""

    folder: Path
    limits: BudgetSettings
    script: "Script"
    looks: int = 0
    told: list[str] = field(default_factory=list)

    def poll(self) -> int | None:
        self.looks += 1
        return self.script(self)

    def stop(self) -> None:
        self.told.append("stop")

    def kill(self) -> None:
        self.told.append("kill")


Script = Callable[[ScriptedJob], int | None]


class Scripted:
    """Starts scripted cells and keeps them all."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.jobs: list[ScriptedJob] = []

    def start(self, folder: Path, limits: BudgetSettings) -> ScriptedJob:
        self.jobs.append(ScriptedJob(folder, limits, self.script))
        return self.jobs[-1]

    @property
    def started(self) -> list[str]:
        return [job.folder.name.removeprefix("small.") for job in self.jobs]


def finishing(job: ScriptedJob) -> int | None:
    """Ends well at the second look."""
    if job.looks < 2:
        return None
    end(job.folder, "finished")
    return 0


def spending(wanted: int, step: int = 10) -> Script:
    """Spends as a run does: one call a look, none that would pass the limit, until it has spent what it wants."""

    def script(job: ScriptedJob) -> int | None:
        path = job.folder / "ledger.jsonl"
        so_far = sum(row["input"] for row in parts.rows(path)) if path.exists() else 0
        limit = job.limits.max_tokens
        if so_far >= wanted:
            end(job.folder, "finished")
            return 0
        if limit is not None and so_far + step > limit:
            end(job.folder, "budget", f"budget.max_tokens = {limit} is reached: {so_far} tokens used")
            return 0
        Path(path).touch()
        spend(job.folder, step)
        return None

    return script


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
