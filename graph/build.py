"""The order of a run, on one screen.

                seed examples
                     |
     START ----> trainer ----> evaluator --(done?)-> last_training -> calibration -> final_test -> END
                    ^              |
                    |           analyst
                    |              |
                annotator <--- generator

Extra roles stand where `order` puts them. The loop ends after the evaluator, or where the budget ends in the middle of
a step. A role may send the run elsewhere (`Command(goto=...)`), ask the person (`interrupt`), be async, and add keys of
its own to the state (`state_schema`). A step that fails is named, and its checkpoint lets the run go on from there.
"""

import asyncio
import contextvars
import dataclasses
import inspect
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from ..agents.base import Agent, Services, State
from ..agents.batch_stats import check_stats
from ..agents.evaluator.final_test import FinalTest
from ..agents.trainer.agent import Trainer
from ..agents.trainer.calibration import Calibration
from ..agents.trainer.last_training import LastTraining
from ..tasks.errors import BudgetExhausted, ConfigError, EvoKDError, StepError
from .consistency import LAST, note_rows, ties

Stopping = Callable[[State], str]
"""State after the evaluator -> why the run is over, or an empty string."""

Graph = StateGraph[State, Any, State, State]


def initial_state() -> State:
    """The state of a run that has not begun: cycle 0 trains on the seeds alone."""
    return State(
        cycle=0, batch_kind="seed", chosen="", nothing_left=False, batch=[], lessons=[], stats={}, seconds={},
        history=[], stop="", unfinished="",
    )  # fmt: skip


def last_steps(ring: Mapping[str, Agent]) -> dict[str, Agent]:
    """What comes after the loop, in order; a trainer of the user's own does the first two itself."""
    trainer = ring["trainer"]
    if not isinstance(trainer, Trainer):
        return {"final_test": FinalTest()}
    return {"last_training": LastTraining(trainer), "calibration": Calibration(trainer), "final_test": FinalTest()}


def build(ring: Mapping[str, Agent], stop: Stopping, context: type = Services) -> Graph:
    """Wire the ring of agents and what comes after it.

    Args:
        ring: role -> agent, in the order of the ring; the run starts with the first.
        stop: the stop rule, asked after the evaluator.
        context: type of the LangGraph context; `Services`, or one that makes them (see `graph/studio.py`).
    """
    names, last = list(ring), last_steps(ring)
    after = dict(zip(names, [*names[1:], names[0]], strict=True)) | dict(zip(last, [*list(last)[1:], END], strict=True))
    allowed = frozenset(key for agent in ring.values() for key in _schema(agent).__annotations__)
    builder = StateGraph(State, context_schema=context)
    for name, agent in {**ring, **last}.items():
        step = Step(name, agent, after, next(iter(last)), stop if name == "evaluator" else None, allowed, context)
        ends = (step.end,) if step.stop else ()
        builder.add_node(name, step.run, input_schema=_schema(agent), destinations=(after[name], *ends))
    builder.add_edge(START, names[0])
    return builder


def _schema(agent: Agent) -> Any:
    return getattr(agent, "state_schema", State)


@dataclasses.dataclass(frozen=True)
class Step:
    """One node: the agent, who comes after it, and what every step has in common."""

    name: str
    agent: Agent
    after: Mapping[str, str]
    end: str
    """The first step after the loop."""
    stop: Stopping | None
    allowed: frozenset[str]
    """Keys that a step may change."""
    context: type

    def run(self, state: State, *, runtime: Runtime[Any]) -> Command[Any]:
        """Do the step, book its time, and say where the run goes on."""
        state = State(**{**initial_state(), **state})  # Studio starts with what its user typed, or nothing
        given = runtime.context or self.context()
        services = given if isinstance(given, Services) else given.services()

        def progress(what: str, done: int, total: int) -> None:
            runtime.stream_writer(
                {"step": self.name, "cycle": state["cycle"], "what": what, "done": done, "total": total},
            )

        progress("", 0, 0)
        started = time.monotonic()
        try:
            update, goto = self._ask(state, dataclasses.replace(services, progress=progress))
        except BudgetExhausted as limit:
            update, goto = State(stop=str(limit), unfinished=self.name), self.end
        if "seconds" not in update and self.name not in LAST:  # the evaluator closes the account of its cycle itself
            update["seconds"] = {**state["seconds"], self.name: round(time.monotonic() - started, 2)}
        history = [*state["history"], *update.get("history", [])]
        after = State(**{**state, **update, "history": history})
        if self.stop is not None and (why := self.stop(after)):
            update["stop"], goto = why, self.end
        update["ties"] = ties(services, after)
        note_rows(services.folder)
        return Command(update=update, goto=goto)

    def _ask(self, state: State, services: Services) -> tuple[State, str]:
        """What the agent changes, and the step after it.

        Raises:
            BudgetExhausted, GraphBubbleUp: as they are: the limit, or a question to the person.
            ConfigError: as it is, with the step named.
            StepError: anything else, with the step named and the cause kept.
        """
        where = f"step {self.name!r} of cycle {state['cycle']}"
        try:
            said = _result(self.agent(state, services))
        except (BudgetExhausted, GraphBubbleUp):
            raise
        except ConfigError as cause:
            raise ConfigError(f"{where}: {cause}") from cause
        except EvoKDError as cause:
            raise StepError(f"{where}: {cause}") from cause
        except Exception as cause:
            raise StepError(f"{where} failed: {type(cause).__name__}: {cause}") from cause
        return self._checked(said, where)

    def _checked(self, said: Any, where: str) -> tuple[State, str]:
        """The change and the next step in what an agent returned: nothing, a change, or a `Command` with both."""
        goto: Any = self.after[self.name]
        if isinstance(said, Command):
            goto, said = said.goto or goto, said.update
        update = said or {}
        if not isinstance(update, dict):
            raise StepError(f"{where} returned {update!r:.80}, which is not a State of what changed.")
        if unknown := [key for key in update if key not in self.allowed]:
            raise StepError(
                f"{where} returned {unknown[0]!r}, which the state does not have. Allowed: "
                f"{', '.join(sorted(self.allowed))}. A role adds keys of its own by `state_schema`."
            )
        if not isinstance(goto, str) or goto not in {*self.after, END}:
            raise StepError(f"{where} sends the run to {goto!r}. The steps are {', '.join(self.after)}.")
        try:
            check_stats(update.get("stats", {}))
        except ValueError as error:
            raise StepError(f"{where}: {error}") from None
        return State(**update), goto  # type: ignore[typeddict-item]


def _result(said: Any) -> Any:
    """What an agent returned; an async one is run to its end in a thread, as a loop may be running in this one."""
    if not inspect.isawaitable(said):
        return said

    async def wait() -> Any:
        return await said

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, wait()).result()
