"""The order of a run, on one screen.

                seed examples
                     |
     START ----> trainer ----> evaluator --(done?)--> END
                    ^              |
                    |           analyst
                    |              |
                annotator <--- generator

Extra roles stand where `order` puts them. The run ends after the evaluator or not at all: that is the one conditional
edge. Nodes are synchronous; a step that fails is named, and its checkpoint lets the run go on from there.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from ..agents.base import Agent, Services, State
from ..agents.batch_stats import check_stats
from ..tasks.errors import BudgetExhausted, ConfigError, EvoKDError, StepError
from .consistency import ties

Stopping = Callable[[State], str]
"""State after the evaluator -> why the run is over, or an empty string."""

Graph = StateGraph[State, Any, State, State]


def initial_state() -> State:
    """The state of a run that has not begun: cycle 0 trains on the seeds alone."""
    return State(cycle=0, batch_kind="seed", batch=[], lessons=[], stats={}, seconds={}, history=[], stop="")


def build(agents: Mapping[str, Agent], stop: Stopping, context: type = Services) -> Graph:
    """Wire the ring of agents.

    Args:
        agents: role -> agent, in the order of the ring; the run starts with the first.
        stop: the stop rule, asked after the evaluator.
        context: type of the LangGraph context; `Services`, or one that makes them (see `graph/studio.py`).
    """
    builder = StateGraph(State, context_schema=context)
    for name, agent in agents.items():
        builder.add_node(name, _node(name, agent, stop if name == "evaluator" else None, context))
    names = list(agents)
    builder.add_edge(START, names[0])
    for name, after in zip(names, [*names[1:], names[0]], strict=True):
        if name == "evaluator":
            builder.add_conditional_edges(name, _ended, {True: END, False: after})
        else:
            builder.add_edge(name, after)
    return builder


def _ended(state: State) -> bool:
    return bool(state.get("stop"))


def _node(name: str, agent: Agent, stop: Stopping | None, context: type) -> Callable[..., State]:
    def step(state: State, *, runtime: Runtime[Any]) -> State:
        state = State(**{**initial_state(), **state})  # Studio starts with what its user typed, or nothing
        given = runtime.context or context()
        services = given if isinstance(given, Services) else given.services()

        def progress(what: str, done: int, total: int) -> None:
            runtime.stream_writer(
                {"step": name, "cycle": state["cycle"], "what": what, "done": done, "total": total},
            )

        progress("", 0, 0)
        started = time.monotonic()
        update = _done(name, agent, state, dataclasses.replace(services, progress=progress))
        if "seconds" not in update:  # the evaluator closes the account of its cycle itself
            spent = round(time.monotonic() - started, 2)
            update["seconds"] = {**state["seconds"], name: spent}
        if stop is not None:
            history = [*state["history"], *update.get("history", [])]
            update["stop"] = stop(State(**{**state, **update, "history": history}))
        update["ties"] = ties(services, State(**{**state, **update}))
        return update

    step.__name__ = name
    return step


def _done(name: str, agent: Agent, state: State, services: Services) -> State:
    """What a step changed.

    Raises:
        BudgetExhausted: as it is.
        ConfigError: as it is, with the step named.
        StepError: anything else, with the step named and the cause kept.
    """
    where = f"step {name!r} of cycle {state['cycle']}"
    try:
        update = agent(state, services) or State()
    except BudgetExhausted:
        raise
    except ConfigError as cause:
        raise ConfigError(f"{where}: {cause}") from cause
    except EvoKDError as cause:
        raise StepError(f"{where}: {cause}") from cause
    except Exception as cause:
        raise StepError(f"{where} failed: {type(cause).__name__}: {cause}") from cause
    if not isinstance(update, dict):
        raise StepError(f"{where} returned {update!r:.80}, which is not a State of what changed.")
    if unknown := [key for key in update if key not in State.__annotations__]:
        allowed = ", ".join(State.__annotations__)
        raise StepError(f"{where} returned {unknown[0]!r}, which the state does not have. Allowed: {allowed}.")
    try:
        check_stats(update.get("stats", {}))
    except ValueError as error:
        raise StepError(f"{where}: {error}") from None
    return update
