"""From a config to its teacher: ours, a class of the user's own behind ours, or one that does everything itself."""

import logging
from pathlib import Path

from ...tasks.errors import ConfigError
from ...teacher.accounting.budget import Budget
from ...teacher.base import Teacher
from ...teacher.custom import CustomTeacher
from ...teacher.endpoint import KINDS
from ...teacher.factory import open_teacher
from ...teacher.teacher import ChatTeacher
from ..config.extension_points import TEACHER
from ..config.run_config import RunConfig

log = logging.getLogger(__name__)


def custom_teachers(config: RunConfig) -> dict[str, type[CustomTeacher]]:
    """`module:Class` -> the class, of those that answer behind our own teacher.

    Raises:
        ConfigError: one cannot be imported or has neither of both contracts.
    """
    found = {kind: TEACHER.own(kind) for kind in config.teacher.own_kinds}
    whole = [kind for kind, each in found.items() if not issubclass(each, CustomTeacher)]
    if odd := [kind for kind in whole if kind != config.teacher.kind]:
        raise ConfigError(f"teacher.roles: {odd[0]!r} must inherit from evokd.teacher.custom.CustomTeacher.")
    return {kind: each for kind, each in found.items() if kind not in whole}


def answers_by_itself(config: RunConfig) -> bool:
    """Whether the teacher is a class that implements the whole `Teacher` protocol, without EvoKD's accounts."""
    kind = config.teacher.kind or ""
    return bool(kind) and kind not in KINDS and kind not in custom_teachers(config)


def open_chat_teacher(config: RunConfig, budget: Budget, folder: Path, run: str) -> ChatTeacher:
    """Open our teacher over whatever answers; `folder` holds what it writes down. Raises as `open_teacher` does."""
    return open_teacher(config.teacher, budget, folder, run=run, seed=config.seed, own=custom_teachers(config))


def open_run_teacher(config: RunConfig, folder: Path, minutes: float) -> Teacher:
    """Open the teacher of a run.

    Args:
        config: The run's config.
        folder: The run folder.
        minutes: How long the run was at work before, for `budget.max_minutes`.

    Raises:
        ConfigError: a key, weights or a class of the user's own are missing or cannot be used.
    """
    budget = Budget(config.budget, config.teacher, earlier_seconds=60 * minutes)
    if not answers_by_itself(config):
        return open_chat_teacher(config, budget, folder, config.name)
    kind = config.teacher.kind or ""
    log.warning(
        "%s answers by itself: [budget], the ledger and its costs, the answer cache, repetitions and traces are its "
        "own affair. To have EvoKD's, inherit from evokd.teacher.custom.CustomTeacher and write `answer` alone.",
        kind,
    )
    given = (config.teacher, budget, folder)
    teacher: Teacher = TEACHER.build(kind, config.teacher.settings, *given, run=config.name, seed=config.seed)
    return teacher
