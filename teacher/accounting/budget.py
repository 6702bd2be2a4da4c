"""The limits of a run, checked before every call."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...tasks.errors import BudgetExhausted
from ..settings import BudgetSettings, TeacherSettings

FIRST_GUESS = 512
"""Output tokens expected of the first call of a model that has no `max_tokens`."""

FIRST_WORST = 4096
"""Output tokens an answer is thought not to exceed where there is no `max_tokens`; later, twice the longest so far."""


@dataclass(frozen=True)
class Cost:
    """What one or many calls took."""

    calls: int = 0
    tokens: int = 0
    """Input and output together."""
    usd: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.calls - other.calls, self.tokens - other.tokens, self.usd - other.usd)

    def beyond(self, held: "Cost", taken: "Cost") -> "Cost":
        """What is `taken` once this is spent of which `held` is part of it; nothing where that is enough."""

        def total(needed: float, held: float, taken: float) -> float:
            return taken + needed - held if needed > held else 0

        return Cost(
            int(total(self.calls, held.calls, taken.calls)),
            int(total(self.tokens, held.tokens, taken.tokens)),
            total(self.usd, held.usd, taken.usd),
        )


class Budget:
    """Counts what is spent and what is in flight; says no before a limit is passed. Safe to use from many threads.

    A call starts if what it is expected to take fits beside the worst that all calls in flight can take; so a limit is
    passed by less than one call's cost, however many are in flight, and hardly any of it is left unused. Where a call
    does not fit but others are in flight, the caller waits: they may turn out cheaper than the worst.
    """

    def __init__(
        self,
        limits: BudgetSettings,
        teacher: TeacherSettings,
        earlier_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        Args:
            limits: What the user allows.
            teacher: For the prices.
            earlier_seconds: Active time of the run before this process.
            clock: Seconds, monotonic.

        Raises:
            ConfigError: a money limit without known prices.
        """
        limits.check_prices(teacher)
        self.limits = limits
        self._clock = clock
        self._start = clock() - earlier_seconds
        self._spent = Cost()
        self._in_flight = Cost()
        self._changed = threading.Condition()
        self._own = _Reserved()

    def restore(self, spent: Cost) -> None:
        """Take over what the ledger says earlier processes of this run spent."""
        with self._changed:
            self._spent = spent

    @property
    def spent(self) -> Cost:
        """What finished calls took."""
        with self._changed:
            return self._spent

    @property
    def seconds(self) -> float:
        """Active time of the run so far; pass it to the next process as `earlier_seconds`."""
        return self._clock() - self._start

    @contextmanager
    def reserve(self, expected: Cost, worst: Cost | None = None) -> Iterator[Callable[[Cost], None]]:
        """Hold a place for one call; the caller books what it really took.

        Args:
            expected: What such calls take.
            worst: What this one can take at most; by default what is expected.

        Raises:
            BudgetExhausted: the call would pass a limit, even after those in flight have come back.
        """
        held = worst or expected
        self._own.hold(expected, held)
        with self._changed:
            while problem := self._problem(self._spent + self._in_flight + expected):
                if not self._in_flight.calls or self._problem(self._spent + expected):
                    raise BudgetExhausted(problem)
                self._changed.wait()
            self._in_flight += held
        taken: list[Cost] = []
        try:
            yield taken.append
        finally:
            with self._changed:
                self._in_flight -= held
                for cost in taken:
                    self._spent += cost
                self._changed.notify_all()

    def permits(self, lost: int, wait: float = 0.0) -> bool:
        """Whether this thread may make its call, or make it again; `refusal` says why not.

        What the call holds is its own: calls that came in later, for less, do not take it back.

        Args:
            lost: Tries of it so far whose answers never arrived whole: they may be billed.
            wait: Seconds until it could be made.
        """
        needed = self._own.expected
        for _ in range(lost):
            needed += self._own.expected
        with self._changed:
            after = needed.beyond(self._own.held, self._spent + self._in_flight)
            self._own.refusal = self._problem(after, wait)
        return self._own.refusal is None

    @property
    def refusal(self) -> str | None:
        """Why this thread's call was not made again, if the budget was the reason."""
        return self._own.refusal

    def outlook(self, left: int, role: str) -> str:
        """What would go on with a higher limit, as a sentence; `left` prompts are without an answer."""
        spent = self.spent
        if not spent.calls:
            return f"{left} prompts of the {role} are still without an answer."
        tokens, usd = spent.tokens / spent.calls, spent.usd / spent.calls
        more = f"about {left * tokens:.0f} tokens" + (f" and {left * usd:.4f} USD" if usd else "")
        return (
            f"{left} prompts of the {role} are still without an answer: {more} at what the {spent.calls} calls so far "
            f"took ({spent.tokens} tokens" + (f", {spent.usd:.4f} USD)." if usd else ").")
        )

    def _problem(self, after: Cost, wait: float = 0.0) -> str | None:
        """The first limit that would be passed if `after` were spent in `wait` seconds, as a sentence."""
        limits, spent, minutes = self.limits, self._spent, self.seconds / 60
        if limits.max_calls is not None and after.calls > limits.max_calls:
            return _sentence("max_calls", f"{limits.max_calls}", f"{spent.calls} calls made")
        if limits.max_tokens is not None and after.tokens > limits.max_tokens:
            return _sentence("max_tokens", f"{limits.max_tokens}", f"{spent.tokens} tokens used")
        if limits.max_usd is not None and after.usd > limits.max_usd:
            return _sentence("max_usd", f"{limits.max_usd:g}", f"{spent.usd:.4f} USD spent")
        if limits.max_minutes is not None and minutes + wait / 60 >= limits.max_minutes:
            return _sentence("max_minutes", f"{limits.max_minutes:g}", f"{minutes:.1f} minutes of active time")
        return None


class _Reserved(threading.local):
    """The call that a thread makes."""

    expected = held = Cost()
    refusal: str | None = None

    def hold(self, expected: Cost, held: Cost) -> None:
        """Begin a call."""
        self.expected, self.held, self.refusal = expected, held, None


def _sentence(key: str, limit: str, spent: str) -> str:
    return (
        f"budget.{key} = {limit} is reached: {spent}, and the next call would pass the limit. "
        f"Raise budget.{key} and resume to go on; nothing already answered is paid for again."
    )
