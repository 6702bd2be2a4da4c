"""The evaluator: what was wrong, what stays, what is remembered of it, and what comes next."""

import json
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.base import Case, Services, State
from evokd.agents.evaluator.agent import Evaluator
from evokd.agents.trainer.agent import Trainer
from evokd.tasks.base import Example
from evokd.testing import ListMemory, settled, step, world
from tests.agents.acting import after_seeds, lesson, train, write_cases

GOOD = [
    (" ".join(found[start : start + 3]), label) for label, found in world.VOCABULARY.items() for start in (0, 3, 6, 9)
]
BAD = [
    (text, {"sports": "food", "food": "sports", "money": "science", "science": "money"}[label]) for text, label in GOOD
]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return world.services(tmp_path)


def cycle(services: Services, labelled: Any, evaluator: Evaluator, rival: bool = True, **changes: Any) -> State:
    """The state after one cycle whose batch is given."""
    state = after_seeds(services)
    number = changes.get("cycle", state["cycle"])
    batch = train(services, labelled, "candidate", cycle=number)
    state = State(**{**state, "batch_kind": "lessons", "batch": batch, **changes})  # type: ignore[typeddict-item]
    return step(evaluator, step(Trainer(members=1, max_difficulty=1.0, rival=rival), state, services), services)


def cases(services: Services, number: int) -> list[Case]:
    return services.folder.read_rows(services.folder.cycle(number) / "cases.jsonl", Case)


def test_cycle_0_crowns_the_first_student(services: Services) -> None:
    state = after_seeds(services)
    [row] = state["history"]
    assert (state["cycle"], state["batch_kind"], state["champion"]) == (1, "breadth", "students/cycle-000")
    assert (row["kept"], row["why"]) == (True, "the first student")
    assert row["fresh_before"] == row["fresh_after"] == {}, "no fresh batch: the seeds were trained on"
    assert set(row["scores"]) == {"dev"}
    assert {case.text for case in cases(services, 0)} == set(world.SEEDS.values())
    assert not services.memory.errors()
    assert (services.folder.root / "best").resolve() == services.folder.student(0).resolve()


def test_a_good_batch_is_kept_and_its_account_closed(services: Services) -> None:
    state = cycle(services, GOOD, Evaluator(), stats={"accepted": 16}, lessons=["x"], seconds={"trainer": 1.0})
    row = state["history"][-1]
    assert row["kept"] and row["champion"] == state["champion"] == "students/cycle-001"
    for_lessons = {"for_lessons": 0, "too_hard": 0, "no_longer_too_hard": 0}
    assert row["stats"] == {"accepted": 16, "trained_on": 20, **for_lessons} and row["seconds"]["trainer"] == 1.0
    assert row["fresh_after"]["value"] > row["fresh_before"]["value"]  # type: ignore[operator]
    assert row["gate"]["loss"]["value"] < 0  # type: ignore[operator]
    assert (state["batch"], state["lessons"], state["stats"], state["seconds"]) == ([], [], {}, {})
    assert len(services.memory.samples("train")) == 16
    lines = (services.folder.root / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["cycle"] for line in lines] == [0, 1]


def test_a_harmful_batch_is_shelved_with_the_reason(services: Services) -> None:
    state = cycle(services, BAD, Evaluator())
    assert not state["history"][-1]["kept"] and state["champion"] == "students/cycle-000"
    assert state["shelved_in_a_row"] == 1
    assert not services.memory.samples("train") and len(services.memory.samples("train", "shelved")) == 16
    assert set(services.memory.reasons("shelved").values()) == {state["history"][-1]["why"]}
    assert (services.folder.root / "best").resolve().name == "cycle-000"


def test_without_a_gate_every_batch_stays(services: Services) -> None:
    state = cycle(services, BAD, Evaluator(), rival=False)
    assert state["history"][-1]["why"].startswith("no gate: every batch stays")
    assert len(services.memory.samples("train")) == 16


@pytest.mark.parametrize("rival", [True, False])
def test_an_empty_batch(services: Services, rival: bool) -> None:
    state = cycle(services, [], Evaluator(), rival=rival)
    row = state["history"][-1]
    assert (row["kept"], state["champion"]) == (False, "students/cycle-000"), "nothing was trained"
    assert row["fresh_before"] == row["fresh_after"] == {} and cases(services, 1) == []


@pytest.mark.parametrize(
    ("curriculum", "number", "shelved", "batch_kind"),
    [
        ("gated", 1, 0, "breadth"),
        ("gated", 1, 1, "breadth"),
        ("gated", 4, 0, "breadth"),
        ("lessons", 1, 5, "lessons"),
        ("breadth", 1, 0, "breadth"),
    ],
)
def test_what_comes_after_a_shelved_batch(
    services: Services, curriculum: Any, number: int, shelved: int, batch_kind: str
) -> None:
    state = cycle(services, BAD, Evaluator(curriculum=curriculum), cycle=number, shelved_in_a_row=shelved)
    assert (state["batch_kind"], state["shelved_in_a_row"]) == (batch_kind, shelved + 1)


