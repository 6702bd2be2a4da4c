"""How fast one model may be asked: calls at once, requests and tokens a minute, and what the server says of them."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LONGEST_BACKOFF = 60.0
"""Seconds between two looks whether a rate limit is over, where the server does not say when; limits are per minute."""


class Clock:
    """Time, and waiting for it; a test brings one that moves by itself."""

    def now(self) -> float:
        """Seconds, monotonic."""
        return time.monotonic()

    def stopwatch(self) -> float:
        """Seconds, monotonic, for how long an answer takes to arrive; apart from `now`, as nobody waits by it."""
        return time.monotonic()

    def date(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def wait(self, changed: threading.Condition, until: float | None) -> None:
        """Wait until a moment or a change, whichever comes first; the condition is held."""
        changed.wait(None if until is None else max(0.0, until - self.now()))

    def jitter(self) -> float:
        """A factor for a wait, so that several processes do not all come back at the same moment."""
        return 1 + 0.25 * random.random()


@dataclass(frozen=True)
class Limits:
    """What the user allows."""

    concurrency: int = 8
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    patience: float = 600.0
    """Seconds a rate limit is waited out without one answer."""


@dataclass
class Turn:
    """One call that is under way."""

    level: int
    """How often the pace had been slowed down when it began."""
    tokens: float


class RateLimiter:
    """Lets calls to one model through, from any thread. Calls that are waiting hold no place.

    Requests and tokens are spread evenly over the minute (the generic cell rate algorithm): no sixty seconds hold more
    than what is allowed, and a start of 32 calls at once does not happen. Concurrency follows AIMD as TCP does: a rate
    limit halves it, every round of calls without one adds one. What one call is told, all others wait for.
    """

    def __init__(self, limits: Limits, clock: Clock | None = None) -> None:
        """Start at full speed."""
        self.limits = limits
        self.clock = clock or Clock()
        self.allowed = limits.concurrency
        """Calls that may be in flight now."""
        self.waits = 0
        """How often a rate limit was met."""
        self._changed = threading.Condition()
        self._in_flight = 0
        self._closed_until = self._next_request = self._next_tokens = self.clock.now()
        self._usual_output = 256.0
        self._fine = 0  # answers since the concurrency last changed
        self._refused = 0  # rate limits since the last answer
        self._slowdowns = 0
        self._answered: float | None = None

    @contextmanager
    def turn(self, size: int) -> Iterator[Turn]:
        """Wait for a place, and hold it.

        Args:
            size: Bytes of the request; four of them are taken for a token until the server has counted.
        """
        turn = Turn(0, size / 4 + self._usual_output)
        with self._changed:
            while (until := self._opens()) is not None:
                self.clock.wait(self._changed, until or None)
            self._in_flight += 1
            turn.level = self._slowdowns
            self._charge(1, turn.tokens)
        try:
            yield turn
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def answered(self, turn: Turn, tokens: tuple[int, int] | None) -> None:
        """A call came back with an answer; `tokens` are input and output as the server counted them."""
        with self._changed:
            self._answered, self._refused, self._fine = self.clock.now(), 0, self._fine + 1
            if tokens is not None:
                self._charge(0, sum(tokens) - turn.tokens)
                self._usual_output += (tokens[1] - self._usual_output) / 8
            if self._fine >= self.allowed and self.allowed < self.limits.concurrency:
                self.allowed, self._fine = self.allowed + 1, 0
            self._changed.notify_all()

    def refused(self, turn: Turn, wait: float | None, since: float) -> bool:
        """A call met a rate limit: slow down.

        Args:
            turn: The call.
            wait: Seconds the server wants us to wait, if it says.
            since: When the call was first made.

        Returns:
            Whether to try again; False where the wait would be longer than `patience`.
        """
        with self._changed:
            now = self.clock.now()
            if self._slowed(turn):
                self.waits, self._refused = self.waits + 1, self._refused + 1
                backoff = min(LONGEST_BACKOFF, 2.0 ** (self._refused - 1)) * self.clock.jitter()
                # the server's word is taken the first time; refused again at once, we wait longer than it says
                pause = wait if wait is not None and self._refused == 1 else max(wait or 0.0, backoff)
                self._closed_until = max(self._closed_until, now + pause)
            elif wait is not None:
                self._closed_until = max(self._closed_until, now + wait)
            patient = self._closed_until - max(since, self._answered or since) <= self.limits.patience
            if not patient:  # whoever waits asks once and is told the same, rather than sleep through all of it
                self._closed_until = now
            self._changed.notify_all()
            return patient

    def late(self, turn: Turn) -> None:
        """A call got no answer in time: so many at once may be more than the server can work on."""
        with self._changed:
            self._slowed(turn)

    @property
    def closed_for(self) -> float:
        """Seconds until the rate limit is over."""
        with self._changed:
            return max(0.0, self._closed_until - self.clock.now())

    def rest(self, seconds: float) -> None:
        """Let one call wait by itself, after trouble that is no rate limit."""
        until = self.clock.now() + seconds * self.clock.jitter()
        with self._changed:
            while self.clock.now() < until:
                self.clock.wait(self._changed, until)

    def answered_since(self, moment: float) -> bool:
        """Whether any call got an answer after a moment: then the trouble is one call's, not the server's."""
        with self._changed:
            return self._answered is not None and self._answered >= moment

    def _slowed(self, turn: Turn) -> bool:
        """Halve the concurrency, unless the call began before that was last done: then it says nothing new."""
        if turn.level != self._slowdowns:
            return False
        self.allowed, self._fine, self._slowdowns = max(1, self.allowed // 2), 0, self._slowdowns + 1
        return True

    def _opens(self) -> float | None:
        """When the next call may start: None for now, 0 for as soon as another comes back."""
        if self._in_flight >= self.allowed:
            return 0
        at = max(self._closed_until, self._next_request, self._next_tokens)
        return at if at > self.clock.now() else None

    def _charge(self, requests: int, tokens: float) -> None:
        """Move the moment from which there is room again; an answer shorter than thought moves it back."""
        now = self.clock.now()
        if (rate := self.limits.requests_per_minute) is not None:
            self._next_request = max(now if requests else 0.0, self._next_request) + requests * 60 / rate
        if (rate := self.limits.tokens_per_minute) is not None:
            self._next_tokens = max(now if requests else 0.0, self._next_tokens) + tokens * 60 / rate
