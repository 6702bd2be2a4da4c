"""What a trace says of a step: words and figures, never the state's bookkeeping."""

from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command

from evokd.graph.traces import StepWords, describe_state, judge
from evokd.memory.run_folder import RunFolder


def row(**changes: Any) -> dict[str, Any]:
    score = {"value": 0.75, "low": 0.6, "high": 0.9, "n": 40}
    told = {
        "cycle": 2, "batch_kind": "lessons", "kept": True, "why": "it passes", "scores": {"dev": score},
        "stats": {"drafted": 8, "refused": {"seed": 2}, "accepted": 5, "held_out": 1}, "teacher": {"calls": 3},
        "gate": {"loss": {"value": -0.25, "low": -0.3, "high": -0.1, "n": 40}},
    }  # fmt: skip
    return {**told, **changes}


def test_a_state_is_told_without_its_bookkeeping() -> None:
    state = {
        "cycle": 3, "batch_kind": "lessons", "batch": ["a", "b"], "champion": "students/cycle-002", "stop": "",
        "history": [row()], "ties": {"data/seed.jsonl": "d9"}, "seconds": {"trainer": 3.0},
    }  # fmt: skip
    assert describe_state(state) == {
        "cycle": 3, "batch_kind": "lessons", "champion": "students/cycle-002", "texts in the batch": 2,
        "scores so far": {"dev": "0.750 [0.600, 0.900] (n=40)"},
    }  # fmt: skip


def test_a_change_is_told_with_the_decision_and_the_next_step(tmp_path: Path) -> None:
    words = StepWords(RunFolder(tmp_path))
    said = words.outputs("evaluator", Command(update={"history": [row()], "ties": {}}, goto="analyst"))
    assert said == {
        "next": "analyst", "kept": True, "why": "it passes", "scores": {"dev": "0.750 [0.600, 0.900] (n=40)"},
        "teacher": {"calls": 3},
    }  # fmt: skip
    assert words.outputs("critic", "anything else") == "anything else" and words.inputs([1]) == [1]


def test_the_roles_are_judged_by_what_became_of_their_texts(tmp_path: Path) -> None:
    assert judge(row()) == [("generator", "new texts", 0.8), ("annotator", "labelled", 0.75), ("analyst", "gain", 0.25)]
    assert judge(row(stats={}, gate={})) == []
    assert [role for role, _, _ in judge(row(batch_kind="breadth"))] == ["generator", "annotator"]
    words = StepWords(RunFolder(tmp_path))
    assert len(words.judgements(Command(update={"history": [row()]}))) == 3
    assert words.judgements(Command(update={"lessons": []})) == words.judgements({"cycle": 1}) == []


@pytest.mark.parametrize(
    "result", ["", '{"champion": "final-002", "champion score": {"value": 1.0, "low": null, "high": null, "n": 4}}']
)
def test_the_last_step_says_the_test_score_where_there_is_one(result: str, tmp_path: Path) -> None:
    if result:
        (tmp_path / "result.json").write_text(result, encoding="utf-8")
    said = StepWords(RunFolder(tmp_path)).outputs("final_test", Command(update={}, goto="__end__"))
    assert ("test" in said) is bool(result) and said["next"] == "the end"
