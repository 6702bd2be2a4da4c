"""Limits are obeyed, slowing down is shared, and full speed comes back step by step; no test waits."""

import threading

import pytest

from evokd.teacher.transport.rate_limiter import Limits, RateLimiter
from tests.teacher.asking import Ticking


def starts(limiter: RateLimiter, clock: Ticking, count: int, seconds: float = 0.0) -> list[float]:
    """Moments at which so many calls began, one after the other."""
    begun = []
    for _ in range(count):
        with limiter.turn(400) as turn:
            begun.append(clock.now())
            clock.time += seconds
            limiter.answered(turn, (100, 100))
    return begun


def most_in_a_minute(moments: list[float]) -> int:
    return max(sum(first <= each < first + 60 for each in moments) for first in moments)


def test_requests_per_minute_hold_in_every_minute_and_are_used() -> None:
    clock = Ticking()
    begun = starts(RateLimiter(Limits(requests_per_minute=30), clock), clock, 200)
    assert most_in_a_minute(begun) == 30 and begun[-1] - begun[0] == pytest.approx(199 * 2)


def test_a_pause_saves_nothing_up() -> None:
    clock = Ticking()
    limiter = RateLimiter(Limits(requests_per_minute=30), clock)
    starts(limiter, clock, 3)
    clock.time += 600
    assert most_in_a_minute(starts(limiter, clock, 100)) == 30


def test_tokens_per_minute_are_what_the_server_counted() -> None:
    clock = Ticking()
    begun = starts(RateLimiter(Limits(tokens_per_minute=6000), clock), clock, 120)  # 200 tokens each: 30 a minute
    assert most_in_a_minute(begun[20:]) <= 31
    assert (begun[-1] - begun[20]) / 99 == pytest.approx(2, rel=0.1)


def test_a_call_larger_than_the_limit_of_a_minute_is_made_all_the_same() -> None:
    clock = Ticking()
    assert len(starts(RateLimiter(Limits(tokens_per_minute=10), clock), clock, 2)) == 2


def test_requests_per_minute_hold_for_many_threads() -> None:
    clock, begun, lock = Ticking(), [], threading.Lock()
    limiter = RateLimiter(Limits(concurrency=8, requests_per_minute=60), clock)

    def work() -> None:
        for _ in range(20):
            with limiter.turn(10) as turn:
                with lock:
                    begun.append(clock.now())
                limiter.answered(turn, None)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 160 and clock.now() - begun[0] >= 158


def test_never_more_in_flight_than_allowed() -> None:
    clock, lock = Ticking(), threading.Lock()
    limiter, now, most = RateLimiter(Limits(concurrency=3), clock), [0], [0]

    def work() -> None:
        for _ in range(50):
            with limiter.turn(10):
                with lock:
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                with lock:
                    now[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most[0] <= 3 and now[0] == 0


def test_a_burst_of_refusals_halves_once_and_recovers_by_one_a_round() -> None:
    clock = Ticking()
    limiter = RateLimiter(Limits(concurrency=16), clock)
    turns = [limiter.turn(10) for _ in range(16)]
    begun = [turn.__enter__() for turn in turns]
    assert all(limiter.refused(turn, 5.0, clock.now()) for turn in begun)
    assert limiter.allowed == 8 and limiter.waits == 1
    for turn in turns:
        turn.__exit__(None, None, None)
    assert starts(limiter, clock, 8)[0] == 1005 and limiter.allowed == 9
    starts(limiter, clock, 9)
    assert limiter.allowed == 10
    starts(limiter, clock, 200)
    assert limiter.allowed == 16, "and never more than the user allows"


def refuse(limiter: RateLimiter, clock: Ticking, wait: float | None, since: float) -> float:
    """Meet a rate limit; returns when the next call may begin."""
    with limiter.turn(10) as turn:
        limiter.refused(turn, wait, since)
    with limiter.turn(10):
        return clock.now()


def test_without_a_word_from_the_server_waits_double() -> None:
    clock = Ticking()
    limiter = RateLimiter(Limits(concurrency=4), clock)
    waits = []
    for _ in range(9):
        before = clock.now()
        waits.append(refuse(limiter, clock, None, 1000) - before)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60] and limiter.allowed == 1
    starts(limiter, clock, 1)
    before = clock.now()
    assert refuse(limiter, clock, None, 1000) - before == 1, "an answer ends the doubling"


def test_a_server_that_says_zero_is_believed_once() -> None:
    clock = Ticking()
    limiter = RateLimiter(Limits(), clock)
    assert [refuse(limiter, clock, 0.0, 1000) for _ in range(4)] == [1000, 1002, 1006, 1014]


def test_patience_ends_and_an_answer_renews_it() -> None:
    clock = Ticking()
    limiter = RateLimiter(Limits(patience=100), clock)
    with limiter.turn(10) as turn:
        assert limiter.refused(turn, 99, clock.now())
    with limiter.turn(10) as turn:
        assert not limiter.refused(turn, 99, 1000)
    starts(limiter, clock, 1)
    with limiter.turn(10) as turn:
        assert limiter.refused(turn, 99, 1000)
        assert not limiter.refused(turn, 6 * 3600, clock.now()), "a wait of hours is said at once"


def test_nobody_sleeps_through_a_wait_that_is_longer_than_patience() -> None:
    clock = Ticking()
    limiter = RateLimiter(Limits(patience=100), clock)
    with limiter.turn(10) as turn:
        assert not limiter.refused(turn, 7200, clock.now())
    assert starts(limiter, clock, 2) == [1000, 1000], "who waited asks once itself"


def test_trouble_of_one_call_holds_no_place() -> None:
    clock = Ticking()
    limiter = RateLimiter(Limits(concurrency=1), clock)
    limiter.rest(8)
    assert clock.now() == 1008 and starts(limiter, clock, 1) == [1008]
