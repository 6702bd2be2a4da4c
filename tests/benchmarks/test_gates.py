"""Is the gate right: which texts make a batch, and what is told of it."""

import json
from pathlib import Path

import numpy as np

from benchmarks.gates import Scores, batches, scores, told
from tasks.base import Example
from tests import world
from tests.fake_student import WordStudent


def test_a_batch_is_what_its_cycle_wrote_anew(tmp_path: Path) -> None:
    rows = [("old one", 1), ("new", 2), ("Old  One", 2), ("newer", 3), ("newest", 3)]
    path = tmp_path / "B.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": "food", "cycle": n}) + "\n" for text, n in rows))
    found = batches(path, {"oldone"})
    texts = {cycle: [each.text for each in batch] for cycle, batch in found.items()}
    assert texts == {2: ["new"], 3: ["newer", "newest"]}


def test_a_student_is_scored_text_by_text() -> None:
    student = WordStudent(list(world.VOCABULARY), {"sports": {"goal": 5.0}, "money": {"bank": 5.0}})
    texts = [Example(text="a goal", label="sports"), Example(text="a bank", label="sports")]
    found = scores(world.task(), student, texts)  # type: ignore[arg-type]
    assert found.right.tolist() == [1.0, 0.0]
    assert found.loss[0] < found.loss[1] and found.calibrated.mean() <= found.loss.mean()


def test_differences_are_told_with_their_signs() -> None:
    old = Scores(np.array([1.0, 0, 0, 1]), np.array([0.1, 0.9, 0.8, 0.2]), np.array([0.2, 0.8, 0.7, 0.3]))
    new = Scores(np.array([1.0, 1, 0, 1]), np.array([0.2, 0.3, 0.8, 0.2]), np.array([0.2, 0.5, 0.6, 0.3]))
    assert told(new, old).startswith("points +25.0; loss, calibrated loss -0.125 [")
