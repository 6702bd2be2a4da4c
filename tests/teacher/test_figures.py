"""Figures of a server are believed as far as they can be."""

import logging
from pathlib import Path
from typing import Any

import pytest

from evokd.tasks.errors import BudgetExhausted
from evokd.teacher.base import Prompt, Usage
from evokd.teacher.settings import BudgetSettings
from evokd.teacher.transport import figures
from evokd.teacher.transport.figures import read_count, read_usage
from evokd.testing.loopback import Loopback, Said, chat, text
from tests.teacher.asking import GOOD, PRICE, Open, ask, ledger, many

HUGE = 10**30

ODD: list[Any] = [-5, -0.5, HUGE, 10**400, float("nan"), float("inf"), "12", True, [1], {"n": 1}]


def counted(**usage: Any) -> Said:
    answer = chat(GOOD)
    answer.body["usage"] = usage
    return answer


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:9])
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "total_tokens", "cached"])
def test_figures_that_cannot_be_harm_neither_run_nor_resume(
    server: Loopback, opened: Open, tmp_path: Path, name: str, odd: Any
) -> None:
    usage: dict[str, Any] = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    usage |= {"prompt_tokens_details": {"cached_tokens": odd}} if name == "cached" else {name: odd}
    server.script = lambda body: counted(**usage)
    given = {"concurrency": 1, "tokens_per_minute": 10_000, **PRICE}
    assert ask(opened(**given), many(2)) == ["it says so"] * 2
    for row in ledger(tmp_path):
        assert 0 <= row["cached_input"] <= row["input"] < 1000 and 0 <= row["output"] < 1000 and 0 < row["usd"] < 100
    again = opened(budget=BudgetSettings(max_calls=100), **given)
    assert ask(again, many(3)) == ["it says so"] * 3 and again.spent()["calls"] == 3


@pytest.mark.parametrize("usage", [None, [], "none", 5, {"prompt_tokens_details": 3}])
def test_a_usage_that_is_none_is_estimated(server: Loopback, opened: Open, tmp_path: Path, usage: Any) -> None:
    answer = chat(GOOD)
    answer.body["usage"] = usage
    server.script = lambda body: answer
    assert ask(opened(), many(1)) == ["it says so"]
    assert ledger(tmp_path)[0]["input"] > 10 and ledger(tmp_path)[0]["output"] == len(GOOD) // 4


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ((10, 5, 15, 8), Usage(10, 5, 8)),
        ((10, 5, 115, 100), Usage(110, 5, 100)),  # outside the prompt's, as the total shows
        ((10, 5, 15, 100), Usage(10, 5, 10)),
        ((10, 5, None, 100), Usage(10, 5, 10)),
        ((10, 5, 2000, 0), Usage(10, 1990, 0)),  # thoughts are in the total alone
        ((10.0, 5, None, None), Usage(10, 5)),
        ((10, None, None, None), None),
        ((0, 0, 0, 0), None),
    ],
)
def test_what_figures_come_to(told: tuple[Any, ...], usage: Usage | None) -> None:
    assert read_usage(*told, "m") == usage


def test_the_most_that_one_call_can_take() -> None:
    assert (read_count(figures.MOST_TOKENS), read_count(figures.MOST_TOKENS + 1)) == (figures.MOST_TOKENS, None)


def test_cached_tokens_outside_the_prompts_do_not_make_money(server: Loopback, opened: Open) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 5000}}
    server.script = lambda body: counted(prompt_tokens=10, completion_tokens=5, total_tokens=15, **details)
    price = {"usd_per_million_input": 1e5, "usd_per_million_output": 2e5, "usd_per_million_cached_input": 1e4}
    teacher = opened(budget=BudgetSettings(max_usd=20), concurrency=1, max_tokens=5, **price)
    with pytest.raises(BudgetExhausted, match="max_usd"):
        ask(teacher, many(100))
    assert 0 < teacher.spent()["usd"] <= 20


def test_it_is_told_once_for_each_model(server: Loopback, opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    server.script = lambda body: counted(prompt_tokens=-1, completion_tokens=5, total_tokens=len(server.requests))
    with caplog.at_level(logging.WARNING, logger=figures.__name__):
        for model in ("one that lies", "another that lies"):
            ask(opened(model=model), many(4))
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2 and "'one that lies' reports -1 prompt tokens of one call" in told[0]


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": HUGE, "completion_tokens": -2, "total_tokens": HUGE}])
def test_those_of_a_continued_text_are_read_as_well(server: Loopback, opened: Open, tmp_path: Path, usage: Any) -> None:
    answer = text("and so on")
    answer.body["usage"] = usage
    server.script = lambda body: answer
    opened().complete([Prompt("x")], role="a", cycle=0)
    assert 0 < ledger(tmp_path)[0]["input"] < 1000
