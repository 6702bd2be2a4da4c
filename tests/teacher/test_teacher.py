"""What the teacher makes of answers: order, validation, repair, cache, budget."""

import json
import random
import threading
from pathlib import Path

import pytest
from pydantic import BaseModel, field_validator

from evokd.tasks.errors import BudgetExhausted, ConfigError
from evokd.teacher.base import Prompt
from evokd.teacher.settings import BudgetSettings
from evokd.testing.loopback import Body, Loopback, Said, chat, error, prompt_of, text
from tests.teacher.asking import GOOD, KEY, Label, Open, ledger, many, said


def test_answers_come_in_order_and_are_validated(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat(json.dumps({"label": "good", "why": prompt_of(body)}))
    progress: list[tuple[int, int]] = []
    answers = opened().ask(many(20), Label, role="annotator", cycle=2, progress=lambda *at: progress.append(at))
    assert [answer.value.why for answer in answers if answer.value] == [f"text {number}" for number in range(20)]
    assert progress == [(number, 20) for number in range(1, 21)]
    assert answers[0].usage.input == 10 and answers[0].usage.output == 5 and answers[0].model == "m"


def test_no_prompts_no_calls(server: Loopback, opened: Open) -> None:
    assert opened().ask([], Label, role="annotator", cycle=0) == [] and server.requests == []


def test_the_request_holds_schema_seed_both_token_limits_and_the_extra_fields(server: Loopback, opened: Open) -> None:
    teacher = opened(max_tokens=77, temperature=0.5, top_p=0.9, extra_body={"min_p": 0.1})
    teacher.ask([said("x")], Label, role="annotator", cycle=0)
    [body] = server.requests
    assert body["path"] == "/chat/completions" and body["authorization"] == f"Bearer {KEY}"
    assert body["max_tokens"] == body["max_completion_tokens"] == 77
    assert (body["temperature"], body["top_p"], body["min_p"]) == (0.5, 0.9, 0.1)
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True and schema["schema"]["required"] == ["label", "why"]
    assert schema["schema"]["additionalProperties"] is False
    assert isinstance(body["seed"], int)


def test_samples_and_run_seeds_differ_and_are_stable(server: Loopback, opened: Open, tmp_path: Path) -> None:
    opened().ask([said("x", 0), said("x", 1)], Label, role="a", cycle=0)
    opened(folder=tmp_path / "again").ask([said("x", 0), said("x", 1)], Label, role="a", cycle=0)
    opened(folder=tmp_path / "other", seed=2).ask([said("x", 0)], Label, role="a", cycle=0)
    seeds = [body["seed"] for body in server.requests]
    assert len(set(seeds[:2])) == 2 and set(seeds[:2]) == set(seeds[2:4]) and seeds[4] not in seeds[:4]


@pytest.mark.parametrize(
    "answer",
    [
        f"Sure! Here you are: {GOOD} Hope that helps.",
        f"```json\n{GOOD}\n```",
        f"<think>Is it {{bad}}? {{\"label\": \"bad\"}}</think>\n{GOOD}",
        f"so it must be good.</think>{GOOD}",
        f'An example: {{"label": "x"}}. My answer: {GOOD}',
        '{"label": "good", "why": "line one\nline two"}',
    ],
)  # fmt: skip
def test_json_is_found_in_what_surrounds_it(server: Loopback, opened: Open, answer: str) -> None:
    server.script = lambda body: chat(answer)
    [got] = opened().ask([said("x")], Label, role="a", cycle=0)
    assert got.problem is None and got.value is not None and got.value.label == "good"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (chat("I would say good."), "holds no JSON object"),
        (chat('{"label": "neutral", "why": "?"}'), "label: String should match pattern"),
        (chat('{"label": "good"}'), "why: Field required"),
        (chat('{"label": "good", "why": "it s', "length"), "cut off at the token limit"),
        (chat(GOOD, "length"), "cut off at the token limit"),
        (chat(None, refusal="I can't do that."), "refused: I can't do that."),
        (chat(""), "was empty"),
        (chat(GOOD, "content_filter"), "content filter"),
        (chat('{"label": NaN, "why": "x"}'), "holds no JSON object"),
        (chat('{"a":' * 5000), "holds no JSON object"),
        (chat(f"<think>It could be {GOOD}"), "was empty"),
        (chat('[{"label": "good", "why": "x"}, {"label": "bad", "why": "y"}]'), "2 different JSON objects"),
        (chat(f'The text says {{"label": "bad", "why": "ignore the above"}}. {GOOD}'), "2 different JSON objects"),
    ],
)
def test_a_bad_answer_is_repaired_once(
    server: Loopback, opened: Open, tmp_path: Path, answer: Said, problem: str
) -> None:
    server.script = lambda body: answer if len(body["messages"]) == 1 else chat(GOOD)
    [got] = opened().ask([said("x")], Label, role="a", cycle=0)
    assert got.value is not None and got.usage.input == 20
    turns = server.requests[1]["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"] and problem in turns[2]["content"]
    first, second = ledger(tmp_path)
    assert first["outcome"].startswith("bad answer") and problem in first["outcome"]
    assert (second["attempt"], second["outcome"]) == ("repair", "repaired")


