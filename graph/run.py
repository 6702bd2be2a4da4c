"""Driving a run: start or go on, stop cleanly on a signal, finish with the test set."""

import contextlib
import dataclasses
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from langgraph.errors import GraphDrained, GraphRecursionError
from langgraph.runtime import RunControl

from ..agents.base import Agent, Services, State
from ..agents.trainer.agent import Trainer
from ..memory.run_folder import RunFolder
from ..tasks.errors import BudgetExhausted, ConfigError, EvoKDError, StepError
from .build import build, initial_state
from .checkpoints import FILE, open_checkpoints, thread_of
from .config.run_config import RunConfig, agents, stop_rule
from .consistency import check_answers, check_files, check_memory
from .finish import fit_last, score_test_set
from .restoring import note_end, restore, saved
from .setup.services import open_services
from .signals import drained_by_signals

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
        folder: the run folder, made by `graph.setup.services.create`.
        show: called with every event, from the main thread.

    Raises:
        StepError: a step failed; the checkpoint before it is kept.
        ConfigError: another process is at work in this folder, or it is a copy without its link.
    """
    _check_link(folder)
    state, due = saved(config, folder)
    check_files(folder, state, due, config.checkpoints or FILE)
    if due and config.teacher.use_cache:
        check_answers(folder, state)
    control, began = RunControl(), time.monotonic()
    minutes = _minutes(folder, state.get("history", []))
    with contextlib.ExitStack() as opened:
        check = lambda memory: check_memory(folder, memory, *saved(config, folder))  # noqa: E731
        services = opened.enter_context(open_services(config, folder, minutes, check=check))
        restore(services, state)
        opened.callback(lambda: folder.write_json(_active(folder), minutes + (time.monotonic() - began) / 60))
        opened.enter_context(_traced(config))
        try:
            outcome = _loop(config, folder, services, control, show)
        except BudgetExhausted as limit:
            outcome = Outcome("budget", str(limit))
        rows = _metrics(folder)
        if outcome.how != "interrupted" and rows and (folder.root / rows[-1]["champion"]).exists():
            _finish(services, agents(config)["trainer"], show)
            note_end(folder)
        return outcome


def _check_link(folder: RunFolder) -> None:
    best = folder.root / "best"
    if best.exists() and not best.is_symlink():
        raise ConfigError(
            f"{best} is a {'folder' if best.is_dir() else 'file'}, not a link: the run was copied with its links "
            "followed, and its best student could not change any more. Copy it again with `cp -a`."
        )


def _check_champion(folder: RunFolder, state: Mapping[str, Any]) -> None:
    if not (folder.root / str(state.get("champion"))).exists():
        raise ConfigError(
            f"{folder.root} cannot go on: its students but the best one have been removed, as those of a finished cell "
            "of a comparison are. Start its config.toml as a run of its own."
        )


def _finish(services: Services, trainer: Agent, show: Callable[[Event], None]) -> None:
    """What comes after the loop, be it finished or out of budget; it costs nothing but time."""
    rows = _metrics(services.folder)
    champion, cycle = rows[-1]["champion"], rows[-1]["cycle"]

    def progress(what: str, done: int, total: int) -> None:
        show({"step": "finish", "cycle": cycle, "what": what, "done": done, "total": total})

    services = dataclasses.replace(services, progress=progress)
    services.folder.drop_rival(cycle)
    try:
        if isinstance(trainer, Trainer) and trainer.last_members:
            fit_last(services, champion, trainer)
        score_test_set(services, champion)
    except EvoKDError:
        raise
    except Exception as cause:
        raise StepError(f"step 'finish' failed: {type(cause).__name__}: {cause}") from cause


def _loop(
    config: RunConfig, folder: RunFolder, services: Services, control: RunControl, show: Callable[[Event], None]
) -> Outcome:
    ring, stop = agents(config), stop_rule(config)
    settings: Any = {
        "recursion_limit": most_steps(ring, stop),
        "run_name": "loop",
        **_told_to_traces(config),
    }
    try:
        with open_checkpoints(folder.root, config.checkpoints) as saver:
            settings["configurable"] = {"thread_id": thread_of(saver, config.name, folder.root)}
            graph = build(ring, stop).compile(checkpointer=saver, name="evokd")
            before = graph.get_state(settings)
            # Not `next`: that is empty too where a kill came between the writes of a step and its checkpoint.
            if before.created_at and not before.tasks:
                if not before.values.get("stop"):
                    raise ConfigError(
                        f"order does not name the role any more that is next in {folder.root}. Put it back, let the "
                        "cycle end, and take it out then."
                    )
                if stop(State(**before.values)):  # type: ignore[typeddict-item]
                    return Outcome("finished", _reason(before.values, stop))
                _check_champion(folder, before.values)
                graph.update_state(settings, {"stop": ""}, as_node="evaluator")  # the rule has been changed since
                before = graph.get_state(settings)
            with drained_by_signals(control):
                for mode, event in graph.stream(
                    None if before.tasks else initial_state(),
                    settings,
                    context=services,
                    durability="sync",
                    stream_mode=["updates", "custom"],
                    control=control,
                ):
                    _show(mode, event, show)
            return Outcome("finished", _reason(graph.get_state(settings).values, stop))
    except GraphDrained:
        return Outcome("interrupted", "as asked, after a whole step")
    except GraphRecursionError as error:
        raise StepError(f"[stop] did not end the run: {error}") from error
    except sqlite3.Error as error:
        raise StepError(f"the checkpoint in {folder.root} cannot be read or written: {error}") from error


def most_steps(ring: Mapping[str, Agent], stop: object) -> int:
    """Steps after which a run is stopped by force: LangGraph's own limit would allow two thousand paid cycles."""
    cycles: int = getattr(stop, "cycles", 1000)
    return (len(ring) + 1) * (cycles + 2)


def _reason(state: dict[str, Any], stop: Callable[[State], str]) -> str:
    return str(state.get("stop") or stop(State(**state)))  # type: ignore[typeddict-item]


def _show(mode: str, event: Any, show: Callable[[Event], None]) -> None:
    if mode == "custom":
        show(event)
        return
    for update in event.values():
        for row in (update or {}).get("history", []):
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


def _metrics(folder: RunFolder) -> list[dict[str, Any]]:
    """The rows of the finished cycles."""
    path = folder.root / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    return [json.loads(line) for line in lines if line]


@contextlib.contextmanager
def _traced(config: RunConfig) -> Iterator[None]:
    """One root for all that LangSmith is shown of a run: the loop, and the last training after it."""
    from langsmith import trace

    with trace(f"evokd/{config.name}", **_told_to_traces(config)):
        yield


def _told_to_traces(config: RunConfig) -> dict[str, Any]:
    return {
        "tags": [f"strategy:{config.strategy}", f"task:{config.task.kind}"],
        "metadata": {
            "run": config.name,
            "thread_id": config.name,
            "seed": config.seed,
            "student": config.student.model,
        },
    }


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
