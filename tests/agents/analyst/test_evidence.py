"""The evidence: what is shown of a batch, in which order and under which number."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.analyst.evidence import Evidence, gather
from evokd.agents.base import Services
from evokd.agents.cases import last_batch
from evokd.tasks.base import ErrorCase, Example
from evokd.testing import world
from tests.agents.acting import ODD, train, write_cases

ROWS = [
    ("goal goal", "sports", "money", 0.3),
    ("coach coach", "sports", "money", 0.1),
    ("loan loan", "money", "food", 0.2),
    ("soup soup", "food", "food", 0.9),
    ("cheese cheese", "food", "food", 0.4),
    ("atom atom", "science", "science", 0.6),
]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return world.services(tmp_path)


def collect(services: Services, wrong: int = 12, correct: bool = True, similar: int = 3, cycle: int = 1) -> Evidence:
    return gather(services, last_batch(services, cycle), wrong, correct, similar)


def error(text: str, cycle: int, **changes: Any) -> ErrorCase:
    return ErrorCase(
        example=Example(text=text, label="sports"), predicted="food", probability=0.1, cycle=cycle, **changes
    )


def test_the_worst_come_first_and_the_least_sure_of_the_right_ones(services: Services) -> None:
    write_cases(services, 1, ROWS)
    evidence = collect(services)
    assert [case.text for case in evidence.wrong] == ["coach coach", "loan loan", "goal goal"]
    assert [case.text for case in evidence.correct] == ["cheese cheese", "atom atom", "soup soup"]
    assert [case.text for case in evidence.cases] == [case.text for case in (*evidence.wrong, *evidence.correct)]


def test_what_is_out_of_reach_comes_last_however_wrong_it_is(services: Services) -> None:
    write_cases(services, 1, ROWS[:3])
    sure = [case.model_copy(update={"before_sure": 1 - case.before_probability}) for case in last_batch(services, 1)]
    assert [case.text for case in gather(services, sure, 12, True, 3, 0.75).wrong] == [
        "goal goal", "coach coach", "loan loan"
    ]  # fmt: skip


def test_still_wrong_after_training_is_worse_than_unlikely(services: Services) -> None:
    write_cases(services, 1, ROWS[:3], after="money")
    assert [case.text for case in collect(services).wrong] == ["coach coach", "goal goal", "loan loan"]


def test_numbers_run_on_from_the_wrong_to_the_correct(services: Services) -> None:
    write_cases(services, 1, ROWS)
    evidence = collect(services)
    assert evidence.wrong_cases().startswith("[1] coach coach\n    right: sports; the model said: money")
    assert (
        evidence.correct_cases()
        .split("\n\n", 1)[1]
        .startswith("[4] cheese cheese\n    right: food; the model gave it 0.40")
    )


def test_settings_limit_what_is_shown(services: Services) -> None:
    write_cases(services, 1, ROWS)
    evidence = collect(services, wrong=1, correct=False)
    assert [case.text for case in evidence.cases] == ["coach coach"]
    assert evidence.correct_cases() == "", "no heading above nothing"
    assert dict(evidence.confusions) == {("sports", "money"): 2, ("money", "food"): 1}, "tables count the whole batch"


def test_tables(services: Services) -> None:
    write_cases(services, 1, ROWS)
    assert collect(services).tables().splitlines() == [
        "Per class:", "- sports: 0 of 2 right", "- money: 0 of 1 right", "- science: 1 of 1 right",
        "- food: 2 of 2 right", "Confusions:", "- sports taken for money: 2", "- money taken for food: 1",
    ]  # fmt: skip


@pytest.mark.parametrize("cycle", [1, 9])
def test_an_empty_batch_is_no_trouble(services: Services, cycle: int) -> None:
    write_cases(services, 1, [])
    evidence = collect(services, cycle=cycle)
    assert evidence.cases == () and evidence.past == ()
    assert (evidence.wrong_cases(), evidence.past_cases(), evidence.covered()) == (
        "(none)",
        "(none)",
        "(nothing listed)",
    )
    assert evidence.tables().endswith("Confusions:\n- none")


def test_every_confusion_has_its_share_of_what_is_shown(services: Services) -> None:
    worst = [(f"coach {number}", "sports", "money", 0.01) for number in range(6)]
    often = [(f"loan {number}", "money", "food", 0.2) for number in range(6)]
    seldom = [("atom", "science", "food", 0.3)]
    write_cases(services, 3, [*worst, *often, *seldom])
    found = collect(services, wrong=5, cycle=3)
    said = Counter(case.label for case in found.wrong)
    assert said == {"sports": 3, "money": 2} or said == {"sports": 2, "money": 3}
    assert Counter(case.label for case in collect(services, wrong=13, cycle=3).wrong)["science"] == 1
    assert [case.after_probability for case in found.wrong] == sorted(case.after_probability for case in found.wrong)


def test_past_errors_are_those_like_the_present_ones_a_few_for_each(services: Services) -> None:
    write_cases(services, 3, ROWS[:3])
    present = [error(text, 3) for text, *_ in ROWS[:3]]
    past = [error(f"{word} {word} {number}", 1) for word in ("coach", "loan", "goal") for number in range(5)]
    services.memory.remember(errors=[*present, *past])
    found = [each.example.text.split()[0] for each in collect(services, similar=2, cycle=3).past]
    assert found == ["coach", "coach", "loan", "loan"], "no single case takes all the room"
    assert collect(services, similar=0, cycle=3).past == ()


def test_past_errors_say_whether_they_were_learnt(services: Services) -> None:
    write_cases(services, 3, ROWS[:1])
    services.memory.remember(errors=[error("goal goals", 1, fixed_in=2), error("goal goaly", 1)])
    said = collect(services, cycle=3).past_cases()
    assert "- goal goals (right: sports; said: food; learnt since)" in said
    assert "- goal goaly (right: sports; said: food; not learnt yet)" in said


def test_covered_subtypes_are_those_of_kept_texts(services: Services) -> None:
    train(services, [("a", "food"), ("b", "food")], target_class="food", subtype="recipes")
    train(services, [("c", "food")], "shelved", target_class="food", subtype="menus")
    write_cases(services, 1, [])
    assert collect(services).covered() == "food: recipes (2)"


@pytest.mark.parametrize("name", ODD)
def test_a_text_takes_one_line_and_cannot_pose_as_another_case(services: Services, name: str) -> None:
    write_cases(services, 1, [(ODD[name], "sports", "food", 0.1), (f"{ODD[name]} too", "food", "food", 0.2)])
    evidence = collect(services)
    assert len(evidence.wrong_cases().splitlines()) == 2
    assert len(evidence.correct_cases().splitlines()) == 4, "a heading, an empty line, one case"


def test_after_an_empty_batch_the_cases_are_those_of_the_last_one_that_was_not(services: Services) -> None:
    write_cases(services, 1, ROWS)
    write_cases(services, 2, [])
    write_cases(services, 3, [])
    assert [case.text for case in collect(services, cycle=3).wrong] == ["coach coach", "loan loan", "goal goal"]
