"""A server whose every answer is empty is given up soon, with the likely setting, and asked anew once repaired."""

from pathlib import Path
from typing import Any

import pytest

from evokd.teacher.base import Prompt, TeacherDown
from evokd.testing.loopback import Body, Loopback, Said, chat, error, prompt_of, text
from tests.teacher.asking import GOOD, KEY, Label, Open, ask, ledger, many, said


def thinking(thoughts: str, name: str = "reasoning_content", finish: str = "stop") -> Said:
    """An answer all of which stands where models think."""
    answer = chat(None, finish)
    answer.body["choices"][0]["message"][name] = thoughts
    return answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (thinking(GOOD), r"where models think: '\{\"label\": \"good\".*--reasoning-parser"),
        (thinking(GOOD, "reasoning"), r"where models think: .*enable_thinking = false"),
        (chat(f"<think>{GOOD}"), r"where models think: '<think>"),
        (thinking("hm, hm", finish="length"), r"finish_reason 'length'.*raise teacher\.max_tokens"),
        (chat(""), r"chat template, or ask for JSON in words: teacher\.structured = 'none'"),
        (chat(" \n"), r"chat template"),
    ],
)
def test_it_is_given_up_soon_and_says_why(server: Loopback, opened: Open, answer: Said, words: str) -> None:
    server.script = lambda body: answer
    with pytest.raises(TeacherDown, match=rf"model 'm'\) gave 4 empty answers and no other .*{words}.*; then resume"):
        ask(opened(concurrency=1), many(30))
    assert len(server.requests) == 4


def test_the_repaired_server_is_asked(server: Loopback, opened: Open, tmp_path: Path) -> None:
    server.script = lambda body: chat("")
    with pytest.raises(TeacherDown):
        ask(opened(concurrency=1), many(3))
    server.script = lambda body: chat(GOOD)
    teacher = opened(concurrency=1)
    assert ask(teacher, many(3)) == ["it says so"] * 3
    assert len(server.requests) == 7 and teacher.spent()["calls"] == 7, "the empty ones stay in the account"
    assert ask(opened(), many(3)) == ["it says so"] * 3 and len(server.requests) == 7
    assert len({row["id"] for row in ledger(tmp_path) if not row["from_cache"]}) == 7


def test_continued_texts_are_heard_too(server: Loopback, opened: Open) -> None:
    server.script = lambda body: text("")
    with pytest.raises(TeacherDown, match="empty answers and no other"):
        opened(concurrency=1).complete([Prompt(f"Once {n}") for n in range(30)], role="a", cycle=0)
    assert len(server.requests) == 4


def test_a_model_that_has_spoken_may_be_silent(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat(GOOD if "text 0" in str(body["messages"][0]) else "")
    assert ask(opened(concurrency=1), many(8)) == ["it says so", *[None] * 7]


def test_a_refusal_is_no_silence(server: Loopback, opened: Open) -> None:
    server.script = lambda body: chat("", refusal=f"No, {KEY}")
    answers = opened(concurrency=1).ask(many(6), Label, role="a", cycle=0)
    assert [answer.problem for answer in answers] == ["the model refused: No, ***"] * 6


@pytest.mark.parametrize("bad", ["", "no", '{"label": "?"}'])
def test_answers_of_no_use_are_not_shared(server: Loopback, opened: Open, tmp_path: Path, bad: str) -> None:
    shared = {"cache": str(tmp_path / "shared.sqlite"), "concurrency": 1}
    server.script = lambda body: chat(GOOD if "text 0" in str(body["messages"][0]) else bad)
    assert ask(opened(folder=tmp_path / "a", **shared), many(2)) == ["it says so", None]
    server.script = lambda body: chat(GOOD)
    before = len(server.requests)
    assert ask(opened(folder=tmp_path / "b", **shared), many(2)) == ["it says so"] * 2
    assert len(server.requests) == before + 1
    assert ask(opened(folder=tmp_path / "c", **shared), many(2)) == ["it says so"] * 2
    assert len(server.requests) == before + 1


def test_a_shared_answer_of_no_use_is_asked_for_anew(server: Loopback, opened: Open, tmp_path: Path) -> None:
    """A cache of an earlier version holds such answers."""
    server.script = lambda body: chat("" if len(body["messages"]) == 1 else GOOD)
    first = opened(folder=tmp_path / "a", concurrency=1)
    ask(first, many(1))
    first.close()
    (tmp_path / "a" / "answers.sqlite").rename(tmp_path / "old.sqlite")
    server.script = lambda body: chat(GOOD)
    ask(opened(folder=tmp_path / "b", cache=str(tmp_path / "old.sqlite")), many(1))
    assert prompt_of(server.requests[-1]) == "text 0", "not a repair turn"


@pytest.mark.parametrize("status", [500, 501])
def test_a_server_that_breaks_over_a_schema_is_asked_in_another_form(
    server: Loopback, opened: Open, status: int
) -> None:
    def script(body: Body) -> Said:
        kind = body.get("response_format", {}).get("type")
        return error(status, "grammar compiler failed") if kind == "json_schema" else chat(GOOD)

    server.script = script
    teacher = opened(concurrency=1)
    assert ask(teacher, many(3)) == ["it says so"] * 3 and teacher.mode("annotator") == "json_object"
    assert [body.get("response_format", {}).get("type") for body in server.requests][-3:] == ["json_object"] * 3


def test_a_schema_that_has_worked_is_not_given_up_for_an_outage(server: Loopback, opened: Open) -> None:
    server.script = lambda body: error(500, "oops") if prompt_of(body) == "text 1" else chat(GOOD)
    assert ask(opened(concurrency=1, retries=0), many(3)) == ["it says so", None, "it says so"]
    assert all(body["response_format"]["type"] == "json_schema" for body in server.requests)


@pytest.mark.parametrize("form", ["json_schema", "json_object", "none"])
def test_a_setting_chooses_the_form(server: Loopback, opened: Open, form: str) -> None:
    ask(opened(structured=form), many(1))
    [body] = server.requests
    assert body.get("response_format", {"type": "none"})["type"] == form
    assert ("fits this JSON schema" in prompt_of(body)) is (form != "json_schema")


@pytest.mark.parametrize(
    "message",
    [
        {"content": GOOD},
        {"role": None, "content": GOOD},
        {"role": "user", "content": GOOD},
        {"role": 7, "content": GOOD, "tool_calls": "none", "function_call": 3},
        {"role": "tool", "content": GOOD, "tool_calls": [{"function": None}]},
        {"role": "assistant", "content": {"label": "good", "why": "it says so"}},
        {"role": "assistant", "content": [{"type": "text", "text": GOOD}]},
    ],
)
def test_a_message_in_a_form_of_its_own_is_read(server: Loopback, opened: Open, message: Any) -> None:
    answer = chat(GOOD)
    answer.body["choices"][0]["message"] = message
    server.script = lambda body: answer
    assert ask(opened(), many(2)) == ["it says so"] * 2


def test_a_key_among_thoughts_is_not_shown(server: Loopback, opened: Open) -> None:
    server.script = lambda body: thinking(f"it is {KEY}")
    with pytest.raises(TeacherDown, match=r"it is \*\*\*"):
        opened(concurrency=1).ask([said(f"x {n}") for n in range(9)], Label, role="a", cycle=0)
