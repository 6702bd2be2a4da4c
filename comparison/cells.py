"""The folders of a comparison: one run folder for every cell, made before anything is asked, and what says its end.

comparison.json     says that EvoKD made the folder; the list of cells, for the report
cells/NAME/         an ordinary run folder
gold/TASK.jsonl     texts of the pool with their true labels, where the user gave them; no run looks there
answers.sqlite      the answers that all cells share; on a Ray cluster one file for every node
in-use              lock: one process at a time
"""

import hashlib
import json
import random
import shlex
import tempfile
from pathlib import Path
from typing import Any

from ..graph.config.edits import first_difference, shown
from ..graph.config.run_config import RunConfig
from ..graph.setup.create import create, plain, settings_of, with_recipe
from ..graph.setup.services import make_task
from ..memory.marker import comparison_marker
from ..memory.run_folder import RunFolder
from ..tasks.base import Example
from ..tasks.data.reading import read_examples
from ..tasks.errors import ConfigError
from ..tasks.task import Task
from .spec import Cell, ComparisonSpec, Shots, anchored


def prepare(spec: ComparisonSpec, root: Path) -> None:
    """Make the run folder of every cell, with all data checked.

    Raises:
        ConfigError: data cannot be used, a cell was made with other settings, or the folder is not EvoKD's.
    """
    comparison_marker(root).claim()
    with tempfile.TemporaryDirectory() as place:
        for cell in spec.cells:
            folder = folder_of(cell, root)
            if (folder.root / "config.toml").exists():
                _refuse_other_settings(folder, cell.config)
                _refuse_other_data(folder, _as_it_is_now(cell, Path(place)))
            else:
                _create(cell, folder)
    _copy_gold(spec, root)
    cells = [
        {"name": c.name, "task": c.task, "variant": c.variant, "shots": str(c.shots), "seed": c.config.seed}
        for c in spec.cells
    ]
    comparison_marker(root).note(name=spec.settings.name, baseline=spec.baseline, cells=cells)


def folder_of(cell: Cell, root: Path) -> RunFolder:
    """The run folder of a cell."""
    return RunFolder(root / "cells" / cell.name)


def made(root: Path) -> list[str]:
    """Names of the cells that have a folder, those that the file no longer asks for too."""
    return [path.parent.name for path in root.glob("cells/*/config.toml")]


def outcome(folder: RunFolder) -> dict[str, Any]:
    """How a cell ended the last time: `how` and `why`; empty where it never ended by itself."""
    path = folder.root / "outcome.json"
    return dict(folder.read_json(path)) if path.exists() else {}


def is_finished(folder: RunFolder) -> bool:
    """Whether a cell need not be run again: it came to its own end, and the test set was scored."""
    return outcome(folder).get("how") == "finished" and (folder.root / "result.json").exists()


def _create(cell: Cell, folder: RunFolder) -> None:
    def choose(seeds: list[Example], task: Task) -> list[Example]:
        return draw(seeds, task, cell.shots, cell.config.seed)

    try:
        create(cell.config, cell.base, folder, choose)
    except ConfigError as error:
        raise ConfigError(f"task {cell.task}: {error}") from error


def draw(examples: list[Example], task: Task, shots: Shots, seed: int) -> list[Example]:
    """Rows drawn by the seed until every label has `shots`; a row of several labels counts for each.

    The rows of fewer shots are among those of more.

    Raises:
        ConfigError: a label has too few rows.
    """
    if not isinstance(shots, int):
        return examples
    wanted, chosen = dict.fromkeys(task.labels, shots), []
    for example in random.Random(f"shots {seed}").sample(examples, len(examples)):
        found = [name for name in task.names(example.label) if name in wanted]
        if any(wanted[name] > 0 for name in found):
            chosen.append(example)
            wanted |= {name: wanted[name] - 1 for name in found}
    for name, lacking in wanted.items():
        if lacking > 0:
            raise ConfigError(
                f"shots = {shots}: the seeds file has only {shots - lacking} rows of the label {name!r}. Add rows, "
                "name a larger file as `seeds` of the task, or ask for fewer shots."
            )
    return chosen


def _copy_gold(spec: ComparisonSpec, root: Path) -> None:
    for name, entry in spec.settings.tasks.items():
        if entry.gold is not None:
            config = next(cell.config for cell in spec.cells if cell.task == name)
            columns = {"text": config.data.text, "label": config.data.label}
            source = anchored(entry.gold, spec.base)
            gold = read_examples(source, make_task(config.task), "train", **columns, base=spec.base)
            RunFolder(root).write_rows(root / "gold" / f"{name}.jsonl", gold)


def _refuse_other_settings(folder: RunFolder, config: RunConfig) -> None:
    """A finished or half-done cell stands for the settings it was made with."""
    was, now = plain(settings_of(folder)), plain(with_recipe(config, make_task(config.task)))
    if was != now:
        place, before, after = first_difference("", was, now)
        raise ConfigError(
            f"{folder.root} was made with other settings: {place} was {shown(before)}, is now {shown(after)}. "
            f"{_anew(folder)}"
        )


def _as_it_is_now(cell: Cell, place: Path) -> RunFolder:
    """A run folder with the data of a cell as its files have them now; variants with the same data share one."""
    config = cell.config
    key = json.dumps([plain(config).get("data"), config.task.model_dump(mode="json"), str(cell.shots), config.seed])
    folder = RunFolder(place / hashlib.sha256(key.encode()).hexdigest())
    if not folder.root.exists():
        _create(cell, folder)
    return folder


def _refuse_other_data(folder: RunFolder, now: RunFolder) -> None:
    """Cells are compared by the same seeds and the same test texts."""
    for path in sorted((now.root / "data").iterdir()):
        was = folder.root / "data" / path.name
        if not was.exists() or was.read_bytes() != path.read_bytes():
            raise ConfigError(
                f"{folder.root} was made with other data: its {path.stem} rows are no longer those of the file. "
                f"{_anew(folder)}"
            )


def _anew(folder: RunFolder) -> str:
    """What can be done about a cell that is not the one that is asked for."""
    return f"Give the comparison another name, or make the cell anew with: rm -r {shlex.quote(str(folder.root))}"
