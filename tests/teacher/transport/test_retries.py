"""One loop repeats every call, whoever makes it."""

import pytest

from evokd.teacher.transport.error_classification import CallError, refused
from evokd.teacher.transport.rate_limiter import Limits, RateLimiter
from evokd.teacher.transport.retries import Permits, Retries, Tokens
from tests.teacher.asking import Ticking

LATE = CallError("slow", "late", is_passing=True, is_lost=True)


class Play:
    """Fails as it is told, then answers."""

    def __init__(self, *troubles: CallError, retries: int = 0, permits: Permits = lambda lost, wait: True) -> None:
        self.clock, self.left, self.made = Ticking(), list(troubles), 0
        self.limiter = RateLimiter(Limits(concurrency=8), self.clock)
        self.tries = Retries(self.limiter, retries, permits)

    def make(self) -> str:
        return self.tries.make(self._once, 10)

    def _once(self) -> tuple[str, Tokens | None]:
        self.made += 1
        if self.left:
            raise self.left.pop(0)
        return "fine", None


def test_a_server_that_says_when_it_is_back_is_waited_for_however_few_tries_there_are() -> None:
    play = Play(*(refused(503, "starting", "starting", {"retry-after": "30"}) for _ in range(3)))
    assert play.make() == "fine" and play.made == 4 and play.clock.now() >= 1090
    with pytest.raises(CallError):
        Play(refused(503, "broken", "broken", {})).make()


def test_no_answer_in_time_halves_what_is_asked_at_once_and_is_repeated_once() -> None:
    play = Play(LATE, retries=4)
    assert play.make() == "fine" and play.limiter.allowed == 4 and play.tries.lost() == 1 and play.tries.lost() == 0
    play = Play(LATE, LATE, retries=4)
    with pytest.raises(CallError) as told:
        play.make()
    assert told.value.tries == play.made == 2 and not told.value.alive


def test_a_refusal_shows_that_the_server_answers() -> None:
    play = Play(refused(400, "no", "no", {}), retries=4)
    with pytest.raises(CallError):
        play.make()
    assert play.made == 1 and play.limiter.answered_since(1000)


def test_nothing_is_tried_that_the_budget_does_not_allow() -> None:
    play = Play(permits=lambda lost, wait: False)
    with pytest.raises(CallError, match="the budget does not allow another try"):
        play.make()
    assert play.made == 0
