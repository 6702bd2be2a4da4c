"""Providers behind LangChain's factory: any chat model answers, is counted, and its troubles are understood."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field, SecretStr

from evokd.tasks.errors import BudgetExhausted
from evokd.teacher.base import Message, Prompt, TeacherDown
from evokd.teacher.settings import BudgetSettings
from evokd.teacher.teacher import ChatTeacher
from tests.teacher.asking import GOOD, KEY, PRICE, Label, Open, Ticking, ask, ledger, many, said, untrusted

USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "input_token_details": {"cache_read": 4}}

Speak = Callable[[list[BaseMessage]], AIMessage]


class Fake(BaseChatModel):
    """A provider's chat model that answers as a function says; without structured answers of its own."""

    speak: Speak
    key: SecretStr = SecretStr(KEY)
    asked: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(self, messages: list[BaseMessage], *given: Any, **more: Any) -> ChatResult:
        self.asked.append(messages)
        return ChatResult(generations=[ChatGeneration(message=self.speak(messages))])


class ToolFake(Fake):
    """One that gives structured answers through a tool."""

    def bind_tools(self, tools: Sequence[Any], **more: Any) -> Runnable[Any, Any]:
        return self.bind(tools=tools)


def talk(text: str, **meta: Any) -> AIMessage:
    return AIMessage(text, usage_metadata=USAGE, response_metadata=meta)


def tool(*answers: str, **meta: Any) -> AIMessage:
    calls = [{"name": "Label", "args": json.loads(answer), "id": str(n)} for n, answer in enumerate(answers)]
    return AIMessage("", tool_calls=calls, usage_metadata=USAGE, response_metadata=meta)


Provided = Callable[..., ChatTeacher]


@pytest.fixture
def provided(opened: Open, monkeypatch: pytest.MonkeyPatch) -> Provided:
    def make(model: BaseChatModel, **more: Any) -> ChatTeacher:
        monkeypatch.setattr("evokd.teacher.transport.langchain_client.open_model", lambda endpoint: model)
        given = {"kind": "langchain", "model": "acme:big", "base_url": None, "api_key_env": None}
        return opened(**{**given, **more})

    return make


def test_a_model_without_structured_answers_is_told_in_words(provided: Provided, tmp_path: Path) -> None:
    model = Fake(speak=lambda messages: talk(f"Here: {GOOD}"))
    teacher = provided(model, **PRICE)
    assert ask(teacher, many(3)) == ["it says so"] * 3 and teacher.mode("annotator") == "none"
    assert '"additionalProperties": false' in str(model.asked[0][-1].content) and len(model.asked) == 3
    spent = teacher.spent()
    assert (spent["calls"], spent["input"], spent["output"], spent["cached"]) == (3, 30, 15, 12)
    assert spent["usd"] == pytest.approx(6.0) and {row["model"] for row in ledger(tmp_path)} == {"acme:big"}


def test_a_models_own_structured_answers_are_used(provided: Provided) -> None:
    model = ToolFake(speak=lambda messages: tool(GOOD))
    teacher = provided(model)
    assert ask(teacher, many(3)) == ["it says so"] * 3 and teacher.mode("annotator") == "json_schema"
    assert [str(messages[-1].content) for messages in model.asked] != [] and "schema" not in str(model.asked)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (tool('{"label": "neutral", "why": "?"}'), "label: String should match pattern"),
        (tool(GOOD, '{"label": "bad", "why": "y"}'), "2 different JSON objects"),
        (talk("I would say good."), "holds no JSON object"),
        (tool(GOOD, stop_reason="max_tokens"), "cut off at the token limit"),
        (tool(GOOD, finish_reason="MAX_TOKENS"), "cut off at the token limit"),
        (talk("", stop_reason="refusal"), "content filter"),
        (talk(""), "was empty"),
    ],
)
def test_a_bad_answer_is_repaired_once(provided: Provided, tmp_path: Path, bad: AIMessage, problem: str) -> None:
    provided_model = ToolFake(speak=lambda messages: bad if len(messages) == 1 else tool(GOOD))
    [got] = provided(provided_model).ask([said("x")], Label, role="a", cycle=0)
    assert got.value is not None and got.usage.input == 20
    first, second = ledger(tmp_path)
    assert problem in first["outcome"] and second["outcome"] == "repaired"


def test_nothing_is_asked_twice_and_budgets_hold(provided: Provided) -> None:
    model = Fake(speak=lambda messages: talk(GOOD))
    ask(provided(model), many(5))
    ask(provided(model), many(5))
    assert len(model.asked) == 5
    with pytest.raises(BudgetExhausted, match="max_calls = 7"):
        ask(provided(model, budget=BudgetSettings(max_calls=7)), many(10))
    assert len(model.asked) == 7


def test_tokens_nobody_counted_are_estimated(provided: Provided) -> None:
    teacher = provided(Fake(speak=lambda messages: AIMessage(GOOD)))
    ask(teacher, many(1))
    assert teacher.spent()["input"] > 5 and teacher.spent()["output"] == len(GOOD) // 4


