"""Driving a run: start or go on, stop cleanly on a signal, hand on what a role asks."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from langgraph.errors import GraphDrained, GraphRecursionError
from langgraph.runtime import RunControl
from langgraph.types import Command

from ..agents.base import Agent, Services, State
from ..memory.run_folder import RunFolder
from ..tasks.errors import ConfigError, StepError
from .build import build, initial_state, last_steps
from .checkpoints import FILE, open_checkpoints, thread_of
from .config.run_config import RunConfig, agents, stop_rule
from .consistency import check_answers, check_files, check_memory
from .restoring import note_end, restore, saved
from .setup.first_files import alone
from .setup.services import open_services
from .signals import drained_by_signals
from .traces import describe_run, open_trace, tracers

FEEDBACK = 2.0
"""Most seconds that the end of a run waits for a server that takes feedback on its trace."""

Event = dict[str, Any]
"""Progress of a step (`step`, `cycle`, `what`, `done`, `total`) or the finished row of a cycle (`row`)."""


@dataclass(frozen=True)
class Outcome:
    """How a run, or this part of it, ended."""

    how: Literal["finished", "budget", "interrupted", "asks"]
    """`asks`: a role waits for an answer of the person's, and `why` is what it asks."""
    why: str


def drive(config: RunConfig, folder: RunFolder, show: Callable[[Event], None], answer: Any = None) -> Outcome:
    """Run until the end, a limit, a question or a signal; started again, it goes on where it was.

    Args:
        config: the run's config.
        folder: the run folder, made by `graph.setup.create.create`.
        show: called with every event, from the main thread.
        answer: to what a role asked when the run ended before; any JSON value but null.

    Raises:
        StepError: a step failed; the checkpoint before it is kept.
        ConfigError: another process is at work in this folder, it is a copy without its link, or nothing was asked.
    """
    with contextlib.ExitStack() as opened:
        opened.enter_context(alone(folder))
        _check_link(folder)
        state, due = saved(config, folder)
        check_files(folder, state, due, config.checkpoints or FILE)
        if due and config.teacher.use_cache:
            check_answers(folder, state)
        control, began = RunControl(), time.monotonic()
        minutes = _minutes(folder, state.get("history", []))
        check = lambda memory: check_memory(folder, memory, *saved(config, folder))  # noqa: E731
        services = opened.enter_context(open_services(config, folder, minutes, check=check))
        is_whole = restore(services, state)
        opened.callback(lambda: folder.write_json(_active(folder), minutes + (time.monotonic() - began) / 60))
        trace = opened.enter_context(open_trace(config, folder))
        loop = opened.enter_context(_open_loop(config, folder))
        folder.stop_file.unlink(missing_ok=True)  # of an earlier process that ended before it saw it
        outcome = loop.stream(services, control, show) if loop.start(is_whole, answer) else loop.outcome()
        folder.stop_file.unlink(missing_ok=True)
        if outcome.how in ("finished", "budget"):
            note_end(folder)
        if trace:
            trace.end(outcome)
        return outcome


@contextlib.contextmanager
def _open_loop(config: RunConfig, folder: RunFolder) -> Iterator["_Loop"]:
    try:
        with open_checkpoints(folder.root, config.checkpoints) as saver:
            yield _Loop(config, folder, saver)
    except sqlite3.Error as error:
        raise StepError(f"the checkpoint in {folder.root} cannot be read or written: {error}") from error


