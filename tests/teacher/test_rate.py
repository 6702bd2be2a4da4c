"""Ratings over a server: long lists, short lists, none, chats."""

import pytest

from evokd.teacher.base import Prompt, TeacherDown
from evokd.teacher.teacher import ChatTeacher
from evokd.testing.loopback import Body, Loopback, Said, chat, error, text, tops
from tests.teacher.asking import Open, said

CHOICES = [" World", " Sports", " Science", " Science fiction"]


def rated(teacher: ChatTeacher, *prompts: Prompt, choices: list[str] = CHOICES) -> list[dict[str, float] | None]:
    return teacher.score_choices(list(prompts), choices, role="annotator", cycle=0)


def test_choices_are_rated_and_common_beginnings_followed(server: Loopback, opened: Open) -> None:
    def script(body: Body) -> Said:
        if "Science" in str(body["prompt"]):
            return text("x", logprobs=tops({" fiction": -1.0, "\n": -0.5}))
        listed = {" World": -1.0, " world": -1.0, " Sports": -2.0, " Science": -3.0, " S": -0.1}
        return text("x", logprobs=tops(listed))

    server.script = script
    [got] = rated(opened(), Prompt("Topic:"))
    assert got is not None
    assert got[" World"] == pytest.approx(-1.0 + 0.6931, abs=1e-3)  # both ways to write it
    assert got[" Sports"] == -2.0
    assert got[" Science fiction"] == pytest.approx(-4.0)
    assert got[" Science"] == pytest.approx(-3.0 - 0.4587, abs=1e-3)  # log(1 - e^-1): it ends here
    assert len(server.requests) == 2 and server.requests[0]["logprobs"] == 100


def test_a_choice_missing_from_the_short_list_is_looked_for_in_a_long_one(server: Loopback, opened: Open) -> None:
    short, long = {" yes": -0.1, " n": -3.0}, {" yes": -0.1, " n": -3.0, " no": -4.0}
    server.script = lambda body: text("x", logprobs=tops(long if body["logprobs"] > 100 else short))
    [got] = rated(opened(), Prompt("?"), choices=[" yes", " no"])
    assert got == {" yes": -0.1, " no": -4.0} and [body["logprobs"] for body in server.requests] == [100, 5000]


def test_no_number_is_invented(server: Loopback, opened: Open) -> None:
    server.script = lambda body: text("x", logprobs=tops({" yes": -0.1, " n": -3.0}))
    assert rated(opened(), Prompt("?"), choices=[" yes", " no"]) == [None]
    server.script = lambda body: text("x")
    server.requests.clear()
    teacher = opened()
    assert rated(teacher, Prompt("a")) + rated(teacher, Prompt("b")) == [None, None]
    assert len(server.requests) == 1  # a server that gives none is not asked again


def test_a_server_with_short_lists_and_the_old_format(server: Loopback, opened: Open) -> None:
    def script(body: Body) -> Said:
        if body["logprobs"] > 5:
            return error(400, "logprobs must be at most 5")
        old = {"tokens": [" yes"], "token_logprobs": [-0.1], "top_logprobs": [{" yes": -0.1, " no": -2.5}]}
        return text(" yes", logprobs=old)

    server.script = script
    teacher = opened(concurrency=1)
    assert rated(teacher, Prompt("a"), Prompt("b"), choices=["yes", "no"]) == [{"yes": -0.1, "no": -2.5}] * 2
    assert [body["logprobs"] for body in server.requests] == [100, 20, 5, 5]


def test_a_text_too_long_for_the_server_does_not_shorten_the_lists_of_others(server: Loopback, opened: Open) -> None:
    long = error(400, "This model's maximum context length is 1024 tokens")
    server.script = lambda body: (
        long if "long" in body["prompt"] else text("x", logprobs=tops({" yes": -0.1, " no": -1}))
    )
    teacher = opened(concurrency=1)
    assert rated(teacher, Prompt("long"), Prompt("b"), choices=["yes", "no"]) == [None, {"yes": -0.1, "no": -1}]
    assert [body["logprobs"] for body in server.requests] == [100, 100]


def test_a_chat_is_rated_along_its_own_answer(server: Loopback, opened: Open) -> None:
    along = tops({"Sci": -0.5, "World": -2.0}, {"ence": -0.1, "-fi": -3.0})
    server.script = lambda body: chat("Science", logprobs=along)
    [got] = rated(opened(), said("Topic?"), choices=["World", "Science", "Sci-fi"])
    assert got is not None and got["World"] == -2.0
    assert got["Science"] == pytest.approx(-0.6) and got["Sci-fi"] == pytest.approx(-3.5)
    assert server.requests[0]["top_logprobs"] == 20 and server.requests[0]["logprobs"] is True
    server.script = lambda body: chat("World", logprobs=tops({"World": -0.5, "Sci": -2.0}))
    assert rated(opened(), said("Topic, again?"), choices=["World", "Science", "Sci-fi"]) == [None]


def test_ratings_are_kept_and_charged_like_any_call(server: Loopback, opened: Open) -> None:
    server.script = lambda body: text("x", logprobs=tops({" yes": -0.1, " no": -2.5, " maybe": -4.0}))
    first = rated(opened(), Prompt("a"), choices=["yes", "no"])
    teacher = opened()
    assert rated(teacher, Prompt("a"), choices=["yes", "no"]) == first and len(server.requests) == 1
    assert teacher.spent()["calls"] == 1


def test_lasting_errors_while_rating_stop_the_run_too(server: Loopback, opened: Open) -> None:
    server.script = lambda body: error(500, "oops")
    with pytest.raises(TeacherDown, match=r"failed 3 calls in a row.*HTTP 500"):
        rated(opened(retries=0), *(Prompt(f"text {number}") for number in range(30)))
