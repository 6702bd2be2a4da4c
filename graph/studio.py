"""The graph for LangGraph Studio (`langgraph dev`): the same ring, its services made from a config file.

Studio passes its context as JSON and brings its own checkpointer, so the context names a config, and the services are
opened at the first step and shared by the following ones.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agents.base import Services
from graph.build import build
from graph.config import agents, load, stop_rule
from graph.run import run_folder
from graph.services import create, open_services, read_config

CONFIG = Path(__file__).resolve().parent.parent / "configs" / "demo.toml"


@dataclass(frozen=True)
class StudioContext:
    """What is typed into Studio's context form."""

    config: str = str(CONFIG)
    """Path of a TOML config; its roles and stop rule are those of the graph that was loaded."""
    run: str = "studio"
    """Name of the run folder under `runs/`."""

    def services(self) -> Services:
        """The services of this run, opened once per process."""
        return _open(self.config, self.run)


@lru_cache(maxsize=4)
def _open(config: str, run: str) -> Services:
    folder = run_folder(run, Path("runs"))
    if not (folder.root / "config.toml").exists():
        create(load(Path(config), {"name": run}), Path(config).resolve().parent, folder)
    return open_services(read_config(folder), folder)


_config = load(CONFIG)
graph = build(agents(_config), stop_rule(_config), StudioContext).compile(name="evokd")
