"""The door of this folder: settings in, teacher out. LangChain is imported only when it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from teacher.budget import Budget
from teacher.settings import TeacherSettings

if TYPE_CHECKING:
    from teacher.chat import ChatTeacher


def open_teacher(
    settings: TeacherSettings, budget: Budget, folder: Path, *, run: str, seed: int, cache: Path | None = None
) -> ChatTeacher:
    """Open the teacher of a run, with everything the run has already paid for.

    Args:
        settings: `[teacher]`.
        budget: Brought up to date from the ledger here.
        folder: The run folder, for `ledger.jsonl`, `transcripts.jsonl` and, unless `cache` is given, `answers.sqlite`.
        run: Name of the run, for traces.
        seed: Of the run; part of every request's seed.
        cache: An answer cache to share with other runs.

    Raises:
        ConfigError: a key, a runtime, weights or a readable cache are missing.
    """
    from teacher.cache import AnswerCache
    from teacher.calls import Calls
    from teacher.chat import ChatTeacher
    from teacher.ledger import Ledger
    from teacher.roles import Roles

    roles = Roles(settings)
    calls = Calls(AnswerCache(cache or folder / "answers.sqlite"), Ledger(folder), budget)
    return ChatTeacher(roles, calls, run, seed)
