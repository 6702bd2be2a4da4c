"""From a config to the parts of a run: its folder, its data, and the services the agents use."""

import json
import random
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import combinations
from pathlib import Path

import tomli_w

from ...agents.annotator.agent import Annotator
from ...agents.base import Services
from ...agents.guidelines import checked
from ...memory.base import Memory
from ...memory.chroma import ChromaMemory
from ...memory.embedder import Embedder
from ...memory.marker import run_marker
from ...memory.run_folder import RunFolder, json_lines
from ...student.base import Students
from ...tasks.base import Example, Split, bare
from ...tasks.data.reading import check_apart, check_seeds, read_examples, read_texts
from ...tasks.errors import ConfigError, EvoKDError, StepError
from ...tasks.guidelines import Guidelines
from ...tasks.task import Task
from ...teacher.base import Teacher
from ..config.parts import flags, made
from ..config.run_config import (
    TASKS,
    RunConfig,
    TaskSettings,
    agents,
    own_parts,
    parsed,
    read_toml,
    stop_rule,
    validate,
)
from .data_checks import warn_of_cut_texts, warn_of_split_entities, warn_of_unknown_script
from .first_files import check_free, start, write_first
from .teachers import open_run_teacher


def make_task(settings: TaskSettings) -> Task:
    """The task object of a config."""
    given = (settings.description, settings.labels, settings.say, settings.noun)
    ours = TASKS.get(settings.kind)
    task: Task = ours(*given) if ours else made(settings.kind, "task.kind", Task, *given)
    return task


def make_students(config: RunConfig, task: Task) -> Students:
    """The factory of the run's students."""
    given = (config.student, tuple(task.labels), task.head)
    if ":" not in config.student.kind:
        from ...student.transformer import TransformerStudents  # torch takes its time: not for a student of one's own

        return TransformerStudents(*given)
    students: Students = made(config.student.kind, "student.kind", Students, *given)
    return students


def _memory(config: RunConfig, folder: RunFolder) -> Memory:
    given = (folder.root / "memory", Embedder(config.memory.embedder), config.memory)
    if ":" not in config.memory.kind:
        return ChromaMemory(*given)
    memory: Memory = made(config.memory.kind, "memory.kind", Memory, *given)
    return memory


def create(
    config: RunConfig,
    base: Path,
    folder: RunFolder,
    choose: Callable[[list[Example], Task], list[Example]] = lambda seeds, task: seeds,
) -> None:
    """Read and check all data, then make the run folder: from here on the run needs no file outside it.

    Args:
        config: the checked config.
        base: the folder that relative data paths start from.
        folder: where the run will live, new or empty. A run that is there but never finished training a student (a
            missing key, a model that cannot be loaded) has nothing to lose and is replaced.
        choose: which of the seeds the run is given, for a comparison over shots.

    Raises:
        ConfigError: the folder is taken or not EvoKD's, or a row of the data cannot be used; nothing is written then.
        StepError: the folder cannot be written.
    """
    check_free(folder)
    task, data = make_task(config.task), config.data
    sources: dict[Split, str | None] = {"seed": data.seeds, "dev": data.dev, "test": data.test}
    guidelines = _own_guidelines(data.guidelines, task, base)
    splits = {
        split: read_examples(source, task, split, text=data.text, label=data.label, base=base)
        for split, source in sources.items()
        if source is not None
    }
    splits["seed"] = choose(splits["seed"], task)
    check_seeds(splits["seed"], task)
    for one, other in combinations(splits.values(), 2):
        check_apart(one, other)
    _check_annotator(config, task)
    own = {bare(example.text) for examples in splits.values() for example in examples}
    texts = read_texts(data.pool, task, text=data.text, base=base) if data.pool else []
    pool = [text for text in texts if bare(text) not in own]  # a held-out text must not come back as unlabelled
    random.Random(config.seed).shuffle(pool)  # files are often sorted by class or date, and its first texts are shown
    shown = [*(seed.text for seed in splits["seed"]), *pool[:1000]]
    warn_of_cut_texts(config, task, shown)
    warn_of_split_entities(task, [example for examples in splits.values() for example in examples])
    warn_of_unknown_script(config, shown[:200])
    files = {f"data/{split}.jsonl": json_lines(examples) for split, examples in splits.items()}
    files["data/pool.jsonl"] = json_lines({"text": text} for text in pool)
    if guidelines is not None:
        files["guidelines.toml"] = guidelines.toml()
    try:
        start(folder, {**files, "config.toml": _toml(config)})
    except OSError as error:
        raise StepError(f"the run folder {folder.root} cannot be written: {error.strerror or error}.") from error


