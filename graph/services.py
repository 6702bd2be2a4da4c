"""From a config to the parts of a run: its folder, its data, and the services the agents use."""

import json
import tomllib
from itertools import combinations
from pathlib import Path

import tomli_w

from agents.base import Services
from agents.folder import RunFolder, write_text
from graph.config import RunConfig, resolve, validate
from memory.chroma import ChromaMemory
from memory.embedder import Embedder
from student.transformer import TransformerStudents
from tasks.base import Example, Split, Task
from tasks.classification import Classification
from tasks.errors import ConfigError
from tasks.reading import check_apart, check_seeds, read_examples, read_texts
from teacher.budget import Budget
from teacher.open import open_teacher


def make_task(config: RunConfig) -> Task:
    """The task object of a config."""
    settings = config.task
    if settings.kind == "classification":
        return Classification(settings.description, settings.labels, settings.say, settings.noun)
    if ":" not in settings.kind:
        raise ConfigError.unknown("task.kind", settings.kind, ["classification", "module:Class"])
    task = resolve(settings.kind)(settings.description, settings.labels, settings.say, settings.noun)
    if not isinstance(task, Task):
        raise ConfigError(f"task.kind = {settings.kind!r} lacks a method of the Task protocol (tasks/base.py).")
    return task


def create(config: RunConfig, base: Path, folder: RunFolder) -> None:
    """Read and check all data, then make the run folder: from here on the run needs no file outside it.

    Args:
        config: the checked config.
        base: the folder that relative data paths start from.
        folder: where the run will live; must not hold a run yet.

    Raises:
        ConfigError: the folder is taken, or a row of the data cannot be used; nothing is written then.
    """
    if (folder.root / "config.toml").exists():
        raise ConfigError(
            f"{folder.root} already holds a run. `evokd resume {folder.root}` goes on with it; "
            "another `name` starts anew."
        )
    task, data = make_task(config), config.data
    sources: dict[Split, str | None] = {"seed": data.seeds, "dev": data.dev, "test": data.test}
    splits = {
        split: read_examples(source, task, split, text=data.text, label=data.label, base=base)
        for split, source in sources.items()
        if source is not None
    }
    check_seeds(splits["seed"], task)
    for one, other in combinations(splits.values(), 2):
        check_apart(one, other)
    pool = read_texts(data.pool, text=data.text, base=base) if data.pool else []
    for split, examples in splits.items():
        folder.write_rows(folder.root / "data" / f"{split}.jsonl", examples)
    folder.write_rows(folder.root / "data" / "pool.jsonl", [{"text": text} for text in pool])
    write_text(folder.root / "config.toml", tomli_w.dumps(_plain(config)))


def _plain(config: RunConfig) -> dict[str, object]:
    """The config as TOML can say it: TOML has no null."""
    dumped: dict[str, object] = config.model_dump(mode="json", exclude_none=True)
    return dumped


def read_config(folder: RunFolder) -> RunConfig:
    """The config of an existing run."""
    path = folder.root / "config.toml"
    if not path.exists():
        raise ConfigError(f"{folder.root} holds no run (no config.toml). `evokd run CONFIG` starts one.")
    return validate(tomllib.loads(path.read_text(encoding="utf-8")), str(path))


def open_services(config: RunConfig, folder: RunFolder, minutes: float = 0.0) -> Services:
    """Open memory, students and teacher of a run; the caller closes memory and teacher.

    Args:
        config: the run's config.
        folder: the run folder.
        minutes: how long the run was at work before, for `budget.max_minutes`.
    """
    task = make_task(config)
    students = TransformerStudents(config.student, tuple(task.labels))
    memory = ChromaMemory(folder.root / "memory", Embedder(config.memory.embedder), config.memory)
    for split in ("seed", "dev"):
        memory.remember(examples=folder.read_rows(folder.root / "data" / f"{split}.jsonl", Example))
    pool = (folder.root / "data" / "pool.jsonl").read_text(encoding="utf-8").splitlines()
    budget = Budget(config.budget, config.teacher, earlier_seconds=60 * minutes)
    teacher = open_teacher(config.teacher, budget, folder.root, run=config.name, seed=config.seed)
    return Services(
        task=task,
        memory=memory,
        students=students,
        teacher=teacher,
        folder=folder,
        seed=config.seed,
        pool=tuple(json.loads(line)["text"] for line in pool),
    )
