"""The soup: one fit per seed, averaged, and nothing fitted twice after a kill."""

from pathlib import Path

import pytest

from evokd.agents.base import Services
from evokd.agents.trainer.weight_averaging import average_fits
from evokd.student.base import Student
from evokd.tasks.base import Example
from evokd.testing import WordStudent, world

WORDS = {1: "goal", 2: "race", 3: "match"}


def cooking(folder: Path, seeds: list[int]) -> tuple[Services, list[tuple[int, str]]]:
    """Cook a student whose fit with a seed learns that seed's word; returns what was fitted."""
    services, fitted = world.services(folder), []

    def fit(seed: int, which: str) -> Student:
        fitted.append((seed, which))
        student = services.students.new(seed)
        student.fit([Example(text=WORDS[seed], label="sports")])
        return student

    services.folder.student(1).parent.mkdir(parents=True, exist_ok=True)
    average_fits(services, services.folder.student(1), seeds, fit)
    return services, fitted


def words(services: Services) -> dict[str, float]:
    student = services.students.load(services.folder.student(1))
    assert isinstance(student, WordStudent)
    return student.counts["sports"]


def test_every_fit_counts_the_same(tmp_path: Path) -> None:
    services, fitted = cooking(tmp_path, [1, 2, 3])
    assert words(services) == {"goal": 1 / 3, "race": 1 / 3, "match": 1 / 3}
    assert fitted == [(1, ", fit 1 of 3"), (2, ", fit 2 of 3"), (3, ", fit 3 of 3")]
    assert [path.name for path in services.folder.student(1).parent.iterdir()] == ["cycle-001"]


def test_one_fit_is_itself(tmp_path: Path) -> None:
    services, fitted = cooking(tmp_path, [2])
    assert words(services) == {"race": 1.0} and fitted == [(2, "")]


def test_a_killed_run_finds_the_fits_it_had_finished(tmp_path: Path) -> None:
    with pytest.raises(KeyError):  # no such word: as good as a kill
        cooking(tmp_path, [1, 9])
    services, fitted = cooking(tmp_path, [1, 2])
    assert [seed for seed, _ in fitted] == [2]
    assert words(services) == {"goal": 0.5, "race": 0.5}


def test_fits_of_another_student_are_not_taken_for_its_own_and_do_not_stay(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    for model in ("small", "large"):
        config.write_text(f'[student]\nmodel = "{model}"\n[budget]\nmax_calls = {len(model)}\n')
        with pytest.raises(KeyError):
            cooking(tmp_path, [1, 9])
    config.write_text('[student]\nmodel = "huge"\n')
    services, fitted = cooking(tmp_path, [1, 2])
    assert [seed for seed, _ in fitted] == [1, 2]
    assert [path.name for path in services.folder.student(1).parent.iterdir()] == ["cycle-001"]


def test_what_is_there_stays(tmp_path: Path) -> None:
    cooking(tmp_path, [1])
    services, fitted = cooking(tmp_path, [2, 3])
    assert words(services) == {"goal": 1.0} and not fitted
