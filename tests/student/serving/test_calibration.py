"""The temperature that makes probabilities mean what they say, and how far they are from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evokd.student.serving.calibration import BINS, fit_temperature, losses, reliability
from evokd.tasks.base import Example, Prediction
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.label_sets import LabelsPrediction
from evokd.tasks.kinds.multilabel import MultiLabel

NAMES = ["a", "b", "c"]
TASK = Classification("What is it?", dict.fromkeys(NAMES, ""))


def said(shares: np.ndarray) -> Prediction:
    best = int(shares.argmax())
    told = dict(zip(NAMES, shares.tolist(), strict=True))
    return Prediction(label=NAMES[best], probability=float(shares[best]), probabilities=told)


def drawn(temperature: float, size: int) -> tuple[list[Example], list[Prediction]]:
    """Labels drawn from a softmax, and a student that gives the logits times a temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (size, 3))

    def softmax(lower: np.ndarray) -> np.ndarray:
        weights: np.ndarray = np.exp(lower - lower.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    labels = [NAMES[rng.choice(3, p=row)] for row in softmax(logits)]
    examples = [Example(text=str(number), label=label) for number, label in enumerate(labels)]
    return examples, [said(row) for row in softmax(logits * temperature)]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_probabilities_too_sure_is_found(temperature: float) -> None:
    examples, predictions = drawn(temperature, 4000)
    found = fit_temperature(TASK, examples, predictions)
    assert found == pytest.approx(temperature, rel=0.1)
    after = [prediction.at_temperature(found) for prediction in predictions]
    right = [example.label == prediction.label for example, prediction in zip(examples, predictions, strict=True)]
    errors = [reliability([each.probability for each in side], right)["ece"] for side in (predictions, after)]
    assert errors[1] < 0.03 and (errors[0] > 2 * errors[1] or temperature == 1)  # type: ignore[operator]
    mean = losses(TASK, examples, predictions, found).mean()
    told = np.mean([TASK.loss(example, each) for example, each in zip(examples, after, strict=True)])
    assert mean == pytest.approx(told, abs=2e-3), "what is fitted is what is applied, but for a bound"


def test_few_texts_that_are_all_right_do_not_make_a_student_certain() -> None:
    examples = [Example(text=str(number), label="a") for number in range(5)]
    found = fit_temperature(TASK, examples, [said(np.array([0.9, 0.05, 0.05]))] * 5)
    assert 0.5 < found < 1


@given(st.lists(st.floats(1e-6, 1), min_size=3, max_size=3), st.floats(0.14, 7.4))
def test_the_answer_never_changes(raw: list[float], temperature: float) -> None:
    before = said(np.array(raw) / sum(raw))
    after = before.at_temperature(temperature)
    assert after.label == before.label and type(after) is Prediction
    assert after.probability == after.probabilities[str(after.label)] == max(after.probabilities.values())
    assert sum(after.probabilities.values()) == pytest.approx(1.0)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0.14, 7.4))
def test_the_labels_of_a_text_never_change_whatever_their_thresholds(shares: list[float], temperature: float) -> None:
    thresholds = dict(zip(NAMES, (0.3, 0.5, 0.8), strict=True))
    told = dict(zip(NAMES, shares, strict=True))
    label = tuple(name for name in NAMES if told[name] >= thresholds[name])
    before = LabelsPrediction(label=label, probability=0.5, probabilities=told, cut=True)
    after = before.at_temperature(temperature)
    assert after.label == label and after.cut
    assert 0 <= after.probability <= 1 and all(0 <= each <= 1 for each in after.probabilities.values())
    for name in NAMES:  # a label and its threshold are moved alike
        moved = LabelsPrediction(label=(), probability=0, probabilities=thresholds).at_temperature(temperature)
        if told[name] >= thresholds[name]:
            assert after.probabilities[name] >= moved.probabilities[name]


def test_labels_have_a_temperature_as_one_label_has() -> None:
    task = MultiLabel("What is in it?", dict.fromkeys(NAMES, ""))
    examples = [Example(text=str(number), label=("a",) if number % 4 else ()) for number in range(400)]
    sure = LabelsPrediction(label=("a",), probability=0.99, probabilities={"a": 0.99, "b": 0.001, "c": 0.001})
    found = fit_temperature(task, examples, [sure] * 400)
    assert found > 2 and sure.at_temperature(found).probabilities["a"] < 0.95


def test_reliability_is_told_by_bins_that_are_not_empty() -> None:
    found = reliability([0.95, 0.95, 0.55, 0.55, 1.0, 0.0], [True, False, True, True, True, False])
    assert found["n"] == 6
    assert found["ece"] == pytest.approx((abs(0.95 * 2 + 1 - 2) + abs(1.1 - 2) + 0) / 6)
    assert found["brier"] == pytest.approx((0.05**2 + 0.95**2 + 2 * 0.45**2) / 6)
    bins: list[dict[str, float]] = found["bins"]  # type: ignore[assignment]
    assert [each["n"] for each in bins] == [1, 2, 3] and bins[1] == {"n": 2, "confidence": 0.55, "accuracy": 1.0}
    assert reliability([], []) == {"n": 0, "bins": []}
    assert BINS == 15
