"""The door of this folder: settings in, teacher out. LangChain is imported only when it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .accounting.budget import Budget
from .settings import TeacherSettings

if TYPE_CHECKING:
    from .teacher import ChatTeacher
    from .transport.rate_limiter import Clock


def open_teacher(
    settings: TeacherSettings,
    budget: Budget,
    folder: Path,
    *,
    run: str,
    seed: int,
    clock: Clock | None = None,
) -> ChatTeacher:
    """Open the teacher of a run, with everything the run has already paid for.

    Args:
        settings: `[teacher]`.
        budget: Brought up to date from the ledger here.
        folder: The run folder, for `ledger.jsonl`, `transcripts.jsonl` and `answers.sqlite`.
        run: Name of the run, for traces.
        seed: Of the run; part of every request's seed.
        clock: For the pace of calls; a test brings its own.

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

    roles = Routing(settings, budget.permits, clock)
    redact_traces(settings.redact, roles.keys)
    shared = AnswerCache(Path(settings.cache)) if settings.cache and settings.use_cache else None
    answers = Answers(AnswerCache(folder / "answers.sqlite"), shared, settings.use_cache)
    calls = Calls(answers, Ledger(folder), budget)
    return ChatTeacher(roles, calls, run, seed)
