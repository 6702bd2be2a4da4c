"""The one place where a call is repeated, for servers and for providers' packages alike."""

import threading
from collections.abc import Callable
from typing import TypeVar

from .backoff import asked_wait
from .error_classification import OVERLOADED, CallError
from .rate_limiter import RateLimiter, Turn

T = TypeVar("T")

LONGEST_REST = 30.0
"""Seconds between two tries of one call; they begin with one second and grow fourfold, so that a few tries outlast an
outage of most of a minute."""

AFTER_SILENCE = 1
"""Repetitions of a call after no answer in time: each may be billed, and makes a server that is too slow slower."""

Tokens = tuple[int, int]
"""In and out, as the server counted them."""

Permits = Callable[[int, float], bool]
"""(tries of this thread's call that may be billed, seconds to wait) -> whether it may be made then."""


class _Lost(threading.local):
    """Tries of one thread's call that may be billed."""

    lost = 0


class Retries:
    """Keeps the pace of a model, waits out rate limits, repeats what may have been an accident.

    What SDKs do of this by themselves is off: each of their threads waits for itself, sees only `retry-after`, gives up
    a rate limit after a count instead of a time, and cannot be told that another thread has just been refused.
    """

    def __init__(self, limiter: RateLimiter, retries: int, permits: Permits) -> None:
        """Say how patient to be.

        Args:
            limiter: Of the model; shared with other clients that ask it.
            retries: Repetitions of one call after trouble that is no rate limit.
            permits: Asked before every try.
        """
        self.limiter, self._retries, self._permits = limiter, retries, permits
        self._of_thread = _Lost()

    def make(self, once: Callable[[], tuple[T, Tokens | None]], size: int) -> T:
        """Make one call until it is answered, refused for good, or out of tries.

        Args:
            once: Makes one try: the answer and its tokens, if they were counted; raises `CallError`.
            size: Bytes of the request.

        Raises:
            CallError: the last one, with the number of tries; or the budget does not allow another.
        """
        since, tries, silences = self.limiter.clock.now(), 0, 0
        while True:
            with self.limiter.turn(size) as turn:
                self._check()
                try:
                    answer, tokens = once()
                except CallError as error:
                    trouble = error
                else:
                    self.limiter.answered(turn, tokens)
                    return answer
                trouble.alive = self.limiter.answered_since(since)
                self._of_thread.lost += trouble.is_lost
                if self._is_waited_out(trouble, turn, since):
                    continue
            trouble.tries = tries = tries + 1
            silences += trouble.what == "late"
            if not trouble.is_passing or tries > self._retries or silences > AFTER_SILENCE:
                raise trouble
            pause = min(LONGEST_REST, 4.0 ** (tries - 1))
            self._check(pause)
            self.limiter.rest(pause)

    def lost(self) -> int:
        """Tries of this thread, since this was last asked, whose answers never arrived whole: they may be billed."""
        count, self._of_thread.lost = self._of_thread.lost, 0
        return count

    def _is_waited_out(self, trouble: CallError, turn: Turn, since: float) -> bool:
        """Tell the pace of a try that failed; whether it was a rate limit, which no try counts for.

        Raises:
            CallError: the rate limit asks for more patience than there is, or for more time than the budget has.
        """
        wait = asked_wait(trouble.headers, self.limiter.clock.date())
        if trouble.what == "late":
            self.limiter.late(turn)
        elif trouble.status and not trouble.is_passing:
            self.limiter.answered(turn, None)  # a refusal of the request is an answer too, one without tokens
        elif trouble.status in OVERLOADED or (trouble.status == 503 and wait is not None):
            if not self.limiter.refused(turn, wait, since):
                raise trouble
            self._check(self.limiter.closed_for)
            return True
        return False

    def _check(self, wait: float = 0.0) -> None:
        """Give up if the budget does not allow the next try in `wait` seconds; it knows why."""
        if not self._permits(self._of_thread.lost, wait):
            raise CallError("the budget does not allow another try")
