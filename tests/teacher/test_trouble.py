"""Servers that refuse, fail, hang or talk nonsense: one item is lost, or the run stops at once and says why."""

from pathlib import Path

import pytest

from tasks.errors import ConfigError, StepError
from teacher.base import Prompt, TeacherDown
from tests.loopback import Loopback, Said, chat, error, prompt_of
from tests.teacher.asking import GOOD, KEY, Label, Open, ledger, many, said


def test_a_request_the_server_refuses_is_one_problem(server: Loopback, opened: Open, tmp_path: Path) -> None:
    server.script = lambda body: error(400, "the context is too long") if "long" in prompt_of(body) else chat(GOOD)
    long, short = opened().ask([said("long"), said("short")], Label, role="a", cycle=0)
    assert "HTTP 400" in (long.problem or "") and "the context is too long" in (long.problem or "")
    assert short.value is not None and len(server.requests) == 2
    assert sorted(row["outcome"][:9] for row in ledger(tmp_path)) == ["error: th", "ok"]


@pytest.mark.parametrize(
    "trouble", [error(429, "slow down", **{"Retry-After": "0"}), error(500, "oops"), Said(reset=True)]
)
def test_passing_trouble_is_retried(server: Loopback, opened: Open, trouble: Said) -> None:
    server.script = lambda body: trouble if len(server.requests) == 1 else chat(GOOD)
    [got] = opened().ask([said("x")], Label, role="a", cycle=0)
    assert got.value is not None and len(server.requests) == 2


def test_lasting_server_errors_lose_the_item_not_the_run(server: Loopback, opened: Open) -> None:
    server.script = lambda body: error(500, "oops")
    [got] = opened(retries=0).ask([said("x")], Label, role="a", cycle=0)
    assert "HTTP 500" in (got.problem or "") and len(server.requests) == 1


@pytest.mark.parametrize("page", [b"<html>It works!</html>", b'{"object": "x"}', b'{"choices": []}', b"[]"])
def test_a_page_that_is_no_answer_is_one_problem(server: Loopback, opened: Open, page: bytes) -> None:
    server.script = lambda body: Said(body=page)
    [got] = opened().ask([said("x")], Label, role="a", cycle=0)
    assert "not an OpenAI answer" in (got.problem or "")
    [free] = opened().complete([Prompt("x")], role="a", cycle=0)
    assert "not an OpenAI answer" in (free.problem or "")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), "Check the key in the environment variable LOOPBACK_KEY"),
        (error(402, "pay"), "no money left"),
        (error(403, "not yours"), "may not use model 'm'"),
        (error(404, "no such model"), "it usually ends in /v1"),
        (error(429, "You exceeded your current quota", "insufficient_quota"), "no money left"),
        (Said(hang=True), "gave no answer within 0.2 s, 1 times"),
    ],
)
def test_what_no_other_call_would_better_stops_at_once(
    server: Loopback, opened: Open, tmp_path: Path, trouble: Said, words: str
) -> None:
    server.script = lambda body: trouble
    more = {"timeout": 0.2, "retries": 0} if trouble.hang else {"retries": 4}
    with pytest.raises(TeacherDown) as down:
        opened(concurrency=2, **more).ask(many(30), Label, role="a", cycle=0)
    assert words in str(down.value) and server.url in str(down.value) and len(server.requests) <= 2
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY not in str(down.value) and KEY.encode() not in files


def test_nobody_listening_stops_at_once(server: Loopback, opened: Open) -> None:
    server.close()
    with pytest.raises(TeacherDown, match=r"cannot be reached .*refused.* correct teacher.base_url"):
        opened(retries=10).ask([said("x")], Label, role="a", cycle=0)


def test_a_bad_streak_stops_and_shows_the_last_answers(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat("I am a teapot " + "x" * 300)
    with pytest.raises(StepError, match="20 answers in a row could not be used") as stop:
        opened(concurrency=1).ask(many(40), Label, role="a", cycle=0)
    assert str(stop.value).count("teapot") == 3 and "x" * 201 not in str(stop.value)
    assert len(server.requests) == 40  # twenty prompts, each with its repair turn


def test_the_key_is_nowhere_on_disk(opened: Open, tmp_path: Path) -> None:
    opened().ask(many(3), Label, role="a", cycle=0)
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_missing_key_is_the_users_mistake(opened: Open) -> None:
    with pytest.raises(ConfigError, match="NO_SUCH_KEY is not set"):
        opened(api_key_env="NO_SUCH_KEY")
    opened(api_key_env="none").ask([said("x")], Label, role="a", cycle=0)


def test_an_error_of_the_progress_display_is_not_taken_for_an_answer(opened: Open) -> None:
    def broken(done: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        opened().ask(many(3), Label, role="a", cycle=0, progress=broken)