class ApiError(Exception):
    """As most packages have it."""

    def __init__(self, status: int, text: str = "no", headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status_code = status
        self.response = type("Response", (), {"status_code": status, "headers": headers or {}})()


class AmazonError(Exception):
    def __init__(self) -> None:
        self.response = {"ResponseMetadata": {"HTTPStatusCode": 429}}


class GoogleError(Exception):
    code = 429


class ConnectTimeout(Exception):
    """As packages name it where not even a connection came about."""


class ReadTimeout(Exception):
    """As an HTTP client has it."""


def wrapped(cause: Exception) -> Exception:
    error = RuntimeError("the package says something went wrong")
    error.__cause__ = cause
    return error


def failing(times: int, error: Exception, then: str = GOOD) -> Fake:
    def speak(messages: list[BaseMessage]) -> AIMessage:
        if len(model.asked) <= times:
            raise error
        return talk(then)

    model = Fake(speak=speak)
    return model


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ApiError(429, headers={"Retry-After": "45"}), 45), (ApiError(429), 1), (AmazonError(), 1), (GoogleError(), 1),
        (ApiError(529), 1), (ApiError(500), 1), (ReadTimeout(), 1), (wrapped(ReadTimeout()), 1),
        (wrapped(ApiError(429)), 1), (ApiError(400, "json_validate_failed"), 1),
    ],
)  # fmt: skip
def test_passing_trouble_is_waited_out(provided: Provided, error: Exception, seconds: float) -> None:
    clock, model = Ticking(), failing(1, error)
    assert ask(provided(model, clock=clock), many(1)) == ["it says so"] and len(model.asked) == 2
    assert clock.now() == 1000 + seconds


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ApiError(401, f"bad key {KEY}"), "Check the key in the environment variable that the package of 'acme' reads"),
        (ApiError(403), "may not use model 'acme:big'"),
        (ApiError(404), "Check teacher.model ('acme:big')"),
        (ApiError(400, "Your credit balance is too low"), "no money left"),
        (ApiError(429, "insufficient_quota"), "no money left"),
        (ApiError(429, headers={"retry-after": "86400"}), "more patience than teacher.patience = 600 s"),
        (wrapped(ConnectionRefusedError("refused")), "cannot be reached"),
        (wrapped(untrusted()), "shows a certificate that is not trusted here (self-signed certificate)"),
        (ReadTimeout("slow"), "gave no answer within 300 s, 2 times"),
        (ConnectTimeout("slow"), "cannot be reached (slow)"),
    ],
)
def test_what_no_other_call_would_better_stops_with_a_word_on_it(
    provided: Provided, tmp_path: Path, error: Exception, words: str
) -> None:
    with pytest.raises(TeacherDown) as down:
        ask(provided(failing(1000, error), concurrency=1), many(30))
    assert words in str(down.value) and "acme" in str(down.value) and KEY not in str(down.value)
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(("error", "asked"), [(ReadTimeout(), 2), (ConnectTimeout(), 5), (ConnectionResetError(), 5)])
def test_a_call_without_an_answer_in_time_is_made_once_more(provided: Provided, error: Exception, asked: int) -> None:
    model = failing(1000, error)
    with pytest.raises(TeacherDown):
        ask(provided(model, retries=4, concurrency=1), many(1))
    assert len(model.asked) == asked


def test_figures_of_a_provider_that_cannot_be_are_estimated(provided: Provided, tmp_path: Path) -> None:
    def speak(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage(GOOD, usage_metadata={"input_tokens": -5, "output_tokens": 10**30, "total_tokens": 10**30})

    ask(provided(Fake(speak=speak), tokens_per_minute=1000), many(3))
    assert all(0 < row["input"] < 1000 and 0 < row["output"] < 1000 for row in ledger(tmp_path))


def test_a_budget_is_asked_before_every_try(provided: Provided) -> None:
    model = failing(1000, ConnectionResetError())
    with pytest.raises(BudgetExhausted, match="max_calls = 2 is reached"):
        ask(provided(model, retries=9, budget=BudgetSettings(max_calls=2)), many(1))
    assert len(model.asked) == 2


def test_an_error_of_the_package_loses_one_item_and_is_not_repeated(provided: Provided) -> None:
    model = failing(1, KeyError("choices"))
    [lost, fine] = provided(model, concurrency=1).ask(many(2), Label, role="a", cycle=0)
    assert "the call failed: 'choices'" in (lost.problem or "") and fine.value is not None and len(model.asked) == 2


def test_a_try_without_an_answer_counts_as_an_estimate(provided: Provided, tmp_path: Path) -> None:
    teacher = provided(failing(1, ReadTimeout()), max_tokens=100)
    ask(teacher, many(1))
    assert sorted(row["outcome"][:4] for row in ledger(tmp_path)) == ["lost", "ok"] and teacher.spent()["output"] == 105


def test_the_key_of_the_package_is_masked(provided: Provided, tmp_path: Path) -> None:
    teacher = provided(Fake(speak=lambda messages: talk(json.dumps({"label": "good", "why": f"it is {KEY}"}))))
    assert ask(teacher, many(1)) == ["it is ***"] and teacher._roles.keys == [KEY]
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_texts_are_not_continued(provided: Provided) -> None:
    teacher = provided(Fake(speak=lambda messages: talk("x")))
    [answer] = teacher.complete([Prompt("Once")], role="a", cycle=0)
    assert "continues no texts" in (answer.problem or "")
    prompt = Prompt((Message(role="user", content="Once"),))
    assert teacher.score_choices([prompt], ["yes", "no"], role="a", cycle=0) == [None]
    assert teacher.complete([prompt], role="a", cycle=0)[0].text == "x"
