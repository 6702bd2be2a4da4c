"""What a prompt is about: told to a test's own server and to nobody else, and of no account for what is asked."""

import pytest

from evokd.teacher.base import Prompt
from evokd.testing.loopback import Loopback, as_prompt, chat, prompt_of, text
from tests.teacher.asking import GOOD, Label, Open, said

ABOUT = {"purpose": "labels", "count": 1, "texts": [{"id": 1, "text": "x"}]}


def told() -> Prompt:
    return Prompt(said("x").body, about=ABOUT)


def test_a_server_of_a_test_is_told_in_every_turn(server: Loopback, opened: Open) -> None:
    server.script = lambda body: text(" x") if "prompt" in body else chat(GOOD if len(body["messages"]) > 1 else "hm")
    teacher = opened()
    [answer] = teacher.ask([told()], Label, role="a", cycle=0)
    teacher.complete([Prompt("x", about=ABOUT)], role="a", cycle=0)
    assert answer.value is not None and [body["about"] for body in server.requests] == [ABOUT] * 3
    assert as_prompt(server.requests[0]).about == ABOUT


def test_nobody_is_told_unless_a_test_wants_it(server: Loopback, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVOKD_TELL_LOOPBACK")
    opened().ask([told()], Label, role="a", cycle=0)
    assert [sorted(body) for body in server.requests] == [
        ["authorization", "messages", "model", "path", "response_format", "seed", "stream"]
    ]


def test_no_server_elsewhere_is_told(server: Loopback, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is that of a stranger; the proxy on the way shows what would reach it."""
    monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v1"))
    opened(base_url="http://127.0.0.1.example.com/v1").ask([told()], Label, role="a", cycle=0)
    [body] = server.requests
    assert body["path"] == "http://127.0.0.1.example.com/v1/chat/completions" and prompt_of(body) == "x"
    assert "about" not in body


def test_prompts_of_the_same_words_are_one_request(server: Loopback, opened: Open) -> None:
    teacher = opened()
    first, second = teacher.ask([told(), said("x")], Label, role="a", cycle=0)
    [third] = teacher.ask([Prompt(said("x").body, about={"purpose": "other"})], Label, role="a", cycle=0)
    assert first.prompt == second.prompt == third.prompt and len(server.requests) == 1
    assert told() == said("x")
