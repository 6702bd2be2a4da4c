"""Batches: half the price, nothing twice whatever happens in between, and ordinary calls where they fail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import BudgetExhausted, Interrupted, StepError
from teacher.base import TeacherDown
from teacher.settings import BudgetSettings, TeacherSettings
from tests.batch_loopback import BatchPlay
from tests.loopback import Body, chat, error
from tests.teacher.asking import GOOD, KEY, PRICE, Label, Open, Ticking, ask, ids, ledger, many, said, whys


class Died(BaseException):
    """As a kill would end the process."""


def test_one_batch_answers_all_at_half_the_price(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    teacher = opened(batch=True, **PRICE)
    answers = teacher.ask(many(20), Label, role="annotator", cycle=1)
    assert [answer.value.why for answer in answers if answer.value] == whys(20)
    assert len(play.batches) == 1 and play.ordinary == [] and ids(tmp_path) == []
    assert answers[0].usage.input == 10 and teacher.spent(1)["calls"] == 20
    assert teacher.spent()["usd"] == pytest.approx(20.0)
    rows = ledger(tmp_path)
    assert all((row["outcome"], row["batch"], row["usd"]) == ("ok", "batch_0", pytest.approx(1.0)) for row in rows)
    assert len((tmp_path / "transcripts.jsonl").read_text().splitlines()) == 20


def test_answers_are_kept_like_any_others(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    ask(opened(batch=True), many(20))
    assert ask(opened(batch=True), many(20)) == whys(20) and len(play.batches) == 1
    assert opened().spent()["calls"] == 20
    assert ask(opened(folder=tmp_path / "b", batch=True), [*many(20), said("text 3"), said("x", 1)])[-2] == "text 3"
    assert [len(play.lines(name)) for name in play.batches] == [20, 21]


@pytest.mark.parametrize("more", [{}, {"max_tokens": 77, "temperature": 0.5, "extra_body": {"min_p": 0.1}}])
def test_a_line_is_what_an_ordinary_call_sends(
    play: BatchPlay, opened: Open, tmp_path: Path, more: dict[str, Any]
) -> None:
    ask(opened(batch={"least": 1}, **more), [said("x")])
    ask(opened(folder=tmp_path / "b", **more), [said("x")])
    [line], [body] = play.lines("batch_0"), play.ordinary
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions") and len(line["custom_id"]) == 64
    assert line["body"] == {key: body[key] for key in body if key not in ("path", "authorization", "stream")}


def test_few_prompts_and_repairs_are_ordinary_calls(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    play.answer = lambda body: chat("no" if body["messages"][-1]["content"][-2:] == " 3" else GOOD)
    teacher = opened(batch={"least": 5})
    assert ask(teacher, many(4)) and play.batches == {} and len(play.ordinary) == 5
    assert ask(teacher, [said(f"more {number}") for number in range(5)])
    assert len(play.batches) == 1 and len(play.ordinary) == 6
    assert [row["outcome"][:3] for row in ledger(tmp_path) if row.get("batch")].count("bad") == 1
    assert [row["outcome"] for row in ledger(tmp_path)].count("repaired") == 2


def test_bad_answers_in_a_row_stop_the_run_here_too(play: BatchPlay, opened: Open) -> None:
    play.answer = lambda body: chat("no")
    with pytest.raises(StepError, match="20 answers in a row could not be used"):
        ask(opened(batch=True), many(40))


def test_waiting_shows_progress_and_looks_now_and_then(play: BatchPlay, opened: Open) -> None:
    clock, seen = Ticking(), list[tuple[int, int]]()
    prompts = [*many(12), said("text 0")]
    ask(opened(batch={"poll_seconds": 100}, clock=clock), prompts, progress=lambda *at: seen.append(at))
    assert clock.now() == 1300 and play.looks == 4
    assert seen[:3] == [(0, 13), (4, 13), (8, 13)] and seen[-1] == (13, 13) and seen == sorted(seen)


MOMENTS: dict[str, Callable[[Body], bool]] = {
    "before the upload": lambda body: body["path"] == "/files",
    "before it is made": lambda body: body["path"] == "/batches" and "input_file_id" in body,
    "at the first look": lambda body: body["path"] == "/batches/batch_0",
    "before the answers are read": lambda body: body["path"].endswith("/content"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_never_submits_twice(
    play: BatchPlay, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    import httpx2

    real = httpx2.Client.send

    def dying(self: Any, request: httpx2.Request, **more: Any) -> httpx2.Response:
        body = {} if request.headers.get("content-type") != "application/json" else json.loads(request.content)
        if MOMENTS[moment]({**body, "path": request.url.path.removeprefix("/v1")}):
            raise Died
        return real(self, request, **more)

    monkeypatch.setattr(httpx2.Client, "send", dying)
    with pytest.raises(Died):
        ask(opened(batch=True), many(20))
    monkeypatch.undo()
    monkeypatch.setenv("LOOPBACK_KEY", KEY)
    assert len(ids(tmp_path)) == (moment != "before the upload")
    teacher = opened(batch=True)
    assert ask(teacher, many(20)) == whys(20)
    assert len(play.batches) == 1 and play.ordinary == [] and ids(tmp_path) == [] and teacher.spent()["calls"] == 20


@pytest.mark.parametrize("at", ["made", "kept"])
def test_a_kill_between_two_lines_of_ours_counts_nothing_twice(
    play: BatchPlay, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Just after the server made the batch, when its id is known to nobody; and half through keeping the answers."""
    from teacher.batches.api import BatchApi
    from teacher.calls import Calls

    submit, deliver, count = BatchApi.submit, Calls.deliver, 0

    def submitted(self: BatchApi, *given: Any) -> str:
        submit(self, *given)
        raise Died

    def delivered(self: Calls, *given: Any) -> Any:
        nonlocal count
        count += 1
        if count > 10:
            raise Died
        return deliver(self, *given)

    if at == "made":
        monkeypatch.setattr(BatchApi, "submit", submitted)
    else:
        monkeypatch.setattr(Calls, "deliver", delivered)
    play.twist = lambda lines: lines[:-1]
    with pytest.raises(Died):
        ask(opened(batch=True, **PRICE), many(20))
    monkeypatch.setattr(BatchApi, "submit", submit)
    monkeypatch.setattr(Calls, "deliver", deliver)
    assert ids(tmp_path) == ["" if at == "made" else "batch_0"]
    teacher = opened(batch=True, **PRICE)
    assert ask(teacher, many(20)) == whys(20) and len(play.batches) == 1 and len(play.ordinary) == 1
    assert teacher.spent()["calls"] == 21, "twenty in the batch, one of them lost, and one ordinary"
    assert len({row["id"] for row in ledger(tmp_path) if not row["from_cache"]}) == 21