class _Loop:
    """The graph of a run with its checkpoints: where it is, where it goes on, and how it ended."""

    def __init__(self, config: RunConfig, folder: RunFolder, saver: Any) -> None:
        ring, self._stop = agents(config), stop_rule(config)
        self._root, self._ring, self._stop_file = folder.root, ring, folder.stop_file
        self._given: Any = None
        self._tracers = tracers(folder)
        self._settings: Any = {
            "recursion_limit": most_steps(ring, self._stop),
            "run_name": "loop",
            **describe_run(config, folder),
            "callbacks": self._tracers,
            "configurable": {"thread_id": thread_of(saver, config.name, folder.root)},
        }
        self._graph = build(ring, self._stop).compile(checkpointer=saver, name="evokd")

    def start(self, is_whole: bool, answer: Any) -> bool:
        """Find where to begin or go on; returns whether anything is left to do.

        Args:
            is_whole: whether all that the end of a run makes is there.
            answer: of the person, to a role that asked.
        """
        now = self._graph.get_state(self._settings)
        self._given = None if now.created_at else initial_state()
        if answer is not None and not now.interrupts:
            raise ConfigError(f"answer = {answer!r:.80}, but nothing is asked in {self._root}: resume without one.")
        if answer is not None:
            self._given = Command(resume=answer)
        # Not `next`: that is empty too where a kill came between the writes of a step and its checkpoint.
        if not now.created_at or now.tasks:
            return True
        return self._reopen(State(**now.values), is_whole)  # type: ignore[typeddict-item]

    def _reopen(self, state: State, is_whole: bool) -> bool:
        """Let a run that has ended go on: in the step that the budget cut, at what its end lacks, or in the loop."""
        names, last = list(self._ring), next(iter(last_steps(self._ring)))
        if not state.get("stop"):
            raise ConfigError(
                f"order does not name the role any more that is next in {self._root}. Put it back, let the cycle end, "
                "and take it out then."
            )
        if role := state.get("unfinished"):
            return self._go_to(role, stop="", unfinished="")
        if self._stop(state):
            return not is_whole and self._go_to(last)
        _check_champion(self._root, state)  # the rule has been changed since
        return self._go_to(names[(names.index("evaluator") + 1) % len(names)], stop="")

    def _go_to(self, step: str, **changes: Any) -> bool:
        self._graph.update_state(self._settings, Command(update=changes, goto=step), as_node="final_test")
        return True

    def stream(self, services: Services, control: RunControl, show: Callable[[Event], None]) -> Outcome:
        """Do the steps that are left, until the end, a question or a signal."""
        try:
            with drained_by_signals(control):
                for mode, event in self._graph.stream(
                    self._given,
                    self._settings,
                    context=services,
                    durability="sync",
                    stream_mode=["updates", "custom"],
                    control=control,
                ):
                    _show(mode, event, show)
                    if self._stop_file.exists():
                        control.request_drain("stop file")
        except GraphDrained:
            return Outcome("interrupted", "as asked, after a whole step")
        except GraphRecursionError as error:
            raise StepError(f"[stop] did not end the run: {error}") from error
        finally:
            for tracer in self._tracers:
                tracer.wait(FEEDBACK)
        return self.outcome()

    def outcome(self) -> Outcome:
        """How it stands, where no step is under way."""
        now = self._graph.get_state(self._settings)
        if now.interrupts:
            asked = now.interrupts[0].value
            return Outcome("asks", asked if isinstance(asked, str) else json.dumps(asked, ensure_ascii=False))
        return Outcome("budget" if now.values.get("unfinished") else "finished", str(now.values["stop"]))


def _check_link(folder: RunFolder) -> None:
    best = folder.root / "best"
    if best.is_dir() and not best.is_symlink():
        raise ConfigError(
            f"{best} is a folder, not a link: the run was copied with its links followed, and its best student could "
            f"not change any more. Copy it again with `cp -a`; or, if all of students/ is there, delete {best}."
        )


def _check_champion(root: Path, state: Mapping[str, Any]) -> None:
    if not (root / str(state.get("champion"))).exists():
        raise ConfigError(
            f"{root} cannot go on: its students but the best one have been removed, as those of a finished cell "
            "of a comparison are. Start its config.toml as a run of its own."
        )


def most_steps(ring: Mapping[str, Agent], stop: object) -> int:
    """Steps after which a run is stopped by force: LangGraph's own limit would allow two thousand paid cycles."""
    cycles: int = getattr(stop, "cycles", 1000)
    return (len(ring) + 1) * (cycles + 2)


def _show(mode: str, event: Any, show: Callable[[Event], None]) -> None:
    if mode == "custom":
        show(event)
        return
    for update in event.values():  # of a step; a question to the person is none
        for row in update.get("history", []) if isinstance(update, dict) else []:
            show({"row": row})


def _minutes(folder: RunFolder, history: list[dict[str, Any]]) -> float:
    """Minutes of work of earlier processes; of one that was killed those of its finished cycles."""
    finished = sum(sum(row["seconds"].values()) for row in history) / 60
    path = _active(folder)
    try:
        return max(finished, float(folder.read_json(path))) if path.exists() else finished
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{path}, the minutes of work so far, cannot be read ({error}). Write the number into it, or delete it to "
            f"count those of the finished cycles alone ({finished:.1f})."
        ) from error


def _active(folder: RunFolder) -> Path:
    return folder.root / "minutes.json"


def flush_traces(seconds: float = 5.0) -> None:
    """Send what LangSmith still has to send, for at most `seconds`; a dead endpoint must not hold up the exit."""
    from langsmith.run_trees import get_cached_client
    from langsmith.utils import tracing_is_enabled

    if tracing_is_enabled():
        get_cached_client().flush(timeout=seconds)


def run_folder(name: str, runs: Path) -> RunFolder:
    """The folder a name or a path means."""
    direct = Path(name)
    return RunFolder((direct if (direct / "run.json").exists() else runs / name).resolve())


def there(runs: Path) -> str:
    """The runs of a folder, as a sentence for an error."""
    names = sorted(path.parent.name for path in runs.glob("*/run.json"))
    return f"Runs under {runs}/: {', '.join(names) or 'none'}."
