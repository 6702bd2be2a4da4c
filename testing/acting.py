"""Running one agent without the graph, always twice over, with all that it leaves behind compared."""

import asyncio
import inspect
import json
from collections.abc import Awaitable
from typing import Any

from ..agents.base import Agent, Services, State
from .fakes import ListMemory


def settled(agent: Agent, state: State, services: Services) -> State:
    """What the agent changes; run again from the same state it must change nothing more in state, memory or files.

    Raises:
        AssertionError: it does. A run that is killed repeats the step it was in, so such a step would count twice.
    """
    first = _done(agent, state, services)
    left = traces(services)
    again = _done(agent, state, services)
    assert timeless(again) == timeless(first), "run again, the step returns something else"
    assert traces(services) == left, "run again, the step leaves something else in files or memory"
    return first


def step(agent: Agent, state: State, services: Services) -> State:
    """The state after the agent, as the graph would merge it."""
    update = settled(agent, state, services)
    history = [*state.get("history", []), *update.get("history", [])]
    return State(**{**state, **update, "history": history})


def traces(services: Services) -> dict[str, Any]:
    """Everything that lies in the run folder and in memory, which must be a `ListMemory`."""
    found: dict[str, Any] = {}
    for path in sorted(services.folder.root.rglob("*")):
        name = path.relative_to(services.folder.root).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = path.read_bytes()
    if "metrics.jsonl" in found:
        found["metrics.jsonl"] = [timeless(json.loads(line)) for line in found["metrics.jsonl"].splitlines()]
    memory = services.memory
    assert isinstance(memory, ListMemory)
    return {**found, "memory": [dict(memory.kept), dict(memory.held_out), dict(memory.cases), dict(memory.told)]}


def timeless(value: Any) -> Any:
    """A value without the seconds in it, which no two runs share."""
    if isinstance(value, dict):
        return {key: timeless(each) for key, each in value.items() if key != "seconds"}
    return [timeless(each) for each in value] if isinstance(value, list) else value


def _done(agent: Agent, state: State, services: Services) -> State:
    update: Any = agent(state, services)
    return (asyncio.run(_awaited(update)) if inspect.isawaitable(update) else update) or State()


async def _awaited(update: Awaitable[Any]) -> Any:
    return await update
