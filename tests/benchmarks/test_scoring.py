"""Text by text: right or not, and how much was paid for it."""

from benchmarks.scoring import scores
from evokd.tasks.base import Example
from evokd.testing import WordStudent, world


def test_a_student_is_scored_text_by_text() -> None:
    student = WordStudent(list(world.VOCABULARY), {"sports": {"goal": 5.0}, "money": {"bank": 5.0}})
    texts = [Example(text="a goal", label="sports"), Example(text="a bank", label="sports")]
    found = scores(world.task(), student, texts)  # type: ignore[arg-type]
    assert found.right.tolist() == [1.0, 0.0]
    assert found.loss[0] < found.loss[1] and found.calibrated.mean() <= found.loss.mean()
