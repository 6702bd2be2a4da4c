"""The newest checkpoint is found whatever the clock does; the ids of LangGraph begin with the time of day."""

import operator
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.base import id as ids
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from evokd.graph.checkpoints import InStepOrder, open_checkpoints, thread_of
from evokd.graph.run import Outcome
from evokd.graph.setup.create import with_cycles
from evokd.testing.loopback import Body, Said, serving
from tests import parts
from tests.graph.test_run import Trial

HOUR, YEAR = 3600.0, 365 * 24 * 3600.0


class FalseClock:
    """The time of day as LangGraph's ids see it, off by some seconds."""

    def __init__(self) -> None:
        self.off = 0.0

    def time_ns(self) -> int:
        return int(time.time_ns() + self.off * 1e9)

    def new_sitting(self, off: float) -> None:
        """A process of its own, at another time: what the one before knew of the time is gone."""
        self.off = off
        ids._last_v6_timestamp = None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[FalseClock]:
    false = FalseClock()
    monkeypatch.setattr(ids, "time", false)
    monkeypatch.setattr(ids, "_last_v6_timestamp", None)
    yield false


def outcome(trial: Trial) -> tuple[Any, Any]:
    rows = parts.rows(trial.folder.root / "metrics.jsonl")
    figures = [{name: each for name, each in row.items() if name not in ("seconds", "teacher")} for row in rows]
    return parts.rows(trial.folder.root / "samples.jsonl"), figures


class Interrupting:
    """Asks the run to stop after the step, once in a sitting: a second signal would end it at once."""

    due = False

    def __call__(self, body: Body) -> Said:
        if self.due:
            self.due = False
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        return parts.answer(body)


@pytest.mark.parametrize("back", [HOUR, pytest.param(YEAR, marks=pytest.mark.slow)])
def test_sittings_under_a_clock_that_goes_back_are_one_run(tmp_path: Path, clock: FalseClock, back: float) -> None:
    with serving(parts.answer) as server:
        whole = Trial(tmp_path / "whole", server)
        whole.drive()
        asked = len(server.requests)
        server.script = stopping = Interrupting()
        trial, sittings, stopping.due = Trial(tmp_path / "cut", server), 0, True
        while trial.drive().how == "interrupted":
            sittings, stopping.due = sittings + 1, True
            clock.new_sitting(-back * sittings)
        assert sittings > 3 and len(server.requests) == 2 * asked
        stopping.due = False
        for off in (-99 * back, 0, back):
            clock.new_sitting(off)
            assert trial.drive() == Outcome("finished", "all 2 cycles are done")
        assert len(server.requests) == 2 * asked, "a finished run pays for nothing, however often it is resumed"
        assert outcome(trial) == outcome(whole)
        clock.new_sitting(-100 * back)
        with_cycles(trial.folder, 3)
        assert trial.drive() == Outcome("finished", "all 3 cycles are done")
    answered = [str(request) for request in server.requests[asked:]]
    assert len(set(answered)) == len(answered), "nothing is paid for twice"


def test_a_clock_that_is_set_inside_a_sitting_changes_nothing(tmp_path: Path, clock: FalseClock) -> None:
    def script(body: Body) -> Said:
        clock.off += -YEAR if len(server.requests) % 2 else HOUR
        return parts.answer(body)

    with serving(script) as server:
        trial = Trial(tmp_path, server)
        trial.drive()
        asked = len(server.requests)
        clock.new_sitting(0)
        assert trial.drive().how == "finished" and len(server.requests) == asked


@pytest.mark.parametrize("after", ["branch:to:evaluator", "branch:to:generator", "branch:to:trainer"])
def test_writes_without_their_checkpoint_are_found_when_the_clock_goes_back(
    tmp_path: Path, clock: FalseClock, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """As a kill between the writes of a step and its checkpoint leaves it, in a second sitting."""
    from langgraph.checkpoint.sqlite import SqliteSaver

    put, failed = SqliteSaver.put, []

    def full(self: SqliteSaver, config: Any, checkpoint: Any, metadata: Any, new: Any) -> Any:
        if not failed and after in checkpoint["channel_values"] and checkpoint["channel_values"]["cycle"] >= 1:
            failed.append(after)
            raise sqlite3.OperationalError("database or disk is full")
        return put(self, config, checkpoint, metadata, new)

    with serving(parts.answer) as server:
        whole = Trial(tmp_path / "whole", server)
        whole.drive()
        asked = len(server.requests)
        trial = Trial(tmp_path / "cut", server)
        monkeypatch.setattr(SqliteSaver, "put", full)
        with pytest.raises(Exception, match="disk is full"):
            trial.drive()
        clock.new_sitting(-HOUR)
        assert failed and trial.drive().how == "finished"
        clock.new_sitting(HOUR)
        assert trial.drive().how == "finished" and len(server.requests) == 2 * asked
    assert outcome(trial) == outcome(whole)


class Steps(TypedDict, total=False):
    done: Annotated[list[int], operator.add]


class Elsewhere(InStepOrder, InMemorySaver):  # type: ignore[misc]  # the one saver is of text versions, as the other
    """Another saver than that of a file."""


def test_any_saver_of_langgraph_can_be_put_in_order(clock: FalseClock) -> None:
    builder = StateGraph(Steps)
    for number in range(3):
        builder.add_node(str(number), lambda state, number=number: {"done": [number]})  # type: ignore[misc]
    builder.add_edge(START, "0")
    builder.add_edge("0", "1")
    builder.add_edge("1", "2")
    builder.add_edge("2", END)
    graph = builder.compile(checkpointer=Elsewhere(), interrupt_before=["1", "2"])
    settings: Any = {"configurable": {"thread_id": "t"}}
    graph.invoke({"done": []}, settings)
    for hours in (1, 2, 3):
        clock.new_sitting(-hours * HOUR)
        graph.invoke(None, settings)
    assert graph.get_state(settings).values == {"done": [0, 1, 2]}
    first = list(graph.get_state_history(settings))[-1]
    assert graph.get_state(first.config).config == first.config, "one that is asked for by its id is that one"


def test_the_thread_is_the_one_that_is_there(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, stop={"cycles": 0})
        with open_checkpoints(trial.folder.root) as saver:
            assert thread_of(saver, "new", trial.folder.root) == "new"
        trial.drive()
        with open_checkpoints(trial.folder.root) as saver:
            assert thread_of(saver, "new", trial.folder.root) == "small"
