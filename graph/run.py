"""Driving a run: start or go on, stop cleanly on a signal, finish with the test set."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from agents.base import Services, State
from agents.folder import RunFolder
from graph.build import build, initial_state
from graph.config import RunConfig, agents, stop_rule
from graph.finish import score_test_set
from graph.services import open_services
from tasks.errors import BudgetExhausted

Event = dict[str, Any]
"""Progress of a step (`step`, `cycle`, `what`, `done`, `total`) or the finished row of a cycle (`row`)."""


@dataclass(frozen=True)
class Outcome:
    """How a run, or this part of it, ended."""

    how: Literal["finished", "budget", "interrupted"]
    why: str


def drive(config: RunConfig, folder: RunFolder, show: Callable[[Event], None]) -> Outcome:
    """Run until the end, a limit or a signal; started again, it goes on where it was.

    Args:
        config: the run's config.
        folder: the run folder, made by `graph.services.create`.
        show: called with every event, from the main thread.

    Raises:
        StepError: a step failed; the checkpoint before it is kept.
        ConfigError: another process is at work in this folder.
    """
    with contextlib.closing(_Closing(open_services(config, folder, _minutes(folder)))) as opened:
        services = opened.services
        try:
            outcome = _loop(config, folder, services, show)
        except BudgetExhausted as limit:
            outcome = Outcome("budget", str(limit))
        if outcome.how != "interrupted" and (folder.root / "best").exists():
            score_test_set(services)
        return outcome


def _loop(config: RunConfig, folder: RunFolder, services: Services, show: Callable[[Event], None]) -> Outcome:
    ring, stop = agents(config), stop_rule(config)
    settings: Any = {
        "configurable": {"thread_id": config.name},
        "recursion_limit": (len(ring) + 1) * (getattr(stop, "cycles", 1000) + 2),
        "run_name": f"evokd/{config.name}",
        "tags": [f"strategy:{config.strategy}", f"task:{config.task.kind}"],
        "metadata": {"run": config.name, "seed": config.seed, "student": config.student.model},
    }
    with SqliteSaver.from_conn_string(str(folder.root / "checkpoints.sqlite")) as saver:
        graph = build(ring, stop).compile(checkpointer=saver, name="evokd")
        before = graph.get_state(settings)
        if before.created_at and not before.next:
            return Outcome("finished", _reason(before.values, stop))
        control = RunControl()
        with _drained_by_signals(control):
            try:
                events = graph.stream(
                    None if before.next else initial_state(),
                    settings,
                    context=services,
                    durability="sync",
                    stream_mode=["updates", "custom"],
                    control=control,
                )
                for mode, event in events:
                    _show(mode, event, show)
            except GraphDrained:
                return Outcome("interrupted", "stopped on request after a whole step")
        return Outcome("finished", _reason(graph.get_state(settings).values, stop))


def _reason(state: dict[str, Any], stop: Callable[[State], str]) -> str:
    return str(state.get("stop") or stop(State(**state)))  # type: ignore[typeddict-item]


def _show(mode: str, event: Any, show: Callable[[Event], None]) -> None:
    if mode == "custom":
        show(event)
        return
    for update in event.values():
        for row in (update or {}).get("history", []):
            show({"row": row})


def _minutes(folder: RunFolder) -> float:
    """Minutes of work in the finished cycles of earlier processes."""
    path = folder.root / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return sum(sum(row["seconds"].values()) for row in rows) / 60


@dataclass
class _Closing:
    """Closes memory and teacher, whatever happens."""

    services: Services

    def close(self) -> None:
        self.services.teacher.close()
        self.services.memory.close()


@contextlib.contextmanager
def _drained_by_signals(control: RunControl) -> Iterator[None]:
    """The first SIGINT or SIGTERM lets the step end; the second ends the process at once, which loses nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def drain(number: int, frame: object) -> None:
        control.request_drain(signal.Signals(number).name)
        for each in previous:
            signal.signal(each, signal.SIG_DFL)

    previous = {number: signal.signal(number, drain) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def flush_traces(seconds: float = 5.0) -> None:
    """Send what LangSmith still has to send, for at most `seconds`; a dead endpoint must not hold up the exit."""
    if os.environ.get("LANGSMITH_TRACING", "").lower() == "true":
        from langsmith.run_trees import get_cached_client

        get_cached_client().flush(timeout=seconds)


def run_folder(name: str, runs: Path) -> RunFolder:
    """The folder a name or a path means."""
    direct = Path(name)
    return RunFolder((direct if (direct / "config.toml").exists() else runs / name).resolve())
