"""The test set is opened when the run has ended, and what training has in common with it is told."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.evaluator.final_test import FinalTest, score_test_set
from evokd.student.serving.confidence import Confidence
from evokd.tasks.base import Example, Origin, Span
from evokd.tasks.kinds.ner import Ner
from evokd.testing import WordSpansStudent, WordStudents, world
from tests.agents.acting import finished

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


@pytest.mark.parametrize(("source", "texts"), [("pool", "of the pool, at random"), ("typical", "of the teacher")])
def test_what_the_gate_said_and_what_would_help_are_results(tmp_path: Path, source: Any, texts: str) -> None:
    services = finished(tmp_path, TEST, {"goal league": "sports"})
    origin = Origin(source=source)
    services.memory.remember([Example(text="loan", label="money", split="gate", origin=origin)])
    score = {"value": 0.5, "low": None, "high": None, "n": 1.0}
    last: Any = {"outlook": "What would help is more.", "scores": {"gate": score}}
    FinalTest()(world.state(champion=CHAMPION, history=[last]), services)
    found = result(tmp_path)
    assert found["outlook"] == "What would help is more."
    assert found["agreement with the teacher"] == {**score, "texts": texts}


def test_the_students_confidence_is_compared_with_the_truth_without_and_with_its_temperature(tmp_path: Path) -> None:
    given = {f"{label} {word}": label for label, words in world.VOCABULARY.items() for word in words}
    services = finished(tmp_path, TEST | {"bank of the river": "science"}, given)
    score_test_set(services, CHAMPION)
    found = result(tmp_path)["calibration"]
    assert (found["temperature"], found["source"], found["n"]) == (1.0, "none", 0)
    assert found["before"] == found["after"] and found["before"]["n"] == 5
    (tmp_path / "result.json").unlink()
    Confidence(temperature=4.0, source="dev", confidences=(0.9, 0.5), right=(True, False)).write(
        services.folder.student(1)
    )
    score_test_set(services, CHAMPION)
    calibrated = result(tmp_path)["calibration"]
    assert (calibrated["temperature"], calibrated["source"], calibrated["n"]) == (4.0, "dev", 2)
    assert calibrated["before"] == found["before"] and calibrated["after"]["brier"] != found["before"]["brier"]
    assert sum(each["n"] for each in calibrated["after"]["bins"]) == 5
    assert result(tmp_path)["champion score"]["value"] == 0.8, "the answers are the same"


def test_entities_have_no_such_figures(tmp_path: Path) -> None:
    services = finished(tmp_path, TEST, TEST)
    students = WordStudents(list(world.VOCABULARY), WordSpansStudent)
    spans = Ner("Find them.", dict.fromkeys(world.VOCABULARY, ""))
    rows = [Example(text="goal and league", label=(Span(start=0, end=4, type="sports"),), split="test")]
    services.folder.write_rows(tmp_path / "data" / "test.jsonl", rows)
    score_test_set(dataclasses.replace(services, students=students, task=spans), CHAMPION)
    assert result(tmp_path)["calibration"] is None
