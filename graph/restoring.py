"""What is read of a run before it goes on, and what of it can be made again from what is there."""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Mapping
from typing import Any

from ..agents.base import Services
from ..agents.evaluator.export import export_samples
from ..memory.run_folder import RunFolder
from ..tasks.errors import ConfigError, StepError
from .build import build
from .checkpoints import FILE, open_checkpoints, thread_of
from .config.run_config import RunConfig, agents, stop_rule
from .consistency import digests, is_told_right


def saved(config: RunConfig, folder: RunFolder) -> tuple[Mapping[str, Any], str]:
    """The state a run would go on with, and the role that may have been at work; empty where there is none.

    Raises:
        ConfigError: the checkpoints are damaged.
        StepError: the disk is full, another process holds the file, or the server cannot be reached.
    """
    path = folder.root / FILE
    if config.checkpoints is None and not (path.is_file() and path.stat().st_size):
        return {}, ""
    try:
        with open_checkpoints(folder.root, config.checkpoints) as saver:
            graph = build(agents(config), stop_rule(config)).compile(checkpointer=saver)
            now = graph.get_state({"configurable": {"thread_id": thread_of(saver, config.name, folder.root)}})
    except sqlite3.OperationalError as error:
        raise StepError(f"the checkpoint in {folder.root} cannot be read or written: {error}") from error
    except sqlite3.DatabaseError as error:
        raise ConfigError(
            f"the checkpoint in {folder.root} cannot be read: {error}. Put checkpoints.sqlite back from a copy of the "
            "run, or start anew: `evokd run CONFIG --name NEW`."
        ) from error
    return now.values, now.next[0] if now.next else ""


def restore(services: Services, state: Mapping[str, Any]) -> bool:
    """Write again what state and memory hold and a file does not say, and forget what the end has to make again.

    Returns:
        Whether all that the end of a run makes is there.
    """
    folder = services.folder
    if not is_told_right(folder, state):
        folder.write_rows(folder.root / "metrics.jsonl", [dict(row) for row in state["history"]])
        folder.write_rows(folder.root / "lessons.jsonl", services.memory.lessons())
        export_samples(services)
    made = _made(folder)
    there = digests(folder.root, made)
    lost = [name for name, digest in made.items() if there.get(name) != digest]
    for name in lost:
        if name.startswith("students/final-"):
            shutil.rmtree(folder.root / "students" / name.split("/")[1], ignore_errors=True)
        (folder.root / "result.json").unlink(missing_ok=True)
    best = folder.best
    if state.get("champion") and not (best and best.parent == (folder.root / "students").resolve()):
        folder.crown(state["champion"])
    return bool(made) and not lost


def note_end(folder: RunFolder) -> None:
    """Remember what the end made, so that what is lost or damaged of it is made again."""
    best = [f"students/{folder.best.name}/*"] if folder.best else []
    made = digests(folder.root, ("result.json", "scored.jsonl", *best))
    if _made(folder) != made:
        folder.write_json(folder.root / "end.json", made)


def check_made(folder: RunFolder, name: str) -> None:
    """Refuse a file that the end of the run made and that is not what it was.

    Raises:
        ConfigError: it is missing or changed.
    """
    wanted = _made(folder).get(name)
    if wanted is not None and digests(folder.root, (name,)).get(name) != wanted:
        raise ConfigError(
            f"{folder.root / name} is missing or not what the run wrote. `evokd resume {folder.root}` makes it "
            "again, with the last student."
        )


def _made(folder: RunFolder) -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError):  # it says nothing that could not be made again
        found = json.loads((folder.root / "end.json").read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in found.items()} if isinstance(found, dict) else {}
    return {}
