"""Requests that wait are read together, none is lost, and too many are refused."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from evokd.student.serving.http.batching import BATCH, Batcher
from evokd.student.serving.http.metrics import Metrics
from evokd.student.serving.http.problems import Problem
from tests.student.serving.http.serving import Broken, labels

Play = Callable[[Batcher], Awaitable[None]]


def at_work(student: Broken, play: Play, waiting: int = 512) -> None:
    async def run() -> None:
        batcher = Batcher(student.predict, waiting, Metrics())
        working = asyncio.create_task(batcher.run())
        try:
            await play(batcher)
        finally:
            student.gate.set()
            working.cancel()

    asyncio.run(run())


async def held(student: Broken, batcher: Batcher) -> "asyncio.Task[object]":
    """A request at which the student stands still."""
    student.gate.clear()
    student.entered.clear()
    first: asyncio.Task[object] = asyncio.create_task(batcher.predict(["first"]))
    await asyncio.to_thread(student.entered.wait, 30)
    return first


def test_what_comes_while_the_student_reads_is_the_next_batch() -> None:
    student = Broken()

    async def play(batcher: Batcher) -> None:
        first = await held(student, batcher)
        others = [asyncio.create_task(batcher.predict([f"{n} a", f"{n} b"])) for n in range(5)]
        await asyncio.sleep(0)
        student.gate.set()
        assert [len(await each) for each in others] == [2] * 5
        await first

    at_work(student, play)
    assert student.batches == [["first"], [f"{n} {which}" for n in range(5) for which in "ab"]]


def test_everyone_gets_the_answers_to_the_texts_they_sent() -> None:
    student, texts = Broken(), ["the team won", "soup with bread", "a bank loan", "a planet"]
    known = labels()
    student.predict = known.predict  # type: ignore[method-assign]

    async def play(batcher: Batcher) -> None:
        asked = [[texts[(n + k) % 4] for k in range(n % 5 + 1)] for n in range(200)]
        for sent, got in zip(asked, await asyncio.gather(*map(batcher.predict, asked)), strict=True):
            assert [each.label for each in got] == [each.label for each in known.predict(sent)]

    at_work(student, play, waiting=10_000)


def test_a_batch_holds_no_more_texts_than_it_may_unless_one_request_does() -> None:
    student = Broken()

    async def play(batcher: Batcher) -> None:
        first = await held(student, batcher)
        sizes = [40, 24, 1, BATCH + 9, 3]
        others = [asyncio.create_task(batcher.predict(["x"] * size)) for size in sizes]
        await asyncio.sleep(0)
        student.gate.set()
        assert [len(each) for each in await asyncio.gather(*others)] == sizes
        await first

    at_work(student, play)
    assert [len(batch) for batch in student.batches] == [1, 64, 1, BATCH + 9, 3]


def test_a_request_that_would_not_fit_is_refused_and_there_is_room_again_later() -> None:
    student = Broken()

    async def play(batcher: Batcher) -> None:
        first = await held(student, batcher)
        second = asyncio.create_task(batcher.predict(["x"] * 3))
        await asyncio.sleep(0)
        with pytest.raises(Problem, match="4 texts are waiting") as refused:
            await batcher.predict(["y"])
        assert (refused.value.status, refused.value.kind) == (429, "overloaded")
        student.gate.set()
        await asyncio.gather(first, second)
        assert len(await batcher.predict(["y"] * 4)) == 4

    at_work(student, play, waiting=4)


def test_a_request_that_fails_does_not_fail_those_beside_it() -> None:
    student = Broken()

    async def play(batcher: Batcher) -> None:
        first = await held(student, batcher)
        others = [asyncio.create_task(batcher.predict([text])) for text in ("fine", "boom", "well")]
        await asyncio.sleep(0)
        student.gate.set()
        fine, boom, well = await asyncio.gather(*others, return_exceptions=True)
        assert isinstance(boom, Problem) and boom.status == 424
        assert isinstance(fine, list) and isinstance(well, list) and not batcher.failed
        await first

    at_work(student, play)


def test_nothing_is_read_for_a_client_that_has_gone() -> None:
    student = Broken()

    async def play(batcher: Batcher) -> None:
        first = await held(student, batcher)
        gone, there = (asyncio.create_task(batcher.predict([text])) for text in ("gone", "there"))
        await asyncio.sleep(0)
        gone.cancel()
        student.gate.set()
        await first
        assert len(await there) == 1
        assert len(await batcher.predict(["x"] * 4)) == 4, "its texts are still counted as waiting"

    at_work(student, play, waiting=4)
    assert student.batches == [["first"], ["there"], ["x"] * 4]


def test_when_all_have_gone_the_next_is_answered() -> None:
    student = Broken()

    async def play(batcher: Batcher) -> None:
        first = await held(student, batcher)
        gone = asyncio.create_task(batcher.predict(["gone"]))
        await asyncio.sleep(0)
        gone.cancel()
        student.gate.set()
        await first
        await asyncio.sleep(0)
        assert len(await batcher.predict(["next"])) == 1

    at_work(student, play)
    assert student.batches == [["first"], ["next"]]
