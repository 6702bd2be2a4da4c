"""A teacher of one's own is one method; cache, budget, ledger, repetitions and the rest are those of every teacher."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from pydantic import ValidationError

from evokd.tasks.errors import BudgetExhausted, ConfigError
from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message, TeacherDown, Usage
from evokd.teacher.custom import CustomTeacher
from evokd.teacher.endpoint import Endpoint
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, TeacherSettings
from evokd.teacher.teacher import ChatTeacher
from evokd.teacher.transport.request import Reply
from tests.teacher.asking import GOOD, KEY, PRICE, Ticking, ask, ledger, many
from tests.teacher.test_trace import Seen

KIND = "mine:Mine"

FORM = "Answer with one JSON object that fits this JSON schema"

Answering = Callable[[Sequence[Message]], Any]

OpenOwn = Callable[..., ChatTeacher]


class Mine(CustomTeacher):
    """Says what the test wants, and keeps what it was asked."""

    said: Answering = staticmethod(lambda messages: GOOD)
    asked: list[tuple[str, dict[str, Any] | None]]
    closed: int

    def __init__(self, endpoint: Endpoint, *, greeting: str = "") -> None:
        super().__init__(endpoint)
        self.greeting = greeting

    def answer(self, messages: Sequence[Message], schema: dict[str, Any] | None) -> Any:
        type(self).asked.append((messages[-1]["content"], schema))
        return type(self).said(messages)

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenOwn]:
    teachers: list[ChatTeacher] = []

    def make(said: Answering | None = None, *, budget: BudgetSettings | None = None, **given: Any) -> ChatTeacher:
        fields = {"said": staticmethod(said)} if said else {}
        kind = type("Mine", (Mine,), {"asked": [], "closed": 0, "takes_schema": given.pop("takes", False), **fields})
        settings = TeacherSettings(**{"kind": KIND, "retries": 1, "concurrency": 1, **given})
        limits = Budget(budget or BudgetSettings(), settings)
        named = {"run": "r", "seed": 1, "clock": Ticking()}
        teachers.append(open_teacher(settings, limits, tmp_path, own={KIND: kind}, **named))
        teachers[-1].kind = kind  # type: ignore[attr-defined]
        return teachers[-1]

    yield make
    for teacher in teachers:
        teacher.close()


def asked(teacher: ChatTeacher) -> list[tuple[str, dict[str, Any] | None]]:
    found: list[tuple[str, dict[str, Any] | None]] = teacher.kind.asked  # type: ignore[attr-defined]
    return found


def test_answers_are_kept_counted_priced_and_limited(opened: OpenOwn, tmp_path: Path) -> None:
    limited = {"budget": BudgetSettings(max_calls=2), **PRICE}
    with pytest.raises(BudgetExhausted, match="max_calls = 2 is reached"):
        ask(opened(lambda messages: Reply(GOOD, usage=Usage(10, 5)), **limited), many(3))
    again = opened(**PRICE)
    assert ask(again, many(3)) == ["it says so"] * 3 and len(asked(again)) == 1, "two answers were there already"
    told, estimated = ledger(tmp_path)[0], ledger(tmp_path)[-1]
    assert (told["input"], told["output"], told["usd"], told["model"]) == (10, 5, pytest.approx(2.0), "Mine")
    assert estimated["input"] > 10 and estimated["output"] == len(GOOD) // 4
    assert len((tmp_path / "transcripts.jsonl").read_text().splitlines()) == 3


def test_a_money_limit_needs_a_price(opened: OpenOwn) -> None:
    with pytest.raises(ConfigError, match="price of model 'Mine' is unknown"):
        opened(budget=BudgetSettings(max_usd=1))


def test_an_answer_that_does_not_fit_is_repaired(opened: OpenOwn, tmp_path: Path) -> None:
    assert ask(opened(lambda messages: GOOD if len(messages) == 3 else "no"), many(1)) == ["it says so"]
    assert [row["outcome"].partition(":")[0] for row in ledger(tmp_path)] == ["bad answer", "repaired"]


@pytest.mark.parametrize(("takes", "structured"), [(False, None), (True, "none"), (True, "json_object")])
def test_the_form_is_in_words_where_no_schema_is_kept_to(opened: OpenOwn, takes: bool, structured: Any) -> None:
    teacher = opened(takes=takes, structured=structured)
    ask(teacher, many(1))
    [(said, schema)] = asked(teacher)
    assert said.startswith("text 0") and FORM in said and schema is None


def test_a_schema_is_handed_over_as_the_strict_dialect_has_it(opened: OpenOwn) -> None:
    teacher = opened(takes=True)
    ask(teacher, many(1))
    [(said, schema)] = asked(teacher)
    assert said == "text 0" and schema is not None and schema["required"] == ["label", "why"]


def test_passing_trouble_is_repeated(opened: OpenOwn) -> None:
    troubles: list[Exception] = [ConnectionResetError("gone")]

    def flaky(messages: Sequence[Message]) -> str:
        if troubles:
            raise troubles.pop()
        return GOOD

    assert ask(opened(flaky), many(2)) == ["it says so"] * 2


def test_a_mistake_in_the_class_stops_soon_and_names_the_line(opened: OpenOwn) -> None:
    def broken(messages: Sequence[Message]) -> str:
        return str(messages[0]["contents"])  # type: ignore[typeddict-item]

    teacher = opened(broken)
    with pytest.raises(TeacherDown, match=r"mine:Mine .* failed 3 calls.*KeyError: 'contents' \(test_custom\.py, line"):
        ask(teacher, many(30))
    assert len(asked(teacher)) == 3, "it is no passing trouble"


async def _late() -> str:
    return GOOD


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (lambda messages: None, "answer returned a NoneType, not a str"),
        (lambda messages: json.loads(GOOD), "answer returned a dict, not a str"),
        (lambda messages: _late(), "answer returned a coroutine, not a str"),
    ],
)
def test_what_is_no_text_is_said(opened: OpenOwn, said: Answering, words: str) -> None:
    with pytest.raises(TeacherDown, match=words):
        ask(opened(said), many(5))


def test_one_text_it_cannot_answer_costs_no_other(opened: OpenOwn) -> None:
    def moody(messages: Sequence[Message]) -> str:
        if messages[0]["content"].partition("\n")[0] in ("text 1", "text 2", "text 3", "text 4"):
            raise RuntimeError("not this")
        return GOOD

    assert ask(opened(moody), many(6)) == ["it says so", None, None, None, None, "it says so"]


def test_settings_reach_the_class(opened: OpenOwn) -> None:
    opened(settings={"greeting": "hello"})
    with pytest.raises(ConfigError, match=r"cannot be built \(.*'greetings'.*\)\. Its settings stand in"):
        opened(settings={"greetings": "hello"})
    with pytest.raises(ValidationError, match=r"settings goes with kind = 'module:Class'"):
        TeacherSettings(kind="local", settings={"greeting": "hello"})


def test_it_does_not_continue_texts(opened: OpenOwn) -> None:
    with pytest.raises(ConfigError, match="does not continue texts"):
        opened(prompting="completion")


def test_its_key_is_in_no_answer(opened: OpenOwn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    teacher = opened(lambda messages: GOOD.replace("it says so", KEY), api_key_env="MY_KEY")
    assert ask(teacher, many(1)) == ["***"]
    with pytest.raises(ConfigError, match="OTHER_KEY is not set"):
        opened(api_key_env="OTHER_KEY")


def test_it_is_closed_once(opened: OpenOwn) -> None:
    teacher = opened()
    teacher.close()
    teacher.close()
    assert teacher.kind.closed == 1  # type: ignore[attr-defined]


def test_one_role_may_have_a_class_of_its_own(opened: OpenOwn) -> None:
    teacher = opened(kind="openai", model="m", api_key_env="none", roles={"annotator": {"kind": KIND}})
    assert ask(teacher, many(1)) == ["it says so"] and teacher.model("annotator") == "Mine"
    assert teacher.model("generator") == "m"


def test_its_calls_are_seen_in_the_trace(opened: OpenOwn) -> None:
    seen, teacher = Seen(), opened()
    node = RunnableLambda(lambda _: ask(teacher, many(1)))
    node.invoke(None, {"callbacks": [seen], "run_name": "node"})
    [(_, parent, tags, _)] = [run for run in seen.runs.values() if run[0] == "chat"]
    assert parent is not None and seen.runs[parent][0] == "annotator" and "cycle-1" in tags
