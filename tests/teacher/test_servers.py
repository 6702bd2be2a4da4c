"""What servers do that are compatible with OpenAI's in their own way."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from evokd.tasks.errors import ConfigError
from evokd.teacher.base import Prompt, TeacherDown
from evokd.teacher.settings import BudgetSettings
from evokd.teacher.transport.error_classification import broken
from evokd.testing.loopback import Body, Loopback, Said, chat, error, prompt_of, text
from tests.teacher.asking import GOOD, Label, Open, ask, ledger, many, said, untrusted

WORDS = "Answer with one JSON object that fits this JSON schema"


def taught(body: Body) -> Said:
    """A server that takes `response_format` and does not look at it: it answers in JSON only where it is told how."""
    return chat(GOOD if WORDS in prompt_of(body) else '{"verdict": "good"}')


def test_a_server_that_overlooks_the_form_is_told_it_in_words(server: Loopback, opened: Open) -> None:
    server.script = taught
    teacher = opened(concurrency=1)
    assert ask(teacher, many(5)) == ["it says so"] * 5
    assert len(server.requests) == 6, "from the second prompt on it is told at once"
    assert all("response_format" in body for body in server.requests)
    assert [WORDS in prompt_of(body) for body in server.requests] == [False, *[True] * 5]


def test_the_version_that_azure_wants_arrives_with_every_call(server: Loopback, opened: Open) -> None:
    server.script = lambda body: text(" on") if body["path"].startswith("/completions") else chat(GOOD)
    teacher = opened(base_url=f"{server.url}/?api-version=2024-10-21")
    ask(teacher, many(1))
    teacher.complete([Prompt("and so")], role="a", cycle=1)
    paths = [body["path"] for body in server.requests]
    assert paths == ["/chat/completions?api-version=2024-10-21", "/completions?api-version=2024-10-21"]


def test_no_warning_says_that_proxies_are_not_heeded(
    server: Loopback, opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.script = lambda body: chat(GOOD)
    ask(opened(), many(1))
    assert "proxy" not in caplog.text.lower()


def test_one_answer_that_did_not_fit_is_no_reason_to_spell_the_form_out(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat("hm" if prompt_of(body) == "text 1" else GOOD)
    ask(opened(concurrency=1), many(4))
    assert [WORDS in prompt_of(body) for body in server.requests] == [False, False, True, False, False]


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_tokens_that_a_server_does_not_count_are_estimated(server: Loopback, opened: Open, usage: Any) -> None:
    def uncounted(body: Body) -> Said:
        answer = chat(GOOD)
        answer.body["usage"] = usage
        return answer

    server.script = uncounted
    teacher = opened(budget=BudgetSettings(max_tokens=1500), concurrency=1, max_tokens=100)
    with pytest.raises(Exception, match="max_tokens = 1500 is reached"):
        ask(teacher, many(30))
    assert 500 < teacher.spent()["tokens"] <= 1500


def test_what_a_model_thinks_counts_where_only_the_total_has_it(server: Loopback, opened: Open) -> None:
    answer = chat(GOOD)
    answer.body["usage"] = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 2150}
    server.script = lambda body: answer
    teacher = opened()
    ask(teacher, many(1))
    assert (teacher.spent()["input"], teacher.spent()["output"]) == (100, 2050)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([{"error": {"code": 400, "message": "Please use a valid role", "status": "INVALID_ARGUMENT"}}], "valid role"),
        ({"detail": "Field required: tools"}, "Field required: tools"),
        ({"error": "model not found, try pulling it first"}, "try pulling it first"),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": "no room"}}}, "no room"),
        (b"upstream says no", "upstream says no"),
        (b"<html><style>b{}</style><body>Blocked by <b>policy</b></body></html>", "400: Blocked by policy)"),
    ],
)
def test_what_the_server_said_is_passed_on(server: Loopback, opened: Open, body: Any, words: str) -> None:
    server.script = lambda asked: Said(400, body)
    [answer] = opened().ask([said("x")], Label, role="a", cycle=0)
    assert words in f"({answer.problem})"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (error(400, "Your credit balance is too low to access the API"), "no money left"),
        (Said(400, [{"error": {"message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]), "Check the key"),
        (Said(200, {"error": {"message": "Provider returned error", "code": 401}}), "Check the key"),
    ],
)
def test_an_account_or_key_of_no_use_stops_at_once(server: Loopback, opened: Open, trouble: Said, words: str) -> None:
    server.script = lambda body: trouble
    with pytest.raises(TeacherDown, match=words):
        ask(opened(concurrency=1), many(30))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (("seed",), {"max_tokens", "max_completion_tokens"}),
        (("max_completion_tokens",), {"seed", "max_tokens"}),
        (("max_tokens",), {"seed", "max_completion_tokens"}),
        (("seed", "max_completion_tokens"), {"max_tokens"}),
    ],
)
def test_fields_that_a_server_refuses_by_name_are_left_out(
    server: Loopback, opened: Open, names: tuple[str, ...], left: set[str]
) -> None:
    def strict(body: Body) -> Said:
        named = [name for name in names if name in body]
        detail = [{"type": "extra_forbidden", "loc": ["body", named[0]], "msg": "not permitted"}] if named else None
        return Said(422, {"detail": detail}) if named else chat(GOOD)

    server.script = strict
    assert ask(opened(concurrency=1, max_tokens=50), many(3)) == ["it says so"] * 3
    assert len(server.requests) == 3 + len(names)
    assert set(server.requests[-1]) & {"seed", "max_tokens", "max_completion_tokens"} == left


def test_the_last_name_of_the_limit_stays(server: Loopback, opened: Open) -> None:
    server.script = lambda body: error(400, "max_tokens and max_completion_tokens may be 8 at most")
    with pytest.raises(TeacherDown, match="may be 8 at most"):
        ask(opened(concurrency=1, max_tokens=50), many(30))
    assert any(name in server.requests[-1] for name in ("max_tokens", "max_completion_tokens"))


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (error(400, "Unsupported value: 'temperature' does not support 0.5"), "'temperature' does not support 0.5"),
        (Said(body=b"<html>It works!</html>"), "not an OpenAI answer"),
        (error(503, "loading"), "HTTP 503: .*loading"),
    ],
)
def test_where_every_call_fails_the_run_stops_soon(server: Loopback, opened: Open, trouble: Said, words: str) -> None:
    server.script = lambda body: trouble
    teacher = opened(concurrency=1, retries=0)
    with pytest.raises(TeacherDown, match=f"failed 3 calls in a row.*{words}.* then resume"):
        ask(teacher, many(30))
    assert len(server.requests) <= 9 and teacher.spent()["tokens"] == 0, "nobody bills for these"


def test_refusals_of_single_texts_do_not_stop_a_server_that_answers(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat(GOOD) if prompt_of(body) in ("text 0", "text 9") else error(400, "not this")
    answers = ask(opened(concurrency=1), many(10))
    assert answers == ["it says so", *[None] * 8, "it says so"]


def test_a_server_that_breaks_down_later_stops_the_run(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat(GOOD) if prompt_of(body) == "text 0" else error(502, "bad gateway")
    with pytest.raises(TeacherDown, match="failed 3 calls in a row"):
        ask(opened(concurrency=1, retries=0), many(10))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "trouble",
    [
        {"error": {"message": "Provider returned error", "code": 429}},
        {"error": {"message": "Provider returned error", "code": 502}},
        {"error": {"message": "overloaded", "code": "server_error"}},
        {"error": "oops", "choices": None},
        {"choices": []},
    ],
)
def test_an_error_inside_a_success_is_passing_trouble_and_free(
    server: Loopback, opened: Open, tmp_path: Path, trouble: Any
) -> None:
    server.script = lambda body: Said(body=trouble) if len(server.requests) == 1 else chat(GOOD)
    assert ask(opened(), many(1)) == ["it says so"] and len(server.requests) == 2
    assert [row["outcome"] for row in ledger(tmp_path)] == ["ok"]


def test_another_form_is_tried_where_the_schema_is_refused_in_openais_words(server: Loopback, opened: Open) -> None:
    refusal = "Invalid schema for response_format 'Label': In context=('properties', 'why'), 'x' is not permitted."
    server.script = lambda body: (
        error(400, refusal) if body.get("response_format", {}).get("type") == "json_schema" else chat(GOOD)
    )
    assert ask(opened(concurrency=1), many(3)) == ["it says so"] * 3 and len(server.requests) == 4


@pytest.mark.parametrize("words", ["Response was flagged by the content_filter", "maximum context length is 8192"])
def test_no_other_form_is_tried_for_what_a_text_holds(server: Loopback, opened: Open, words: str) -> None:
    server.script = lambda body: error(400, words) if prompt_of(body) == "text 1" else chat(GOOD)
    assert ask(opened(concurrency=1), many(3)) == ["it says so", None, "it says so"] and len(server.requests) == 3


def test_one_generation_that_broke_the_schema_is_made_again(server: Loopback, opened: Open) -> None:
    server.script = lambda body: (
        error(400, "Failed to validate JSON", "json_validate_failed") if len(server.requests) == 1 else chat(GOOD)
    )
    assert ask(opened(concurrency=1), many(3)) == ["it says so"] * 3
    assert all(body["response_format"]["type"] == "json_schema" for body in server.requests)


@pytest.mark.slow
def test_a_server_that_works_on_one_call_after_the_other_is_asked_for_fewer(server: Loopback, opened: Open) -> None:
    server.script = lambda body: Said(hang=True) if len(server.requests) <= 8 else chat(GOOD)
    assert all(ask(opened(concurrency=8, retries=4, timeout=0.5), many(24)))
    assert len(server.requests) <= 24 + 8


@pytest.mark.slow
def test_a_silent_server_is_asked_twice(server: Loopback, opened: Open) -> None:
    server.script = lambda body: Said(hang=True)
    with pytest.raises(TeacherDown, match=r"gave no answer within 0\.2 s, 2 times"):
        ask(opened(concurrency=1, retries=4, timeout=0.2), many(1))
    assert len(server.requests) == 2


def test_a_proxy_is_named_where_nobody_answers(server: Loopback, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TeacherDown, match=r"through the proxy http://127\.0\.0\.1:9 .*NO_PROXY") as told:
        ask(opened(), many(1))
    assert "secret" not in str(told.value) and not server.requests


@pytest.mark.parametrize(("name", "value"), [("ALL_PROXY", "socks9://h:1"), ("HTTP_PROXY", "nonsense://x")])
def test_a_proxy_that_cannot_be_used_is_the_users_mistake(
    opened: Open, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=rf"can be prepared .*{name}"):
        ask(opened(), many(1))


def test_a_certificate_that_is_not_trusted_is_told_as_that() -> None:
    failed = httpx2.ConnectError("failed")
    failed.__cause__ = untrusted()
    trouble = broken(failed)
    assert trouble.what == "untrusted" and not trouble.is_passing and str(trouble) == "self-signed certificate"
