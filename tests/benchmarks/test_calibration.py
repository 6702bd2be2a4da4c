"""How the batches are mixed, and what labels are worth under a prior."""

import random
from collections import Counter

import numpy as np
import pytest

from benchmarks.calibration import drawn, worth
from evokd.tasks.base import Example
from evokd.tasks.kinds.classification import Classification

CLASSES = ("praise", "refund", "delivery")
TASK = Classification("Sort messages.", dict.fromkeys(CLASSES, ""))
EXAMPLES = [Example(text=f"{label} {number}", label=label) for number in range(40) for label in CLASSES]


@pytest.mark.parametrize("share", [0.0, 0.6, 0.8])
def test_a_batch_has_the_share_of_one_class_that_was_asked_for(share: float) -> None:
    places = drawn(EXAMPLES, list(CLASSES), share, random.Random(0))
    counts = Counter(EXAMPLES[place].label for place in places)
    assert len(places) == len(set(places)) and set(counts) == set(CLASSES)
    expected = share or 1 / len(CLASSES)
    assert max(counts.values()) / len(places) == pytest.approx(expected, abs=0.03)


def test_a_prior_takes_off_what_the_teacher_likes_anyway() -> None:
    """It says the first class too often by far; with the batch's mean taken off, every text is right."""
    examples, labels = EXAMPLES[: 2 * len(CLASSES)], list(TASK.labels)
    rows = [[5.0 * (place == 0) + 2.0 * (label == example.label) for place, label in enumerate(labels)]
            for example in examples]  # fmt: skip
    none, batch = worth(TASK, examples, rows, np.zeros(len(labels))), worth(TASK, examples, rows, np.mean(rows, axis=0))
    assert none[0] == pytest.approx(1 / len(labels)) and batch[0] == 1.0
    assert batch[2] == 1.0