def _check_annotator(config: RunConfig, task: Task) -> None:
    """Refuse what our annotator could not do with this task."""
    annotator = agents(config)["annotator"]
    if isinstance(annotator, Annotator) and annotator.method == "logprobs" and task.choices() is None:
        raise ConfigError(f"agents.annotator.method = 'logprobs' needs a closed list of answers; {task.kind} has none.")


def _own_guidelines(source: str | None, task: Task, base: Path) -> Guidelines | None:
    """The user's own guidelines, each example's answer read as the teacher's would be.

    Raises:
        ConfigError: the file cannot be read, or an answer does not fit its text.
    """
    if source is None:
        return None
    path = base / Path(source).expanduser()
    try:
        return checked(path.read_text(encoding="utf-8"), source, task)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"data.guidelines = {source!r} cannot be read: {error}.") from error


def write_config(config: RunConfig, folder: RunFolder) -> None:
    """Write `config.toml` of an existing run, whole or not at all."""
    write_first(folder, {"config.toml": _toml(config)})


def _toml(config: RunConfig) -> str:
    return tomli_w.dumps(plain(config))


def plain(config: RunConfig) -> dict[str, object]:
    """The config as TOML can say it: TOML has no null."""
    dumped: dict[str, object] = config.model_dump(mode="json", exclude_none=True)
    return dumped


def read_config(folder: RunFolder) -> RunConfig:
    """The config of an existing run.

    Raises:
        ConfigError: there is none that EvoKD made, it has a mistake, or it names parts that the user has not allowed.
    """
    return validate(*_config_of(folder))


def settings_of(folder: RunFolder) -> RunConfig:
    """The same, with no look at the parts of the user's own that it names: they are neither imported nor refused."""
    return parsed(*_config_of(folder))


def _config_of(folder: RunFolder) -> tuple[dict[str, object], str]:
    run_marker(folder.root).read()
    path = folder.root / "config.toml"
    if not path.exists():
        raise ConfigError(f"{folder.root} holds no run (no config.toml). `evokd run CONFIG` starts one.")
    return read_toml(path), str(path)


def resuming(config: RunConfig, folder: RunFolder) -> str:
    """The command that goes on with a run and allows the parts of the user's own that it needs."""
    return shlex.join(["evokd", "resume", str(folder.root), *flags(own_parts(config))])


def ask_anew(folder: RunFolder) -> RunConfig:
    """Turn the answer cache of a run off, from now on; returns the config as it is then."""
    config = read_config(folder)
    config = config.model_copy(update={"teacher": config.teacher.model_copy(update={"use_cache": False})})
    write_config(config, folder)
    return config


def with_cycles(folder: RunFolder, cycles: int) -> RunConfig:
    """Let a run have `cycles` cycles in all; returns the config as it is then.

    Raises:
        ConfigError: its stop rule knows no cycles.
    """
    config = read_config(folder)
    config = config.model_copy(update={"stop": {**config.stop, "cycles": cycles}})
    stop_rule(config)  # refuses what it cannot take
    write_config(config, folder)
    return config


def _remember_own(memory: Memory, folder: RunFolder) -> None:
    """Put the user's own examples into memory; a second time changes nothing."""
    try:
        for split in ("seed", "dev"):
            memory.remember(examples=folder.read_rows(folder.root / "data" / f"{split}.jsonl", Example))
    except EvoKDError:
        raise
    except Exception as error:  # what a memory raises over a full disk is its own affair
        raise StepError(f"the memory of {folder.root} cannot be written: {type(error).__name__}: {error}") from error


@contextmanager
def open_services(
    config: RunConfig,
    folder: RunFolder,
    minutes: float = 0.0,
    teacher: Teacher | None = None,
    check: Callable[[Memory], None] = lambda memory: None,
) -> Iterator[Services]:
    """The parts of a run for the length of a block; memory and teacher are closed at its end, whatever happens.

    Args:
        config: the run's config.
        folder: the run folder.
        minutes: how long the run was at work before, for `budget.max_minutes`.
        teacher: in place of the one that the config names.
        check: refuses a memory that is not that of the run, before anything is written to it.

    Raises:
        ConfigError: a key, weights or a part are missing, or another process is at work in this folder.
    """
    task = make_task(config.task)
    pool = (folder.root / "data" / "pool.jsonl").read_text(encoding="utf-8").split("\n")
    with ExitStack() as open_parts:
        memory = open_parts.enter_context(closing(_memory(config, folder)))  # first: it refuses a second process
        check(memory)
        teacher = open_parts.enter_context(closing(teacher or open_run_teacher(config, folder.root, minutes)))
        _remember_own(memory, folder)
        yield Services(
            task=task,
            memory=memory,
            students=make_students(config, task),
            teacher=teacher,
            folder=folder,
            seed=config.seed,
            pool=tuple(json.loads(line)["text"] for line in pool if line),
        )
