"""Weights in eight bits take a quarter of the room, lose little, and are no layer's input to be worked out twice."""

from typing import Any

import numpy as np
import onnxruntime

from evokd.student.serving.onnx import feed, infer, open_session
from evokd.student.serving.weight_only import store_weights
from tests.student.serving import little

ROWS = [[0, 4, 9, 2], [0, 11, 2], [0, 30, 31, 12, 13, 2]]


def test_it_says_nearly_the_same_with_weights_in_int8() -> None:
    model = little.network(outlier=60.0)
    stored = store_weights(model)
    exact, found = (infer(open_session(each.SerializeToString()), ROWS, 1) for each in (model, stored))
    assert 0 < np.abs(exact - found).max() < 0.02 * np.abs(exact).max()
    kinds = {each.name: each.data_type for each in stored.graph.initializer}
    assert {kinds[name] for name in ("table", "first", "third")} == {3} and kinds["second"] == 1  # int8, float


def test_each_row_is_answered_as_if_it_were_alone() -> None:
    session = open_session(store_weights(little.network()).SerializeToString())
    for row, together in zip(ROWS, infer(session, ROWS, 1), strict=True):
        np.testing.assert_allclose(infer(session, [row], 1)[0], together, rtol=1e-5, atol=1e-5)


def test_the_weights_become_float_when_the_file_is_opened(tmp_path: Any) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "opened.onnx")
    model = store_weights(little.network()).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    import onnx

    opened = onnx.load(tmp_path / "opened.onnx")
    casts = [node.name for node in opened.graph.node if node.op_type == "Cast"]
    assert sorted(casts) == ["floats", "words_cast"]  # the mask, and the rows of the table that are looked up
    assert session.run(None, feed(ROWS, 1))[0].shape == (3, 2)
