"""What every teacher must do: run against the fake and against the real one on a loopback server.

To check a teacher of your own, add a `Case` that builds it; its model must follow `answer_to`.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from langchain_core.language_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from pydantic import BaseModel

from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Answer, Message, Prompt, Teacher
from evokd.teacher.custom import CustomTeacher
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, TeacherSettings
from tests.fakes import ScriptedTeacher, words
from tests.loopback import Body, Said, chat, prompt_of, serving, text, tops


class Echo(BaseModel):
    said: str


def answer_to(said: str) -> str:
    """The model's side: it repeats what it is told, and answers `bad` with something that does not fit."""
    return json.dumps({"wrong": 1} if "bad" in said else {"said": said})


def chance(choice: str) -> float:
    return math.log(0.75 if choice.strip() == "yes" else 0.25)


@contextmanager
def scripted(folder: Path) -> Iterator[Teacher]:
    def speak(prompt: Prompt) -> object:
        if isinstance(prompt.body, str):
            return f"{prompt.body} and on\nsecond line"
        return json.loads(answer_to(words(prompt)))

    yield ScriptedTeacher({"annotator": speak}, {"annotator": lambda prompt, choice: chance(choice)})


@contextmanager
def on_loopback(folder: Path) -> Iterator[Teacher]:
    def script(body: Body) -> Said:
        said = prompt_of(body) if "prompt" in body else str(body["messages"][0]["content"])
        if "prompt" not in body:
            return chat(answer_to(said))
        if body.get("logprobs"):
            return text("x", logprobs=tops({" yes": chance("yes"), " no": chance("no")}))
        return text(f"{body['prompt'][0]} and on" if isinstance(body["prompt"], list) else f"{body['prompt']} and on")

    settings = TeacherSettings(kind="openai", model="m", base_url="http://127.0.0.1:1/v1", api_key_env="none")
    with serving(script) as server:
        settings = settings.model_copy(update={"base_url": server.url})
        teacher = open_teacher(settings, Budget(BudgetSettings(), settings), folder, run="contract", seed=0)
        yield teacher
        teacher.close()


@contextmanager
def provided(folder: Path) -> Iterator[Teacher]:
    class Model(SimpleChatModel):
        """A chat model as LangChain's packages have them."""

        @property
        def _llm_type(self) -> str:
            return "echo"

        def _call(self, messages: list[BaseMessage], *given: Any, **more: Any) -> str:
            return answer_to(str(messages[0].content).partition("\n\nAnswer with one JSON object")[0])

    settings = TeacherSettings(kind="langchain", model="acme:echo")
    with patch("evokd.teacher.transport.langchain_client.open_model", lambda endpoint: Model()):
        teacher = open_teacher(settings, Budget(BudgetSettings(), settings), folder, run="contract", seed=0)
        yield teacher
        teacher.close()


class Repeating(CustomTeacher):
    """A teacher of the user's own in its short form."""

    def answer(self, messages: Sequence[Message], schema: dict[str, Any] | None) -> str:
        return answer_to(messages[0]["content"].partition("\n\nAnswer with one JSON object")[0])


@contextmanager
def own(folder: Path) -> Iterator[Teacher]:
    settings = TeacherSettings(kind="mine:Repeating")
    limits = Budget(BudgetSettings(), settings)
    teacher = open_teacher(settings, limits, folder, run="contract", seed=0, own={"mine:Repeating": Repeating})
    yield teacher
    teacher.close()


Case = Callable[[Path], AbstractContextManager[Teacher]]


CONTINUING: list[Case] = [scripted, on_loopback]
"""Teachers that also continue texts and rate continuations; others answer chats only."""


@pytest.fixture(params=[*CONTINUING, provided, own], ids=lambda case: case.__name__)
def teacher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Teacher]:
    case: Case = request.param
    with case(tmp_path) as made:
        yield made


@pytest.fixture(params=CONTINUING, ids=lambda case: case.__name__)
def continuing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Teacher]:
    case: Case = request.param
    with case(tmp_path) as made:
        yield made


def said(what: str, sample: int = 0) -> Prompt:
    return Prompt((Message(role="user", content=what),), sample)


def ask(teacher: Teacher, *prompts: Prompt, cycle: int = 1) -> list[Answer[Echo]]:
    return teacher.ask(prompts, Echo, role="annotator", cycle=cycle)


def test_one_answer_per_prompt_in_order(teacher: Teacher) -> None:
    answers = ask(teacher, *(said(f"text {number}") for number in range(12)))
    assert [answer.value.said for answer in answers if answer.value] == [f"text {number}" for number in range(12)]
    assert all(answer.problem is None and answer.prompt and answer.model for answer in answers)
    assert ask(teacher) == []


def test_an_answer_that_does_not_fit_is_a_problem_and_nothing_else(teacher: Teacher) -> None:
    bad, good = ask(teacher, said("bad"), said("fine"))
    assert bad.value is None and bad.problem and bad.text and good.value == Echo(said="fine")


def test_what_was_answered_costs_nothing_again(teacher: Teacher) -> None:
    [first] = ask(teacher, said("x"))
    before = teacher.spent()
    [again] = ask(teacher, said("x"), cycle=2)
    assert again.value == first.value and again.prompt == first.prompt
    assert first.usage.input > 0 and again.usage.input == again.usage.output == 0 and teacher.spent() == before


def test_samples_are_asked_separately(teacher: Teacher) -> None:
    ask(teacher, said("x", 0), said("x", 1), said("x", 0))
    assert teacher.spent()["calls"] == 2


def test_spending_is_known_by_cycle(teacher: Teacher) -> None:
    ask(teacher, said("x"), cycle=1)
    ask(teacher, said("y"), said("z"), cycle=2)
    assert [teacher.spent(cycle)["calls"] for cycle in (0, 1, 2)] == [0, 1, 2] and teacher.spent()["calls"] == 3
    assert {"calls", "input", "output", "cached", "seconds"} <= set(teacher.spent())


def test_texts_are_continued(continuing: Teacher) -> None:
    [answer] = continuing.complete([Prompt("Once")], role="annotator", cycle=1, stop=["\n"])
    assert answer.text == "Once and on" and answer.problem is None


def test_choices_are_rated(continuing: Teacher) -> None:
    [rates] = continuing.score_choices([Prompt("Is it?")], [" yes", " no"], role="annotator", cycle=1)
    assert rates == {" yes": pytest.approx(math.log(0.75)), " no": pytest.approx(math.log(0.25))}


def test_progress_counts_to_the_end(teacher: Teacher) -> None:
    seen: list[tuple[int, int]] = []
    prompts = [said("x"), said("y"), said("x")]
    teacher.ask(prompts, Echo, role="annotator", cycle=1, progress=lambda *at: seen.append(at))
    assert seen[-1] == (3, 3) and [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_closing_twice_is_fine(teacher: Teacher) -> None:
    assert teacher.prompting("annotator") in ("instruct", "completion") and teacher.model("annotator")
    teacher.close()
    teacher.close()
