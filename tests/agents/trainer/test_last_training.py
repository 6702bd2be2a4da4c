"""The last student learns the gate's texts too, and what it thinks of texts without labels."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from evokd.agents.base import Services
from evokd.agents.evaluator.final_test import score_test_set
from evokd.agents.trainer import last_training
from evokd.agents.trainer.agent import Trainer
from evokd.agents.trainer.last_training import fit_last
from evokd.tasks.base import Example
from evokd.testing import WordStudent, WordStudents, world
from tests.agents.acting import WatchedStudents, finished

CHAMPION = "students/cycle-001"
TEST = {"goal and league": "sports", "loan and tax": "money", "atom and virus": "science", "bread and soup": "food"}
GATE = {"goal referee stadium": "sports", "tennis champion race": "sports", "debt salary tax": "money"}


def with_gate(folder: Path) -> Services:
    services = finished(folder, TEST, {"Goal  and LEAGUE": "sports", "loan price": "money"})
    services.memory.remember(Example(text=text, label=label, split="gate") for text, label in GATE.items())
    return services


def test_the_last_student_learns_the_gates_texts_too_and_is_the_best(tmp_path: Path) -> None:
    services = with_gate(tmp_path)
    fit_last(services, CHAMPION, Trainer(last_members=2))
    assert (tmp_path / "best").resolve().name == "final-001"
    known = services.students.load(tmp_path / "best").counts  # type: ignore[attr-defined]
    assert {"referee", "league", "match"} <= set(known["sports"]), "gate, kept and seeds"
    score_test_set(services, CHAMPION)
    result = services.folder.read_json(tmp_path / "result.json")
    assert result["champion"] == "final-001" and result["before the last training"]["n"] == 4


def test_the_last_student_learns_classes_in_balance_as_the_others_do(tmp_path: Path) -> None:
    services = dataclasses.replace(with_gate(tmp_path), students=WatchedStudents(list(world.VOCABULARY)))
    for balance in (True, False):
        services.students.made.clear()  # type: ignore[attr-defined]
        fit_last(services, CHAMPION, Trainer(last_members=1, balance=balance))
        [student] = [each for each in services.students.made if each.learnt]  # type: ignore[attr-defined]
        assert student.balance is balance
        shutil.rmtree(tmp_path / "students" / "final-001")


def test_a_trainer_of_ones_own_chooses_what_the_last_student_learns(tmp_path: Path) -> None:
    class Sports(Trainer):
        def select_texts(self, services: Services, examples: Sequence[Example]) -> list[Example]:
            return [example for example in examples if example.label == "sports"]

    fit_last(services := with_gate(tmp_path), CHAMPION, Sports(last_members=1))
    known = services.students.load(tmp_path / "best").counts  # type: ignore[attr-defined]
    assert "referee" in known["sports"] and not known["money"]


def test_it_is_trained_once(tmp_path: Path) -> None:
    services = with_gate(tmp_path)
    fit_last(services, CHAMPION, Trainer(last_members=2))
    fitted = services.students.fitted  # type: ignore[attr-defined]
    fit_last(services, CHAMPION, Trainer(last_members=2))
    assert services.students.fitted == fitted  # type: ignore[attr-defined]


def test_without_a_gate_it_learns_what_was_kept(tmp_path: Path) -> None:
    services = finished(tmp_path, TEST, {"Goal  and LEAGUE": "sports"})
    fit_last(services, CHAMPION, Trainer(last_members=2))
    assert (tmp_path / "best").resolve().name == "final-001"
    assert "league" in services.students.load(tmp_path / "best").counts["sports"]  # type: ignore[attr-defined]


def test_without_a_kept_text_there_is_nothing_to_learn(tmp_path: Path) -> None:
    services = finished(tmp_path, TEST, {})
    services.memory.remember(Example(text=text, label=label, split="gate") for text, label in GATE.items())
    fit_last(services, CHAMPION, Trainer(last_members=2))
    assert (tmp_path / "best").resolve().name == "cycle-001" and not (tmp_path / "students" / "final-001").exists()


def test_it_learns_what_it_thinks_of_the_texts_without_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_training, "IMITATED", 2)
    services = dataclasses.replace(with_gate(tmp_path), pool=["goal by unlabelled", "the referee", "another one"])
    fit_last(services, CHAMPION, Trainer(last_members=2))
    counts = services.students.load(tmp_path / "best").counts  # type: ignore[attr-defined]
    assert {label for label, words in counts.items() if "unlabelled" in words} == set(counts), "every label its share"
    assert counts["sports"]["unlabelled"] > 0.5 and "another" not in counts["sports"], "two texts, no more"
    assert [p.name for p in (tmp_path / "students").iterdir() if p.name.startswith(".")] == []


def test_the_champion_stays_where_dev_clearly_says_so(tmp_path: Path) -> None:
    services = with_gate(tmp_path)
    champion = services.students.new(0)
    champion.fit(services.memory.samples("dev"))
    champion.save(services.folder.student(1))
    fit_last(services, CHAMPION, Trainer(last_members=2))
    assert (tmp_path / "best").resolve().name == "cycle-001" and (tmp_path / "students" / "final-001").exists()


class Gourmets(WordStudents):
    """Assistants that have learnt food, whatever they are taught."""

    def load(self, folder: Path, seed: int = 0) -> WordStudent:
        student = super().load(folder)
        student.counts = {label: {} for label in student.counts} | {"food": dict.fromkeys(["unlabelled", "text"], 99.0)}
        return student


def test_an_assistant_takes_the_place_of_the_first_student_and_is_fitted_once(tmp_path: Path) -> None:
    assistants = Gourmets(list(world.VOCABULARY))
    pool = ["an unlabelled text", "goal league match"]
    services = dataclasses.replace(with_gate(tmp_path), pool=pool, assistant=assistants)
    before = services.students.fitted  # type: ignore[attr-defined]
    fit_last(services, CHAMPION, Trainer(last_members=2))
    assert assistants.fitted == 1 and services.students.fitted == before + 2  # type: ignore[attr-defined]
    counts = services.students.load(tmp_path / "best").counts  # type: ignore[attr-defined]
    assert counts["food"]["unlabelled"] > 0.9 > 0.1 > counts["sports"].get("unlabelled", 0.0)
    assert [p.name for p in (tmp_path / "students").iterdir() if p.name.startswith(".")] == []


def test_without_texts_to_speak_of_no_assistant_is_fitted(tmp_path: Path) -> None:
    assistants = Gourmets(list(world.VOCABULARY))
    fit_last(dataclasses.replace(with_gate(tmp_path), assistant=assistants), CHAMPION, Trainer(last_members=1))
    assert assistants.fitted == 0