def test_what_is_pending_is_fetched_where_batches_are_off_by_now(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"Batch batch_0 with 20 prompts stays with the server; resume fetches it"):
        ask(opened(batch=True, halted=lambda: True), many(20))
    assert ids(tmp_path) == ["batch_0"]
    assert ask(opened(), many(20)) == whys(20) and play.ordinary == []


def test_a_batch_that_nobody_wants_now_is_kept_when_it_has_ended(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        ask(opened(batch=True, halted=lambda: True), many(20))
    teacher = opened()
    for number in range(5):
        ask(teacher, [said(f"other {number}")])
    assert ids(tmp_path) == [] and ask(teacher, many(20)) == whys(20) and len(play.ordinary) == 5


def test_a_batch_in_the_making_of_which_the_connection_broke_is_found(play: BatchPlay, opened: Open) -> None:
    play.lost = lambda: True
    assert ask(opened(batch=True), many(20)) == whys(20) and len(play.batches) == 1 and play.ordinary == []


def test_a_lost_batch_is_found_where_our_clock_is_ahead(
    play: BatchPlay, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ticking, "date", lambda self: 1_900_000_000 + self.time)
    play.lost = lambda: True
    assert ask(opened(batch=True), many(20)) == whys(20) and len(play.batches) == 1 and play.ordinary == []


def test_a_batch_that_was_not_made_is_tried_again(play: BatchPlay, opened: Open) -> None:
    troubles = iter([error(502, "bad gateway")])
    play.trouble = lambda body: next(troubles, None) if "input_file_id" in body else None
    assert ask(opened(batch=True), many(20)) == whys(20) and len(play.batches) == 1 and play.ordinary == []


def test_a_budget_cuts_the_batch_to_what_surely_fits(play: BatchPlay, opened: Open) -> None:
    teacher = opened(batch=True, max_tokens=5, budget=BudgetSettings(max_calls=12))
    with pytest.raises(BudgetExhausted, match=r"max_calls = 12 is reached.*8 prompts of the annotator"):
        ask(teacher, many(20))
    assert [len(play.lines(name)) for name in play.batches] == [12] and play.ordinary == []


def test_what_turned_out_cheaper_than_the_worst_makes_room_for_another(play: BatchPlay, opened: Open) -> None:
    price = {"usd_per_million_input": 0.0, "usd_per_million_output": 2e5}
    limit = BudgetSettings(max_usd=20.0)  # the worst is 0.5 * 0.2 * 20 = 2 dollars, what comes 0.5
    assert ask(opened(batch={"least": 2}, max_tokens=20, budget=limit, **price), many(30)) == whys(30)
    assert [len(play.lines(name)) for name in play.batches] == [10, 7, 5, 4, 3] and len(play.ordinary) == 1


def test_what_a_server_works_on_counts_in_the_next_process_too(play: BatchPlay, opened: Open) -> None:
    limit = BudgetSettings(max_calls=22)
    with pytest.raises(Interrupted):
        ask(opened(batch=True, budget=limit, halted=lambda: True), many(20))
    teacher = opened(budget=limit)
    ask(teacher, [said("x"), said("y")])
    with pytest.raises(BudgetExhausted, match="max_calls = 22"):
        ask(teacher, [said("z")])
    assert ask(teacher, many(20)) == whys(20) and len(play.ordinary) == 2


def test_minutes_end_a_wait_and_the_batch_stays(play: BatchPlay, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Ticking()
    play.stages = ("in_progress",) * 1000
    teacher = opened(batch=True, clock=clock, budget=BudgetSettings(max_minutes=5))
    monkeypatch.setattr(teacher._calls.budget, "_clock", clock.now)
    monkeypatch.setattr(teacher._calls.budget, "_start", clock.now())
    with pytest.raises(BudgetExhausted, match=r"max_minutes = 5 is reached.*Batch batch_0 with 20 prompts stays"):
        ask(teacher, many(20))
    assert clock.now() == 1300


def test_patience_ends_a_wait_and_the_batch_stays(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    clock = Ticking()
    play.stages = ("in_progress",) * 1000
    with pytest.raises(TeacherDown, match=r"patience_hours = 2\. Batch batch_0 with 20 prompts stays"):
        ask(opened(batch={"patience_hours": 2}, clock=clock), many(20))
    assert clock.now() == 1000 + 7200 and ids(tmp_path) == ["batch_0"]


def test_a_server_that_is_away_for_a_while_is_waited_for(play: BatchPlay, opened: Open) -> None:
    troubles = iter([error(500, "oops")] * 8)
    play.trouble = lambda body: next(troubles, None) if body["path"] == "/batches/batch_0" else None
    assert ask(opened(batch=True), many(20)) == whys(20)
    play.trouble = lambda body: error(500, "oops") if body["path"].startswith("/batches/") else None
    with pytest.raises(TeacherDown, match=r"is in trouble with its batches \(the server answered HTTP 500"):
        ask(opened(batch=True), [said(f"y {n}") for n in range(20)])


def test_the_key_is_nowhere_on_disk(play: BatchPlay, opened: Open, tmp_path: Path) -> None:
    play.answer = lambda body: chat(json.dumps({"label": "good", "why": f"you said {KEY}"}))
    with pytest.raises(Interrupted):
        ask(opened(batch=True, halted=lambda: True), many(20))
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert ask(opened(), many(20)) == ["you said ***"] * 20
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_lone_surrogates_are_no_trouble(play: BatchPlay, opened: Open) -> None:
    play.answer = lambda body: chat(GOOD)
    assert ask(opened(batch=True), [said(f"\ud800 {n}") for n in range(8)]) == ["it says so"] * 8


def test_a_damaged_file_says_what_to_do(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    (tmp_path / "batches" / "x.json").write_text("{")
    with pytest.raises(StepError, match=r"x\.json says which batch .* Delete it"):
        opened()


def test_settings() -> None:
    given = {"kind": "openai", "model": "m", "api_key_env": "none"}
    assert TeacherSettings(**given, batch=False).batch is None and TeacherSettings(**given).batch is None
    on = TeacherSettings(**given, batch=True).batch
    assert on is not None and (on.price, on.least) == (0.5, 8)
    with pytest.raises(ValueError, match="batch goes with kind = 'openai'; here every model is local"):
        TeacherSettings(kind="local", batch=True)
    with pytest.raises(ValueError, match="half"):
        TeacherSettings(**given, batch={"half": True})
