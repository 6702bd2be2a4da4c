"""A student is as sure of a set of labels as of the least sure of them."""

import pytest

from evokd.tasks.kinds.label_sets import LabelsPrediction


def said(*label: str, **probabilities: float) -> LabelsPrediction:
    return LabelsPrediction(label=label, probability=0.5, probabilities=probabilities)


def test_the_margin_is_that_of_the_least_sure_label() -> None:
    assert said("a", a=0.95, b=0.4).margin == pytest.approx(0.2)
    assert said("a", "b", a=0.95, b=0.8).margin == pytest.approx(0.6)
    assert said(a=0.0, b=0.0).margin == 1.0
    assert said("a", a=0.5, b=0.0).margin == 0.0


def test_the_row_lists_the_labels() -> None:
    assert said("a", a=0.95123, b=0.4).row("some text") == {
        "label": ["a"],
        "probability": 0.5,
        "probabilities": {"a": 0.9512, "b": 0.4},
    }
    assert said(a=0.1).row("some text")["label"] == []
