"""A network computes the same after it, and loses less of what outliers take from it in eight bits."""

from typing import Any

import numpy as np
import pytest

from evokd.student.serving.equalise import equalise, layers_of, measure_peaks, tables_of
from evokd.student.serving.onnx import infer, open_session
from evokd.student.serving.quantise import _quantised
from tests.student.serving import little

ROWS = [[0, 4, 9, 2], [0, 11, 2], [0, 30, 31, 12, 13, 2]]

OUTLIERS = ["layer_1"]
"""Where one column of one word is sixty times as large as all others."""


def logits(model: Any) -> np.ndarray:
    session = open_session(model if isinstance(model, bytes) else model.SerializeToString())
    return infer(session, ROWS, 1)


def names(model: Any) -> list[str]:
    return [node.name for node in (*layers_of(model), *tables_of(model))]


@pytest.fixture
def model() -> Any:
    return little.network(outlier=60.0)


def test_layers_and_tables_are_found_but_not_the_last(model: Any) -> None:
    assert names(model) == ["layer_1", "layer_2", "look_up"]


def test_weights_that_two_layers_share_are_left_alone(model: Any) -> None:
    model.graph.node[-2].input[1] = "first"
    assert names(model) == ["look_up"]


def test_peaks_are_the_largest_values_of_each_column(model: Any) -> None:
    peaks = measure_peaks(model, ROWS, 1)
    assert set(peaks) == {"words", "total"} and all(each.shape == (little.WIDTH,) for each in peaks.values())
    assert peaks["words"].argmax() == 3 and peaks["words"].max() > 20


def test_the_network_computes_the_same(model: Any) -> None:
    before = model.SerializeToString()
    equal = equalise(model, measure_peaks(model, ROWS, 1))
    np.testing.assert_allclose(logits(equal), logits(model), rtol=1e-4, atol=1e-4)
    assert model.SerializeToString() == before


def test_eight_bits_lose_less(model: Any) -> None:
    exact = logits(model)
    equal = equalise(model, measure_peaks(model, ROWS, 1))
    plain, careful = (np.abs(logits(_quantised(each, OUTLIERS)) - exact).mean() for each in (model, equal))
    assert 0 < careful < plain / 2


def test_an_answer_hardly_depends_on_its_neighbours(model: Any) -> None:
    def moved(given: Any) -> float:
        session = open_session(_quantised(given, OUTLIERS))
        alone = np.concatenate([infer(session, [row], 1) for row in ROWS])
        return float(np.abs(alone - infer(session, ROWS, 1)).mean())

    assert moved(equalise(model, measure_peaks(model, ROWS, 1))) < moved(model) / 3
