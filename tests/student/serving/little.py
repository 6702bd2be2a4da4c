"""A network of a few numbers as ONNX, in a folder like those that an export writes, made without torch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from tests.student import tiny

LABELS = ("music", "weather")
WIDTH = 16


def network(outlier: float = 1.0) -> Any:
    """Word vectors, a layer, their sum, two layers: one output says weather, the other music.

    Args:
        outlier: how much larger one column of one word's vector is than all others.
    """
    rng = np.random.default_rng(0)
    table = rng.normal(size=(32, WIDTH)).astype(np.float32)
    table[4, 3] *= outlier
    constants = {
        "table": table,
        "first": rng.normal(size=(WIDTH, WIDTH)).astype(np.float32),
        "second": rng.normal(size=(WIDTH, 2)).astype(np.float32),
        "axis": np.array([1], np.int64),
        "third": rng.normal(size=(WIDTH, WIDTH)).astype(np.float32),
        "two": np.array([2], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"], "look_up"),
        helper.make_node("MatMul", ["words", "first"], ["mixed"], "layer_1"),
        helper.make_node("Tanh", ["mixed"], ["bounded"], "tanh"),
        helper.make_node("Cast", ["attention_mask"], ["floats"], "floats", to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["floats", "two"], ["mask"], "mask"),
        helper.make_node("Mul", ["bounded", "mask"], ["masked"], "masked"),
        helper.make_node("ReduceSum", ["masked", "axis"], ["total"], "total", keepdims=0),
        helper.make_node("MatMul", ["total", "third"], ["deep"], "layer_2"),
        helper.make_node("MatMul", ["deep", "second"], ["logits"], "last"),
    ]
    sizes = ["batch", "length"]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "little",
            [helper.make_tensor_value_info(name, TensorProto.INT64, sizes) for name in ("input_ids", "attention_mask")],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )


def exported(folder: Path) -> Path:
    """A folder with the network, its tokenizer and its config."""
    (folder / "onnx").mkdir(parents=True)
    save(network(), folder / "onnx" / "model.onnx")
    tiny.tokenizer().save_pretrained(folder)
    config = {
        "architectures": ["BertForSequenceClassification"],
        "id2label": dict(enumerate(LABELS)),
        "evokd_max_length": 12,
        "pad_token_id": 1,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder
