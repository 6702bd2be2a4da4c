"""Servers that refuse, fail, hang or talk nonsense: one item is lost, or the run stops at once and says why."""

import contextlib
from email.utils import formatdate
from pathlib import Path

import pytest

from evokd.tasks.errors import BudgetExhausted, ConfigError, StepError
from evokd.teacher.base import Prompt, TeacherDown
from evokd.teacher.settings import BudgetSettings
from evokd.testing.loopback import Loopback, Said, chat, error, prompt_of
from tests.teacher.asking import GOOD, KEY, Label, Open, Ticking, ledger, many, said


def test_a_request_the_server_refuses_is_one_problem(server: Loopback, opened: Open, tmp_path: Path) -> None:
    server.script = lambda body: error(400, "the context is too long") if "long" in prompt_of(body) else chat(GOOD)
    long, short = opened().ask([said("long"), said("short")], Label, role="a", cycle=0)
    assert "HTTP 400" in (long.problem or "") and "the context is too long" in (long.problem or "")
    assert short.value is not None and len(server.requests) == 2
    assert sorted(row["outcome"][:9] for row in ledger(tmp_path)) == ["error: th", "ok"]


@pytest.mark.parametrize(
    "trouble",
    [
        error(429, "slow down", **{"Retry-After": "0"}),
        error(429, "slow down"),
        error(529, "overloaded"),
        error(503, "starting", **{"Retry-After": "3"}),
        error(500, "oops"),
        error(408, "slept"),
        Said(reset=True),
        Said(body=b'{"id": "x", "choices": [{"ind'),
        Said(body=b"zipped?", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_passing_trouble_is_retried(server: Loopback, opened: Open, trouble: Said) -> None:
    server.script = lambda body: trouble if len(server.requests) == 1 else chat(GOOD)
    [got] = opened().ask([said("x")], Label, role="a", cycle=0)
    assert got.value is not None and len(server.requests) == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "45"}, 45),
        ({"Retry-After": formatdate(1_800_000_045, usegmt=True), "Date": formatdate(1_800_000_000, usegmt=True)}, 45),
        ({"x-ratelimit-reset-requests": "2m0s", "x-ratelimit-remaining-requests": "0"}, 120),
        ({}, 1),
    ],
)
def test_a_burst_of_rate_limits_costs_time_and_no_item(
    server: Loopback, opened: Open, headers: dict[str, str], seconds: float
) -> None:
    clock = Ticking()
    server.script = lambda body: error(429, "slow", **headers) if len(server.requests) <= 8 else chat(GOOD)
    # Refused one after the other, where a loaded machine starts the threads late, eight waits add up.
    teacher = opened(concurrency=8, retries=0, patience=10_000, clock=clock)
    answers = teacher.ask(many(40), Label, role="a", cycle=0)
    assert all(answer.value for answer in answers) and len(server.requests) == 48
    assert clock.now() - 1000 >= seconds


def test_a_rate_limit_longer_than_patience_stops_the_run_with_a_word_on_it(server: Loopback, opened: Open) -> None:
    server.script = lambda body: error(429, "try again tomorrow", **{"Retry-After": "86400"})
    with pytest.raises(TeacherDown, match=r"more patience than teacher.patience = 600 s.*then resume"):
        opened(concurrency=1).ask(many(10), Label, role="a", cycle=0)
    assert len(server.requests) == 1


def test_a_lasting_rate_limit_is_waited_out_until_patience_ends(server: Loopback, opened: Open) -> None:
    clock = Ticking()
    server.script = lambda body: error(429, "slow down")
    with pytest.raises(TeacherDown, match="rate limit"):
        opened(concurrency=1, clock=clock, retries=0).ask(many(10), Label, role="a", cycle=0)
    assert 500 < clock.now() - 1000 <= 600 and len(server.requests) < 20


def test_roles_with_one_model_share_its_limits(server: Loopback, opened: Open) -> None:
    clock = Ticking()
    roles = {"b": {"temperature": 0.5}, "c": {"model": "other"}}
    teacher = opened(concurrency=1, requests_per_minute=60, roles=roles, clock=clock)
    for role in ("a", "b", "a", "b"):
        teacher.ask([said(f"{role} {clock.now()}")], Label, role=role, cycle=0)
    assert clock.now() == 1003
    teacher.ask([said("x")], Label, role="c", cycle=0)
    assert clock.now() == 1003, "another model has limits of its own"


@pytest.mark.slow
def test_a_call_that_always_hangs_is_lost_alone_where_others_are_answered(server: Loopback, opened: Open) -> None:
    server.script = lambda body: Said(hang=True) if prompt_of(body) == "text 0" else chat(GOOD)
    answers = opened(concurrency=2, timeout=1.0, retries=1).ask(many(40), Label, role="a", cycle=0)
    assert "gave no answer in time, 2 times, while it answered other calls" in (answers[0].problem or "")
    assert all(answer.value for answer in answers[1:])


