"""Waiting for a batch: with a look now and then, within patience and budget, and ready to stop."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from openai.types import Batch

from tasks.errors import BudgetExhausted, Interrupted
from teacher.base import Progress, TeacherDown
from teacher.batches.api import BatchApi
from teacher.batches.pending import Pending
from teacher.budget import Budget
from teacher.pace import Clock
from teacher.settings import BatchSettings

log = logging.getLogger(__name__)

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})

MOST_TROUBLES = 10
"""Looks in a row that may fail: a server that is away for a while goes on with its batch."""

SLICE = 1.0
"""Seconds between two looks whether the run was asked to stop."""


@dataclass(frozen=True)
class Waiting:
    """How batches are waited for."""

    budget: Budget
    settings: BatchSettings
    clock: Clock
    halted: Callable[[], bool]
    """Whether the run was asked to stop."""

    def for_end(self, api: BatchApi, pending: Pending, progress: Progress | None) -> Batch | None:
        """The batch once it has ended; None where the server does not know it any more.

        Raises:
            BudgetExhausted: `max_minutes` is reached.
            Interrupted: the run was asked to stop.
            TeacherDown: the server cannot be asked for long, or patience ends.
        """
        stays = f"Batch {pending.id} with {len(pending.requests)} prompts stays with the server; resume fetches it."
        until = self.clock.now() + 3600 * self.settings.patience_hours
        troubles = 0
        try:
            while True:
                try:
                    batch, troubles = api.look(pending.id), 0
                    if batch is None or batch.status in ENDED:
                        return batch
                    _show(batch, len(pending.requests), progress)
                except TeacherDown:
                    troubles += 1
                    if troubles > MOST_TROUBLES:
                        raise
                if self.clock.now() >= until:
                    hours = self.settings.patience_hours
                    raise TeacherDown(f"No answer within teacher.batch.patience_hours = {hours:g}. {stays}")
                self._rest(stays)
        except KeyboardInterrupt:
            log.warning("Stopped while a batch was waited for. %s", stays)
            raise

    def _rest(self, stays: str) -> None:
        """Wait until the next look."""
        until, changed = self.clock.now() + self.settings.poll_seconds, threading.Condition()
        while (now := self.clock.now()) < until:
            if self.halted():
                raise Interrupted(f"while a batch was waited for. {stays}")
            try:
                self.budget.check_time()
            except BudgetExhausted as error:
                raise BudgetExhausted(f"{error} {stays}") from None
            with changed:
                self.clock.wait(changed, min(until, now + SLICE))


def _show(batch: Batch, total: int, progress: Progress | None) -> None:
    if progress is not None:
        done = batch.request_counts.completed if batch.request_counts else 0
        progress(max(0, min(done, total)), total)
