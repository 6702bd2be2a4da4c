"""Rewrites of an ONNX network that change nothing it computes, but lose less when it is quantised to eight bits.

ONNX Runtime quantises what comes into a layer with one scale for the whole batch, so that one outlier takes the
precision of every other token, and an answer depends on its neighbours in the batch. After `equalise`, each token comes
in divided by its own largest value, which the layer's output is multiplied by; each column that is large in all texts
hands half of its range on to the weights (SmoothQuant, arXiv 2211.10438); and each row of an embedding table has a
scale of its own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .onnx import feed, open_session

HANDED_ON = 0.5
"""Share of a column's range, in powers, that the weights take over."""

LEAST = 1e-9
"""What nothing is divided by less than."""

Peaks = Mapping[str, np.ndarray]
"""Name of what comes into a layer -> the largest absolute value of each column."""


def layers_of(model: Any) -> list[Any]:
    """The multiplications by constant weights of their own, in the order in which they are computed.

    The maps that end a classifier are none of them, neither the last one nor one on a single vector a text (`Gemm`):
    quantised, the one that EvoKD starts near the identity loses what it has learnt, and they hold few weights.
    """
    own = _own_constants(model)
    outputs = model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    inner = {each.name for each in model.graph.initializer if each.name in own and each.dims[-1:] != [outputs]}
    return [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in inner]


def tables_of(model: Any) -> list[Any]:
    """The look-ups in embedding tables."""
    from onnx import TensorProto

    floats = {e.name for e in model.graph.initializer if len(e.dims) == 2 and e.data_type == TensorProto.FLOAT}
    own = _own_constants(model) & floats
    return [node for node in model.graph.node if node.op_type == "Gather" and node.input[0] in own]


def _own_constants(model: Any) -> set[str]:
    """Constants that one node alone reads."""
    read = Counter(name for node in model.graph.node for name in node.input)
    return {each.name for each in model.graph.initializer if read[each.name] == 1}


def measure_peaks(model: Any, rows: Sequence[list[int]], threads: int) -> Peaks:
    """How large the columns become that come into the layers, over some texts (token ids of each)."""
    from onnx import ModelProto, helper

    shown = ModelProto()
    shown.CopyFrom(model)
    names = sorted({node.input[0] for node in layers_of(model)})
    shown.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = open_session(shown.SerializeToString(), threads)
    found: dict[str, np.ndarray] = {}
    for ids in rows:
        for name, values in zip(names, session.run(names, feed([ids], 0)), strict=True):
            peak = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            found[name] = np.maximum(found.get(name, 0.0), peak)
    return found


def equalise(model: Any, peaks: Peaks) -> Any:
    """A copy of the model that computes the same and is quantised with less loss."""
    from onnx import ModelProto

    made = ModelProto()
    made.CopyFrom(model)
    weights = {each.name: each for each in made.graph.initializer}
    layers = {node.name for node in layers_of(made)}
    tables = {node.name for node in tables_of(made)}
    readers: dict[str, list[Any]] = {}
    for node in layers_of(made):
        readers.setdefault(node.input[0], []).append(node)
    nodes: list[Any] = []
    begun: set[str] = set()
    for node in list(made.graph.node):
        if node.name in tables:
            nodes += _scaled_table(made, node, weights[node.input[0]])
        elif node.name in layers:
            taken = node.input[0]
            if taken not in begun:
                begun.add(taken)
                nodes += _scaled_tokens(made, taken, _smoothed(taken, readers[taken], weights, peaks))
            nodes += _restored(node)
        else:
            nodes.append(node)
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def _smoothed(taken: str, readers: Sequence[Any], weights: Mapping[str, Any], peaks: Peaks) -> np.ndarray:
    """Divisors of the columns, by which the rows of the readers' weights have been multiplied."""
    from onnx import numpy_helper

    own = [numpy_helper.to_array(weights[node.input[1]]) for node in readers]
    largest = np.maximum(np.max([np.abs(each).max(axis=1) for each in own], axis=0), LEAST)
    divisors: np.ndarray = np.maximum(peaks[taken], LEAST) ** HANDED_ON / largest ** (1 - HANDED_ON)
    divisors = np.clip(divisors / np.exp(np.log(divisors).mean()), 1e-2, 1e2).astype(np.float32)
    for node, each in zip(readers, own, strict=True):
        scaled = (each * divisors[:, None]).astype(np.float32)
        weights[node.input[1]].CopyFrom(numpy_helper.from_array(scaled, node.input[1]))
    return divisors


def _scaled_tokens(model: Any, taken: str, divisors: np.ndarray) -> list[Any]:
    """The nodes that divide each column by its divisor, and each token by its largest value."""
    from onnx import helper, numpy_helper

    constants: dict[str, np.ndarray] = {
        "factors": 1 / divisors,
        "last": np.array([-1], np.int64),
        "least": np.array(LEAST, np.float32),
    }
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(value, f"{taken}_{name}"))
    steps = [
        ("Mul", [taken, f"{taken}_factors"], "smooth"),
        ("Abs", [f"{taken}_smooth"], "size"),
        ("ReduceMax", [f"{taken}_size", f"{taken}_last"], "largest"),
        ("Max", [f"{taken}_largest", f"{taken}_least"], "scale"),
        ("Div", [f"{taken}_smooth", f"{taken}_scale"], "equal"),
    ]
    return [helper.make_node(kind, given, [f"{taken}_{name}"], f"{taken}_{name}") for kind, given, name in steps]


def _restored(node: Any) -> list[Any]:
    """The layer on tokens of equal size, and the node that gives its output their own size back."""
    from onnx import helper

    taken, given = node.input[0], node.output[0]
    node.input[0], node.output[0] = f"{taken}_equal", f"{given}_equal"
    return [node, helper.make_node("Mul", [f"{given}_equal", f"{taken}_scale"], [given], f"{node.name}_restored")]


def _scaled_table(model: Any, node: Any, table: Any) -> list[Any]:
    """The look-up in rows of equal size, that in their sizes, and the product of both."""
    from onnx import helper, numpy_helper

    rows, given = numpy_helper.to_array(table), node.output[0]
    sizes = np.maximum(np.abs(rows).max(axis=1, keepdims=True), LEAST).astype(np.float32)
    table.CopyFrom(numpy_helper.from_array((rows / sizes).astype(np.float32), table.name))
    model.graph.initializer.append(numpy_helper.from_array(sizes, f"{given}_row_sizes"))
    node.output[0] = f"{given}_row"
    return [
        node,
        helper.make_node("Gather", [f"{given}_row_sizes", node.input[1]], [f"{given}_row_size"], f"{given}_row_size"),
        helper.make_node("Mul", [f"{given}_row", f"{given}_row_size"], [given], f"{given}_row_restored"),
    ]
