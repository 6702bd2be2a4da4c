"""A run folder is made, with all data checked; its `config.toml` is written and read: whole, and without secrets."""

import json
import random
import shlex
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import tomli_w

from ...agents.annotator.agent import Annotator
from ...agents.guidelines import parse_valid_guidelines
from ...memory.marker import run_marker
from ...memory.run_folder import RunFolder, json_lines
from ...tasks.base import Example, Split, bare
from ...tasks.data.reading import check_apart, check_seeds, read_examples, read_texts
from ...tasks.errors import ConfigError, StepError
from ...tasks.guidelines import Guidelines
from ...tasks.task import Task
from ..config.edits import fixed, refuse_edits
from ..config.extension_points import STUDENT
from ..config.parts import flags
from ..config.run_config import RunConfig, agents, own_parts, parsed, read_toml, validate
from .data_checks import warn_of_cut_texts, warn_of_split_entities, warn_of_unknown_script
from .first_files import check_free, is_trained, start, write_first
from .services import make_assistant, make_task
from .versions import versions


def create(
    config: RunConfig,
    base: Path,
    folder: RunFolder,
    choose: Callable[[list[Example], Task], list[Example]] = lambda seeds, task: seeds,
    *,
    keep: bool = False,
) -> RunConfig:
    """Read and check all data, then make the run folder: from here on the run needs no file outside it.

    Args:
        config: the checked config.
        base: the folder that relative data paths start from.
        folder: where the run will live, new or empty. A run that is there but never finished training a student (a
            missing key, a model that cannot be loaded) has nothing to lose and is replaced.
        choose: which of the seeds the run is given, for a comparison over shots.
        keep: whether this process goes on with `drive`; until then no other can make a run here.

    Returns:
        The config as the folder has it.

    Raises:
        ConfigError: the folder is taken or not EvoKD's, a row of the data cannot be used, or the student's encoder is
            not there; nothing is written then.
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
    config = with_recipe(config, task)
    _check_assistant(config, task)
    files = {f"data/{split}.jsonl": json_lines(examples) for split, examples in splits.items()}
    files["data/pool.jsonl"] = json_lines({"text": text} for text in pool)
    if guidelines is not None:
        files["guidelines.toml"] = guidelines.toml()
    files["versions.json"] = json.dumps(versions(), indent=1)
    try:
        start(folder, {**files, "config.toml": _toml(config)}, began=fixed(config), keep=keep)
    except OSError as error:
        raise StepError(f"the run folder {folder.root} cannot be written: {error.strerror or error}.") from error
    return config


def with_recipe(config: RunConfig, task: Task) -> RunConfig:
    """The config as a run keeps it: how our students are trained, which head and encoder decide, is written out.

    Raises:
        ConfigError: the student's encoder is not there.
    """
    if config.student.kind not in STUDENT.ours:
        return config
    from ...student.transformer import TransformerStudents  # torch takes its time: not for a student of one's own

    students = TransformerStudents(config.student, tuple(task.labels), task.head)
    return config.model_copy(update={"student": students.with_recipe()})


def _check_assistant(config: RunConfig, task: Task) -> None:
    """Load the assistant once: it is needed at the very end, when all is paid for.

    Raises:
        ConfigError: it cannot be used.
    """
    assistant = make_assistant(config, task)
    try:
        if assistant is not None:
            assistant.new(0)
    except ConfigError as error:
        raise ConfigError(f"student.assistant cannot be used as a student: {error}") from error


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
        return parse_valid_guidelines(path.read_text(encoding="utf-8"), source, task)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"data.guidelines = {source!r} cannot be read: {error}.") from error


def write_config(config: RunConfig, folder: RunFolder) -> None:
    """Write `config.toml` of an existing run, whole or not at all."""
    write_first(folder, {"config.toml": _toml(config)})


def _toml(config: RunConfig) -> str:
    return tomli_w.dumps(plain(config))


def plain(config: RunConfig) -> dict[str, Any]:
    """The config as TOML can say it, which has no null.

    Of a role's model only what was set is written: all else it takes from `[teacher]`.
    """
    dumped = config.model_dump(mode="json")
    roles = config.teacher.roles.items()
    dumped["teacher"]["roles"] = {name: own.model_dump(mode="json", exclude_unset=True) for name, own in roles}
    said: dict[str, Any] = _without_nulls(dumped)
    return said


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def read_config(folder: RunFolder) -> RunConfig:
    """The config of an existing run, as it was when the run was made: presets and defaults are not applied again.

    Raises:
        ConfigError: there is none that EvoKD made, it has a mistake, it names parts that the user has not allowed, or
            what may not change (`graph.config.edits`) was changed.
    """
    config = validate(*_config_of(folder), is_whole=True)
    check_unchanged(config, folder)
    return config


def settings_of(folder: RunFolder) -> RunConfig:
    """The same, with no look at the parts of the user's own that it names: they are neither imported nor refused."""
    return parsed(*_config_of(folder), is_whole=True)


def check_unchanged(config: RunConfig, folder: RunFolder) -> None:
    """Refuse a config of a run in which something was changed that may not change."""
    began = run_marker(folder.root).read().get("began")
    refuse_edits(began, config, str(folder.root / "config.toml"), is_trained(folder))


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
    config = validate(plain(config), str(folder.root / "config.toml"), is_whole=True)
    write_config(config, folder)
    return config