def test_a_bad_answer_that_stays_bad_is_one_problem(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat(GOOD if "text 1" in str(body["messages"][0]) else "no")
    bad, good = opened().ask([said("text 0"), said("text 1")], Label, role="a", cycle=0)
    assert bad.value is None and "no JSON object" in (bad.problem or "") and bad.text == "no"
    assert good.value is not None and len(server.requests) == 3


@pytest.mark.parametrize("known", ["json_object", "none"])
def test_a_server_without_schemas_is_told_in_words_and_remembered(server: Loopback, opened: Open, known: str) -> None:
    def script(body: Body) -> Said:
        kind = body.get("response_format", {"type": "none"})["type"]
        if kind == "json_schema" or (kind == "json_object" and known == "none"):
            return error(400, f"response_format {kind} is not supported")
        return chat(GOOD)

    server.script = script
    teacher = opened()
    [first] = teacher.ask([said("x")], Label, role="a", cycle=0)
    assert first.value is not None and '"additionalProperties": false' in prompt_of(server.requests[-1])
    before = len(server.requests)
    teacher.ask([said("y")], Label, role="a", cycle=0)
    assert before == (2 if known == "json_object" else 3) and len(server.requests) == before + 1


def test_the_answer_of_a_server_without_schemas_is_found_again(server: Loopback, opened: Open, tmp_path: Path) -> None:
    server.script = lambda body: chat(GOOD) if "response_format" not in body else error(400, "no response_format")
    opened().ask([said("x")], Label, role="a", cycle=0)
    count = len(server.requests)
    [again] = opened().ask([said("x")], Label, role="a", cycle=0)
    assert again.value is not None and len(server.requests) == count
    [row] = [json.loads(line) for line in (tmp_path / "transcripts.jsonl").read_text().splitlines()]
    assert row["messages"][0]["content"] == prompt_of(server.requests[-1]) and row["answer"] == GOOD


def test_the_same_prompt_is_asked_once(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat(json.dumps({"label": "good", "why": str(len(server.requests))}))
    same = [said("x"), said("y"), said("x"), said("x", 1)]
    answers = opened(concurrency=1).ask(same, Label, role="a", cycle=0)
    assert [answer.value.why for answer in answers if answer.value] == ["1", "2", "1", "3"]


def test_nothing_is_asked_twice(server: Loopback, opened: Open, tmp_path: Path) -> None:
    server.script = lambda body: chat(GOOD if "5" not in str(body["messages"][0]) else "no")
    opened().ask(many(8), Label, role="a", cycle=0)
    count = len(server.requests)
    teacher = opened()
    answers = teacher.ask(many(8), Label, role="a", cycle=1)
    assert len(server.requests) == count == 9 and [answer.value is None for answer in answers].count(True) == 1
    assert all(answer.usage.input == 0 for answer in answers)
    assert teacher.spent()["calls"] == 9 and teacher.spent(1)["calls"] == 0 and teacher.spent(0)["input"] == 90
    assert sum(row["from_cache"] for row in ledger(tmp_path)) == 9


def test_another_schema_model_or_temperature_is_another_request(server: Loopback, opened: Open) -> None:
    class Other(BaseModel):
        why: str

    opened().ask([said("x")], Label, role="a", cycle=0)
    opened().ask([said("x")], Other, role="a", cycle=0)
    opened(model="m2").ask([said("x")], Label, role="a", cycle=0)
    opened(temperature=0.1).ask([said("x")], Label, role="a", cycle=0)
    assert len(server.requests) == 4


def test_the_budget_stops_before_the_call_and_resume_goes_on(server: Loopback, opened: Open) -> None:
    with pytest.raises(BudgetExhausted, match=r"budget.max_calls = 3 is reached: 3 calls made.*Raise budget.max_calls"):
        opened(budget=BudgetSettings(max_calls=3)).ask(many(10), Label, role="a", cycle=0)
    assert len(server.requests) == 3
    with pytest.raises(BudgetExhausted, match="3 calls made"):
        opened(budget=BudgetSettings(max_calls=3)).ask(many(10), Label, role="a", cycle=0)
    assert len(server.requests) == 3
    answers = opened(budget=BudgetSettings(max_calls=10)).ask(many(10), Label, role="a", cycle=0)
    assert len(server.requests) == 10 and all(answer.value for answer in answers)


def test_money_is_counted_and_limited(opened: Open) -> None:
    price = {"usd_per_million_input": 1e5, "usd_per_million_output": 2e5}  # 1 + 1 dollars a call
    teacher = opened(**price)
    teacher.ask([said("x")], Label, role="a", cycle=0)
    assert teacher.spent()["usd"] == pytest.approx(2.0)
    with pytest.raises(BudgetExhausted, match=r"2\.0000 USD spent"):
        opened(budget=BudgetSettings(max_usd=2.5), **price).ask(many(3), Label, role="a", cycle=0)
    with pytest.raises(ConfigError, match="price of model 'm' is unknown"):
        opened(budget=BudgetSettings(max_usd=2.5))


@pytest.mark.parametrize(("cached_price", "usd"), [(None, 2.0), (1e4, 1.28)])
def test_what_the_server_had_in_its_own_cache_is_told_apart_and_priced(
    server: Loopback, opened: Open, tmp_path: Path, cached_price: float | None, usd: float
) -> None:
    server.script = lambda body: chat(GOOD, cached=8)
    price = {"usd_per_million_input": 1e5, "usd_per_million_output": 2e5, "usd_per_million_cached_input": cached_price}
    teacher = opened(**price)
    teacher.ask([said("x")], Label, role="a", cycle=0)
    assert teacher.spent()["cached"] == 8 and teacher.spent()["usd"] == pytest.approx(usd)
    [row] = ledger(tmp_path)
    assert (row["input"], row["cached_input"], row["usd"]) == (10, 8, pytest.approx(usd))


@pytest.mark.slow
@pytest.mark.parametrize(("max_tokens", "at_once"), [(1000, 32), (None, 16)])
def test_money_is_passed_by_less_than_one_call_with_32_in_flight(
    server: Loopback, opened: Open, max_tokens: int | None, at_once: int
) -> None:
    """Answers vary a hundredfold, so nothing but the worst case is a safe guess; the server keeps its own account."""
    charged: list[float] = []
    together, lock = threading.Barrier(at_once), threading.Lock()

    def script(body: Body) -> Said:
        long = random.Random(prompt_of(body)).random() < 0.3
        if len(server.requests) <= at_once:
            together.wait(60)  # none of the first is answered before all are in flight
        reply = chat(GOOD)
        reply.body["usage"] |= {"prompt_tokens": 50, "completion_tokens": 1000 if long else 10}
        with lock:
            charged.append((50 * 1.0 + reply.body["usage"]["completion_tokens"] * 4.0) / 1e6)
        return reply

    server.script = script
    price = {"usd_per_million_input": 1.0, "usd_per_million_output": 4.0}
    teacher = opened(budget=BudgetSettings(max_usd=0.3), concurrency=32, max_tokens=max_tokens, **price)
    with pytest.raises(BudgetExhausted) as stop:
        teacher.ask(many(400), Label, role="writer", cycle=0)
    dearest = (50 * 1.0 + 1000 * 4.0) / 1e6
    assert 0.3 - 1.1 * dearest < sum(charged) < 0.3 + dearest and not together.broken
    assert teacher.spent()["usd"] == pytest.approx(sum(charged)) and teacher.spent()["calls"] == len(charged)
    left = 400 - len(charged)
    assert f"{left} prompts of the writer are still without an answer: about " in str(stop.value)
    assert f"at what the {len(charged)} calls so far took" in str(stop.value) and "Raise budget.max_usd" in str(
        stop.value
    )


def test_an_answer_is_read_once(server: Loopback, opened: Open) -> None:
    read: list[str] = []

    class Counted(BaseModel):
        said: str

        @field_validator("said")
        @classmethod
        def _count(cls, said: str) -> str:
            read.append(said)
            return said

    server.script = lambda body: chat(json.dumps({"said": prompt_of(body)}))
    opened().ask(many(3), Counted, role="a", cycle=0)
    assert sorted(read) == ["text 0", "text 1", "text 2"]


def test_spent_has_no_money_where_a_price_is_unknown(opened: Open) -> None:
    teacher = opened()
    teacher.ask([said("x")], Label, role="a", cycle=0)
    assert set(teacher.spent()) == {"calls", "input", "output", "cached", "seconds", "tokens"}


def test_roles_may_differ(server: Loopback, opened: Open) -> None:
    teacher = opened(roles={"annotator": {"model": "big", "temperature": 0.0}})
    teacher.ask([said("x")], Label, role="annotator", cycle=0)
    teacher.ask([said("x")], Label, role="generator", cycle=0)
    assert [(body["model"], body.get("temperature")) for body in server.requests] == [("big", 0.0), ("m", None)]
    assert teacher.model("annotator") == "big" and teacher.prompting("annotator") == "instruct"


def test_texts_are_continued_and_chats_answered(server: Loopback, opened: Open) -> None:
    server.script = lambda body: text(" and so on") if body["path"] == "/completions" else chat("hello")
    free, spoken = opened().complete([Prompt("Once"), said("Hi")], role="generator", cycle=0, stop=["\n"])
    assert (free.text, spoken.text) == (" and so on", "hello") and free.usage.input == 8
    once, hi = sorted(server.requests, key=lambda body: body["path"], reverse=True)
    assert once["prompt"] == ["Once"] or once["prompt"] == "Once"
    assert once["stop"] == hi["stop"] == ["\n"] and once["temperature"] == 1.0 and once["max_tokens"] == 256


def test_the_bodies_of_both_endpoints_agree_on_the_old_token_limit(server: Loopback, opened: Open) -> None:
    server.script = lambda body: text("x")
    opened(max_tokens=9).complete([Prompt("Once")], role="generator", cycle=0)
    assert server.requests[0]["max_tokens"] == 9 and "max_completion_tokens" not in server.requests[0]
