"""A baseline from its ready config, run to the end on fakes."""

from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from evokd.agents.base import Services
from evokd.graph.build import build, initial_state
from evokd.graph.config.run_config import RunConfig, agents, load, stop_rule
from tests.parts import ROOT


def ready(name: str, **changes: Any) -> RunConfig:
    """The config of a baseline with batches of a size for tests."""
    file = ROOT / "benchmarks" / "baselines" / f"{name}.toml"
    return load(file, {"agents.generator.backbone": 40, "agents.trainer.last_members": 2, **changes})


def run(services: Services, config: RunConfig) -> dict[str, Any]:
    """The state after the loop and the last training."""
    ring = agents(config)
    graph = build(ring, stop_rule(config)).compile(checkpointer=InMemorySaver())
    settings: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 50}
    return dict(graph.invoke(initial_state(), settings, context=services, durability="sync"))


def last_student(folder: Path) -> str:
    """What the best student of a run has learnt, as text."""
    return (folder / "best" / "model.json").read_text()
