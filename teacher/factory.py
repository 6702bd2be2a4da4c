"""The door of this folder: settings in, teacher out. LangChain is imported only when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from .accounting.budget import Budget
from .settings import TeacherSettings

if TYPE_CHECKING:
    from .custom import CustomTeacher
    from .teacher import ChatTeacher
    from .transport.rate_limiter import Clock

NONE: Mapping[str, type[CustomTeacher]] = MappingProxyType({})


def open_teacher(
    settings: TeacherSettings,
    budget: Budget,
    folder: Path,
    *,
    run: str,
    seed: int,
    clock: Clock | None = None,
    own: Mapping[str, type[CustomTeacher]] = NONE,
) -> ChatTeacher:
    """Open the teacher of a run, with everything the run has already paid for.

    Args:
        settings: `[teacher]`.
        budget: Brought up to date from the ledger here.
        folder: The run folder, for `ledger.jsonl`, `transcripts.jsonl` and `answers.sqlite`.
        run: Name of the run, for traces.
        seed: Of the run; part of every request's seed.
        clock: For the pace of calls; a test brings its own.
        own: `module:Class` -> the class, for each that the settings name.

    Raises:
        ConfigError: a key, a runtime, weights or a readable cache are missing.
    """
    from .accounting.cache import AnswerCache
    from .accounting.ledger import Ledger
    from .accounting.reuse import Answers
    from .calls import Calls
    from .routing import Routing
    from .teacher import ChatTeacher
    from .tracing import redact_traces

    roles = Routing(settings, budget.permits, clock, own)
    redact_traces(settings.redact, roles.keys)
    shared = AnswerCache(Path(settings.cache)) if settings.cache and settings.use_cache else None
    answers = Answers(AnswerCache(folder / "answers.sqlite"), shared, settings.use_cache)
    calls = Calls(answers, Ledger(folder), budget)
    return ChatTeacher(roles, calls, run, seed)
