"""Cross-fitted cases: every kept text once, under a student that has not learnt it."""

from pathlib import Path
from typing import Any

import pytest

from evokd.agents.analyst.agent import Analyst
from evokd.agents.base import Services
from evokd.agents.cases import LEAST, cross_fit
from evokd.testing import settled, world
from tests.agents.acting import WatchedStudents, sent, train, write_cases

ROWS = [
    (f"{words[n % len(words)]} {words[0]} {n}", label) for label, words in world.VOCABULARY.items() for n in range(8)
]


@pytest.fixture
def there(tmp_path: Path) -> Services:
    made = world.services(tmp_path, students=WatchedStudents(list(world.VOCABULARY)))
    train(made, ROWS)
    return made


def test_every_kept_text_is_asked_once_of_a_student_that_has_not_learnt_it(there: Services) -> None:
    cases = cross_fit(there, 2)
    assert sorted(case.text for case in cases) == sorted(text for text, _ in ROWS)
    students: Any = there.students
    seeds = {example.text for example in there.memory.samples("seed")}
    assert len(students.made) == 3
    for student in students.made:
        assert seeds <= set(student.learnt) and not set(student.learnt) & set(student.asked)
        assert len(student.learnt) + len(student.asked) == len(seeds) + len(ROWS)


def test_a_step_that_is_run_again_trains_nothing_again(there: Services) -> None:
    students: Any = there.students
    assert cross_fit(there, 2) == cross_fit(there, 2)
    assert len(students.made) == 3
    cross_fit(there, 3)
    assert len(students.made) == 6, "another cycle has learnt other texts"


def test_few_texts_are_not_divided(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    train(there, ROWS[: LEAST - 1])
    assert cross_fit(there, 2) == []


def test_the_analyst_studies_them_and_without_them_the_last_batch(there: Services) -> None:
    write_cases(there, 1, [("coach of the last batch", "sports", "money", 0.1)])
    for crossfit, shown in ((False, True), (True, False)):
        before = len(sent(there, "analyst"))
        settled(Analyst(crossfit=crossfit), world.state(cycle=2, batch_kind="lessons"), there)
        asked = "\n".join(sent(there, "analyst")[before:])
        assert ("Per class:\n- sports: 0 of 1 right" in asked) is shown
        assert "It was just tested on texts it had never seen" in asked
