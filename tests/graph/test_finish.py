"""The test set is opened when the run has ended, and what training has in common with it is told."""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.base import Services
from evokd.agents.trainer.agent import Trainer
from evokd.graph import finish
from evokd.graph.finish import fit_last, score_test_set
from evokd.tasks.base import Example
from tests import world
from tests.agents.acting import WatchedStudents


def finished(folder: Path, test: dict[str, str], train: dict[str, str]) -> Services:
    """A run whose first student knows nothing and whose champion has learnt `train`."""
    services = world.services(folder)
    services.memory.remember(Example(text=text, label=label) for text, label in train.items())
    for cycle in (0, 1):
        student = services.students.new(0)
        student.fit(services.memory.samples("train") if cycle else services.memory.samples("seed"))
        student.save(services.folder.student(cycle))
    services.folder.crown("students/cycle-001")
    rows = [Example(text=text, label=label, split="test") for text, label in test.items()]
    services.folder.write_rows(folder / "data" / "test.jsonl", rows)
    return services


CHAMPION = "students/cycle-001"


def result(folder: Path) -> Any:
    return json.loads((folder / "result.json").read_text())


TEST = {"goal and league": "sports", "loan and tax": "money", "atom and virus": "science", "bread and soup": "food"}


def test_seed_only_student_and_champion_are_compared_and_the_overlap_is_told(tmp_path: Path) -> None:
    given = {"Goal  and, LEAGUE!": "sports", "virus orbit atom": "science"}
    score_test_set(finished(tmp_path, TEST, given), CHAMPION)
    found = result(tmp_path)
    assert found["champion"] == "cycle-001" and found["metric"] == "accuracy"
    assert found["seeds only"]["n"] == found["champion score"]["n"] == found["difference"]["n"] == 4
    assert found["training texts that stand in the test set"] == 1
    assert found["champion score without those"]["n"] == 3


def test_every_test_text_is_kept_with_what_both_students_say(tmp_path: Path) -> None:
    score_test_set(finished(tmp_path, TEST, {"goal league": "sports", "virus orbit atom": "science"}), CHAMPION)
    rows = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    assert [row["label"] for row in rows] == list(TEST.values())
    assert rows[0]["id"] == Example(text="goal and league", label="sports").id
    assert rows[0]["predicted"] == "sports" and rows[0]["points"] == [1.0, 1.0]
    right = sum(row["points"][0] for row in rows) / len(rows)
    assert right == result(tmp_path)["champion score"]["value"]
    before = sum(row["seeds only"] == row["label"] for row in rows) / len(rows)
    assert before == result(tmp_path)["seeds only"]["value"]


def test_nothing_is_left_where_every_test_text_was_trained_on(tmp_path: Path) -> None:
    score_test_set(finished(tmp_path, TEST, TEST), CHAMPION)
    assert result(tmp_path)["training texts that stand in the test set"] == 4
    assert result(tmp_path)["champion score without those"] is None


def test_it_is_opened_once_for_a_champion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = finished(tmp_path, TEST, TEST)
    opened: list[Path] = []
    read = type(services.folder).read_rows

    def recording(self: Any, path: Path, model: Any) -> Any:
        opened.append(path)
        return read(self, path, model)

    monkeypatch.setattr(type(services.folder), "read_rows", recording)
    score_test_set(services, CHAMPION)
    score_test_set(services, CHAMPION)
    assert [path.name for path in opened] == ["test.jsonl"]
    services.folder.crown("students/cycle-000")
    score_test_set(services, CHAMPION)
    assert result(tmp_path)["champion"] == "cycle-000" and len(opened) == 2


def test_without_a_test_set_there_is_no_result(tmp_path: Path) -> None:
    services = finished(tmp_path, TEST, TEST)
    (tmp_path / "data" / "test.jsonl").unlink()
    score_test_set(services, CHAMPION)
    assert not (tmp_path / "result.json").exists()


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
    assert result(tmp_path)["champion"] == "final-001" and result(tmp_path)["before the last training"]["n"] == 4


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
    monkeypatch.setattr(finish, "IMITATED", 2)
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
