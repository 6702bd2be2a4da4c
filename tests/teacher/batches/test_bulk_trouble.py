"""Batches that fail, wholly or in part, and servers that have none: ordinary calls do what is left."""

import json
import logging
from pathlib import Path

import pytest

from tasks.errors import Interrupted
from teacher.base import TeacherDown
from tests.batch_loopback import BatchPlay
from tests.loopback import error
from tests.teacher.asking import GOOD, KEY, PRICE, Open, ask, echo, ids, ledger, many, said, whys


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/files", "/batches"])
@pytest.mark.parametrize("status", [404, 405, 501, 400])
def test_without_a_batch_api_ordinary_calls_are_made_and_it_is_said_once(
    play: BatchPlay, opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, status: int
) -> None:
    play.trouble = lambda body: error(status, f"no such thing, {KEY}") if body["path"] == path else None
    teacher = opened(batch=True)
    with caplog.at_level(logging.WARNING):
        assert ask(teacher, many(20)) == whys(20) and ask(teacher, [said(f"y {n}") for n in range(20)])
    assert len(play.ordinary) == 40 and ids(tmp_path) == []
    [record] = caplog.records
    assert f"takes no batch (HTTP {status}" in record.getMessage() and "teacher.batch = false" in record.getMessage()
    assert KEY not in record.getMessage()


def test_a_key_that_is_refused_leaves_nothing_pending(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    play.trouble = lambda body: error(401, "wrong key")
    with pytest.raises(TeacherDown, match="Check the key in the environment variable LOOPBACK_KEY"):
        ask(opened(batch=True), many(20))
    assert ids(tmp_path) == []


def test_a_batch_that_fails_is_asked_by_ordinary_calls(
    play: BatchPlay, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    play.ends = "failed"
    teacher = opened(batch=True)
    assert ask(teacher, many(20)) == whys(20) and len(play.ordinary) == 20
    assert "could not do batch batch_0 (no room)" in caplog.text and teacher.spent()["calls"] == 20


@pytest.mark.parametrize("ends", ["expired", "cancelled"])
def test_half_a_batch_is_half_the_answers(play: BatchPlay, opened: Open, ends: str, tmp_path: Path) -> None:
    play.ends, play.done = ends, 0.5
    teacher = opened(batch=True, **PRICE)
    assert ask(teacher, many(20)) == whys(20) and len(play.ordinary) == 10 and len(play.batches) == 1
    assert teacher.spent()["usd"] == pytest.approx(10 * 1 + 10 * 2) and teacher.spent()["calls"] == 20


def test_lines_the_server_refuses_cost_nothing_and_are_asked_again(play: BatchPlay, opened: Open) -> None:
    failures = iter([error(500, "oops")] * 3)
    play.answer = lambda body: next(failures, None) or echo(body)
    teacher = opened(batch=True)
    assert ask(teacher, many(20)) == whys(20) and len(play.ordinary) == 3 and teacher.spent()["calls"] == 20


def spoilt(lines: list[str]) -> list[str]:
    """Missing, broken, unknown, twice, and of the wrong form."""
    first, second, third, fourth, fifth, *rest = lines
    other = json.loads(first) | {"custom_id": "who?"}
    again = json.loads(third)
    again["response"]["body"]["choices"][0]["message"]["content"] = GOOD
    no_choice = json.loads(fourth)
    no_choice["response"]["body"] = {"choices": []}
    strange = json.loads(fifth)
    strange["response"]["body"]["choices"][0]["message"]["content"] = {"not": "text"}
    nonsense = ["[]", "null", "{" * 5000, '{"custom_id": 3}', "", "\x00"]
    given = (other, no_choice, strange)
    return [*nonsense, second[:-9], third, json.dumps(again), *(json.dumps(each) for each in given), *rest]


def test_what_a_server_delivers_is_read_with_care(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    play.twist = spoilt
    teacher = opened(batch=True, max_tokens=100, **PRICE)
    assert ask(teacher, many(20)) == whys(20) and len(play.ordinary) == 4
    lost = [row for row in ledger(tmp_path) if row["outcome"].startswith("lost")]
    assert len(lost) == 4 and all(row["output"] and row["usd"] for row in lost), "they may be billed"


def test_a_batch_that_the_server_forgot_is_asked_anew(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        ask(opened(batch=True, halted=lambda: True), many(20))
    play.batches.clear()
    play.batches["batch_other"] = {}
    assert ask(opened(batch=False), many(20)) == whys(20) and len(play.ordinary) == 20 and ids(tmp_path) == []
