"""What a person is told of going on, and of what would help more."""

from pathlib import Path
from typing import Any

import pytest

from evokd.agents.outlook import Standing, describe_outlook, measure_standing
from evokd.agents.policy import Choice
from evokd.tasks.base import Example, Origin
from evokd.testing import world
from tests.agents.acting import train

NOTHING: Any = {"label": "none is left", "lessons": "they are too hard for the student"}


def outlook(left: Any = (), spent: Any = NOTHING, **changes: Any) -> str:
    standing = {"pool_left": 9, "agreement": 0.8, "disputed": 0.0, **changes}
    return describe_outlook(Choice("breadth", "", left, spent), Standing(**standing))


def test_while_something_is_left_it_says_what() -> None:
    assert outlook(left=("label", "breadth"), spent={}) == (
        "More cycles may bring something yet, by labelling your texts and writing in breadth."
    )


def test_what_is_spent_is_told_with_the_reason_and_what_would_help() -> None:
    assert outlook() == (
        "There is nothing left to gain from labelling your texts (none is left) and writing for lessons (they are too "
        "hard for the student). What would help is a larger student: another encoder as student.model."
    )


@pytest.mark.parametrize(
    ("changes", "helps"),
    [
        ({"pool_left": None, "disputed": 0.5}, "texts of yours without labels: a few hundred of them as data.pool."),
        ({"pool_left": 0}, "more of your texts without labels in data.pool, or a larger student (student.model)."),
        ({"disputed": 0.25}, "ten answers of yours: the teacher gives different labels to 25% of the held-out texts."),
        ({"agreement": 0.97}, "ten answers of yours: the student labels 97% of the held-out texts as the teacher does"),
        ({"agreement": None}, "a larger student: another encoder as student.model."),
    ],
)
def test_what_helps_is_what_the_run_lacks_most(changes: dict[str, Any], helps: str) -> None:
    assert f"What would help is {helps}" in outlook(**changes)


def test_without_a_pool_that_is_said_at_once() -> None:
    said = outlook(left=("lessons",), spent={}, pool_left=None)
    assert said.startswith("More cycles may") and said.endswith("as data.pool.")
    assert "help" not in outlook(left=("lessons",), spent={})
    assert "What would help is more of your texts" in outlook(left=("lessons",), spent={}, pool_left=0)


def test_the_standing_is_read_off_pool_gate_and_scores(tmp_path: Path) -> None:
    services = world.services(tmp_path, pool=["goal", "loan", "atom"])
    votes = [{"food": 2}, {"food": 2, "money": 1}, {}, {"money": 3}]
    services.memory.remember(
        Example(text=f"gate {n}", label="food", split="gate", origin=Origin(votes=each)) for n, each in enumerate(votes)
    )
    train(services, [("Loan", "money")], "quarantined")
    scores = {"gate": {"value": 0.75, "low": None, "high": None, "n": 4.0}}
    assert measure_standing(services, scores) == Standing(pool_left=2, agreement=0.75, disputed=0.25)
    assert measure_standing(world.services(tmp_path / "b"), {}) == Standing(None, None, 0.0)