def test_a_kept_batch_ends_the_row_of_shelved_ones(services: Services) -> None:
    state = cycle(services, GOOD, Evaluator(), shelved_in_a_row=3)
    assert (state["shelved_in_a_row"], state["batch_kind"]) == (0, "lessons")


def test_errors_are_those_of_the_student_that_had_not_seen_the_batch(services: Services) -> None:
    cycle(services, GOOD, Evaluator())
    wrong = {case.id: case for case in cases(services, 1) if not case.right_before}
    errors = services.memory.errors(1)
    assert wrong and {error.example.id for error in errors} == set(wrong)
    for error in errors:
        case = wrong[error.example.id]
        assert (error.predicted, error.probability) == (case.before, case.before_probability)
        assert error.fixed_in == (1 if case.right_after else None)


def test_a_shelved_batch_fixes_nothing(services: Services) -> None:
    cycle(services, BAD, Evaluator())
    assert services.memory.errors() and all(error.fixed_in is None for error in services.memory.errors())


def test_an_error_that_a_later_student_gets_right_is_marked(services: Services) -> None:
    state = cycle(services, BAD, Evaluator())
    right = [
        error.example.model_copy(update={"label": world.true_label(error.example.text)})
        for error in services.memory.errors()
    ]
    errors = zip(services.memory.errors(), right, strict=True)
    services.memory.remember(errors=[error.model_copy(update={"example": example}) for error, example in errors])
    fresh = [(f"{text} today", label) for text, label in GOOD]
    state = State(**{**state, "batch": train(services, fresh, "candidate", cycle=2)})  # type: ignore[typeddict-item]
    step(Evaluator(), step(Trainer(members=1), state, services), services)
    assert {error.fixed_in for error in services.memory.errors(1)} == {2}


def test_a_champion_that_knows_a_text_of_the_batch_is_no_trouble(services: Services) -> None:
    known = train(services, GOOD[:4], "kept")
    state = after_seeds(services)
    state = State(**{**state, "cycle": 1, "batch": [*known, *train(services, GOOD[4:8], "candidate")]})  # type: ignore[typeddict-item]
    state = step(Evaluator(), step(Trainer(members=1), state, services), services)
    assert state["history"][-1]["stats"]["trained_on"] == 12
    assert len(services.memory.samples("train")) == 8


def test_the_effect_of_a_lesson_is_measured_on_its_own_texts(services: Services) -> None:
    services.memory.remember(lessons=[lesson("short"), lesson("unused"), lesson("of another cycle")])
    train(services, [("team match ticket", "money")], "too hard", lesson="2-unused")
    batch = train(services, GOOD[:6], "candidate", lesson="2-short") + train(services, GOOD[6:], "candidate")
    state = after_seeds(services, batch_kind="lessons", batch=batch, lessons=["2-short", "2-unused"])
    step(Evaluator(), step(Trainer(members=1), state, services), services)
    effects = {each.name: each.effect for each in services.memory.lessons()}
    own = [case for case in cases(services, 1) if case.id in batch[:6]]
    assert effects["short"] == {
        "samples": 6.0, "too_hard": 0.0, "kept": 1.0,
        "before": sum(case.right_before for case in own) / 6, "after": sum(case.right_after for case in own) / 6,
    }  # fmt: skip
    assert (effects["unused"]["samples"], effects["unused"]["too_hard"]) == (0.0, 1.0)
    assert effects["of another cycle"] == {}


def test_a_run_without_held_out_texts_has_no_scores_and_keeps_its_batches(tmp_path: Path) -> None:
    seeds = world.services(tmp_path).memory.samples("seed")
    services = world.services(tmp_path, memory=(memory := ListMemory()))
    memory.held_out.clear()
    assert memory.samples("seed") == seeds
    state = cycle(services, BAD, Evaluator())
    assert state["history"][-1]["scores"] == {} and state["history"][-1]["kept"]


def test_cases_of_another_cycle_are_left_alone(services: Services) -> None:
    state = after_seeds(services)
    write_cases(services, 7, [("a planet", "science", "food", 0.1)])
    settled(Evaluator(), step(Trainer(members=1, rival=False), state, services), services)
    assert len(cases(services, 7)) == 1


def test_gate_texts_are_scored_and_stay_unmarked(services: Services) -> None:
    services.memory.remember([Example(text="goal match", label="sports", split="gate")])
    state = cycle(services, GOOD, Evaluator())
    assert state["history"][-1]["scores"]["gate"]["n"] == 1
    assert len(services.memory.samples("gate")) == 1
