"""The graph for LangGraph Studio (`langgraph dev`): the same ring, its services made from a config file.

Studio passes its context as JSON and brings its own checkpointer, so the context names a config, and the services are
opened at the first step and shared by the following ones. The picture is fixed when the server starts: roles and stop
rule are those of the config in `EVOKD_CONFIG`, or of the demo.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..agents.base import Services
from ..tasks.errors import ConfigError
from ..teacher.transport.keys import take_keys
from .build import build
from .config.run_config import agents, load, stop_rule
from .run import run_folder
from .setup.create import create, read_config
from .setup.services import open_services

take_keys(Path.cwd() / ".env")  # as the command line does

CONFIG = Path(os.environ.get("EVOKD_CONFIG") or Path(__file__).resolve().parent.parent / "configs" / "demo.toml")

_open_runs = ExitStack()
"""Keeps what was opened open until the server ends."""


@dataclass(frozen=True)
class StudioContext:
    """What is typed into Studio's context form."""

    config: str = str(CONFIG)
    """Path of a TOML config with the roles and the stop rule of the graph that was loaded."""
    run: str = "studio"
    """Name of the run folder under `runs/`."""

    def services(self) -> Services:
        """The services of this run, opened once per process."""
        return _open(self.config, self.run)


@lru_cache
def _open(config: str, run: str) -> Services:
    asked = load(Path(config), {"name": run}, trusted=False)
    if (asked.order, asked.agents, asked.stop) != (_config.order, _config.agents, _config.stop):
        raise ConfigError(
            f"{config} has other roles or another stop rule than the graph on the screen, which is that of {CONFIG}. "
            f"Start the server with EVOKD_CONFIG={config}."
        )
    folder = run_folder(run, Path("runs"))
    if not (folder.root / "config.toml").exists():
        create(asked, Path(config).resolve().parent, folder)
    return _open_runs.enter_context(open_services(read_config(folder), folder))


_config = load(CONFIG)
graph = build(agents(_config), stop_rule(_config), StudioContext).compile(name="evokd")
