"""The parts of a run: task, students, memory and teacher, ours or the user's own, opened for the length of a block."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from ...agents.base import Services
from ...memory.base import Memory
from ...memory.chroma import ChromaMemory
from ...memory.embedder import Embedder
from ...memory.run_folder import RunFolder
from ...student.base import Students
from ...tasks.base import Example
from ...tasks.errors import ConfigError, EvoKDError, StepError
from ...tasks.task import Task
from ...teacher.base import Teacher
from ..config.extension_points import MEMORY, STUDENT, TASK, TASKS
from ..config.run_config import RunConfig
from ..config.sections import StudentSection, TaskSettings
from .own_students import DescribedStudents
from .teachers import open_run_teacher


def make_task(settings: TaskSettings) -> Task:
    """The task object of a config."""
    given = (settings.description, settings.labels, settings.say, settings.noun)
    ours = TASKS.get(settings.kind)
    task: Task = ours(*given) if ours else TASK.build(settings.kind, settings.settings, *given)
    return task


def make_students(config: RunConfig, task: Task) -> Students:
    """The factory of the run's students."""
    return students_of(config.student, tuple(task.labels), task.head)


def make_assistant(config: RunConfig, task: Task) -> Students | None:
    """The factory of the larger student that teaches the last one, where the config names one.

    Raises:
        ConfigError: the students are the user's own, which have no other encoder.
    """
    if config.student.assistant is None:
        return None
    if config.student.kind not in STUDENT.ours:
        raise ConfigError(
            f"student.assistant = {config.student.assistant!r} goes with kind = 'transformer', not with "
            f"{config.student.kind!r}. Take it out, or train your own assistant in a trainer of your own."
        )
    from ...student.transformer import TransformerStudents  # as above

    return TransformerStudents(config.student, tuple(task.labels), task.head).assistant()


def students_of(settings: StudentSection, labels: tuple[str, ...], head: str) -> Students:
    """The factory of students that learn some labels.

    Args:
        settings: whose students, and how they are trained.
        labels: of the task, in order.
        head: the task's; students of the user's own may take it for what they like.
    """
    if settings.kind in STUDENT.ours:
        from ...student.transformer import TransformerStudents  # torch takes its time: not for a student of one's own

        return TransformerStudents(settings, labels, head)
    own: Students = STUDENT.build(settings.kind, settings.settings, settings, labels, head)
    return DescribedStudents(own, settings, labels, head)


def _memory(config: RunConfig, folder: RunFolder) -> Memory:
    given = (folder.root / "memory", Embedder(config.memory.embedder), config.memory)
    if config.memory.kind in MEMORY.ours:
        return ChromaMemory(*given)
    memory: Memory = MEMORY.build(config.memory.kind, config.memory.settings, *given)
    return memory


def _remember_own(memory: Memory, folder: RunFolder) -> None:
    """Put the user's own examples into memory; a second time changes nothing."""
    try:
        for split in ("seed", "dev", "test"):
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
            assistant=make_assistant(config, task),
        )