def test_an_answer_that_drips_is_not_waited_for_without_end(server: Loopback, opened: Open) -> None:
    clock = Ticking()

    def tick() -> None:
        clock.arriving += 20

    server.script = lambda body: Said(body=chat(GOOD).body, drip=tick) if len(server.requests) < 2 else chat(GOOD)
    [got] = opened(timeout=60, retries=2, clock=clock).ask([said("x")], Label, role="a", cycle=0)
    assert got.value is not None and len(server.requests) == 2


def test_lasting_server_errors_lose_the_item_not_the_run(server: Loopback, opened: Open) -> None:
    server.script = lambda body: error(500, "oops")
    [got] = opened(retries=0).ask([said("x")], Label, role="a", cycle=0)
    assert "HTTP 500" in (got.problem or "") and len(server.requests) == 3, "one try of each form"


DEEP = b'{"choices": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize("page", [b"<html>It works!</html>", b'{"object": "x"}', b'{"choices": []}', b"[]", DEEP])
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


def test_a_server_that_wants_a_key_after_all_is_told_apart(server: Loopback, opened: Open) -> None:
    server.script = lambda body: error(401, "no key")
    with pytest.raises(TeacherDown, match=r"wants a key: name the environment variable .* teacher\.api_key_env"):
        opened(api_key_env="none").ask([said("x")], Label, role="a", cycle=0)


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


CUT = b'{"id": "x", "choices": [{"mess'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "until", "tries"),
    [
        (Said(body=CUT), 2, 3), (Said(body=CUT), 100, 3), (Said(reset=True), 2, 3), (Said(reset=True), 100, 3),
        (Said(hang=True), 1, 2), (Said(hang=True), 100, 2),
    ],
)  # fmt: skip
def test_a_try_whose_answer_never_came_whole_is_counted_as_an_estimate(
    server: Loopback, opened: Open, tmp_path: Path, trouble: Said, until: int, tries: int
) -> None:
    """The server may bill for it: a budget that counted nothing would be passed without a word."""
    server.script = lambda body: trouble if len(server.requests) <= until else chat(GOOD)
    price = {"usd_per_million_input": 1.0, "usd_per_million_output": 1.0}
    teacher = opened(timeout=0.2, retries=2, max_tokens=100, **price)
    with contextlib.suppress(TeacherDown):
        teacher.ask([said("x")], Label, role="a", cycle=0)
    rows = ledger(tmp_path)
    assert len(rows) == len(server.requests) == tries == teacher.spent()["calls"]
    lost = [row for row in rows if row["outcome"] != "ok"]
    assert len(lost) == min(tries, until) and all(row["output"] == 100 and row["usd"] > 1e-4 for row in lost)
    with pytest.raises(BudgetExhausted, match=f"max_calls = {tries} is reached: {tries} calls made"):
        opened(budget=BudgetSettings(max_calls=tries)).ask([said("y")], Label, role="a", cycle=0)


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_the_server_owns_up_to_costs_nothing(
    server: Loopback, opened: Open, tmp_path: Path, status: int
) -> None:
    server.script = lambda body: error(status, "oops")
    teacher = opened(retries=2)
    teacher.complete([said("x")], role="a", cycle=0)
    [row] = ledger(tmp_path)
    assert row["input"] == row["output"] == 0 and f"HTTP {status}" in row["outcome"]


def test_no_more_tries_of_one_call_than_the_budget_has_room_for(server: Loopback, opened: Open, tmp_path: Path) -> None:
    server.script = lambda body: Said(body=b'{"id": "x", "choices": [{"ind')
    teacher = opened(retries=50, max_tokens=100, budget=BudgetSettings(max_calls=3))
    with pytest.raises(BudgetExhausted, match="max_calls = 3 is reached"):
        teacher.ask([said("x")], Label, role="a", cycle=0)
    assert len(server.requests) == len(ledger(tmp_path)) == 3
    assert all(row["outcome"].startswith("error: ") for row in ledger(tmp_path))


@pytest.mark.parametrize("trouble", [error(429, "slow", **{"Retry-After": "300"}), error(500, "oops")])
def test_waiting_counts_as_time_before_it_is_begun(
    server: Loopback, opened: Open, tmp_path: Path, trouble: Said
) -> None:
    """No run sits out a wait at whose end its time is over."""
    clock = Ticking()
    server.script = lambda body: trouble
    teacher = opened(retries=50, patience=600, clock=clock, budget=BudgetSettings(max_minutes=0.25))
    with pytest.raises(BudgetExhausted, match=r"max_minutes = 0.25 is reached: 0\.0 minutes of active time"):
        teacher.ask([said("x")], Label, role="a", cycle=0)
    assert len(server.requests) == (1 if trouble.status == 429 else 3) and clock.now() < 1000 + 16
    assert not (tmp_path / "ledger.jsonl").exists() or not ledger(tmp_path), "a refusal bills nothing"
