"""A network whose file holds its weights in eight bits, and which computes in float32: small, not fast, and faithful.

The weights become float again by a cast and a product of constants, which every ONNX Runtime works out once, when it
opens the file. Of an embedding table only the rows that are looked up become float.
"""

from typing import Any

import numpy as np

from .equalise import LEAST, layers_of, tables_of


def store_weights(model: Any) -> Any:
    """A copy of the model with its layers and tables in int8, a scale for each output and for each row."""
    from onnx import ModelProto

    made = ModelProto()
    made.CopyFrom(model)
    layers, tables = ({node.name for node in found(made)} for found in (layers_of, tables_of))
    weights = {each.name: each for each in made.graph.initializer}
    nodes: list[Any] = []
    for node in list(made.graph.node):
        if node.name in layers:
            nodes += _stored_layer(made, node, weights[node.input[1]])
        elif node.name in tables:
            nodes += _stored_table(made, node, weights[node.input[0]])
        else:
            nodes.append(node)
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def _stored_layer(model: Any, node: Any, weight: Any) -> list[Any]:
    name = node.input[1]
    _store(model, weight, axis=0)
    node.input[1] = f"{name}_real"
    return [*_restored(name, name, f"{name}_scales", f"{name}_real"), node]


def _stored_table(model: Any, node: Any, table: Any) -> list[Any]:
    from onnx import helper

    name, given = table.name, node.output[0]
    _store(model, table, axis=1)
    node.output[0] = f"{given}_stored"
    scales = helper.make_node("Gather", [f"{name}_scales", node.input[1]], [f"{given}_scales"], f"{given}_scales")
    return [node, scales, *_restored(given, f"{given}_stored", f"{given}_scales", given)]


def _store(model: Any, weight: Any, axis: int) -> None:
    """Round a constant to eight bits, with one scale for all along the axis."""
    from onnx import numpy_helper

    values, name = numpy_helper.to_array(weight), weight.name
    scales = (np.maximum(np.abs(values).max(axis=axis, keepdims=True), LEAST) / 127).astype(np.float32)
    weight.CopyFrom(numpy_helper.from_array(np.round(values / scales).astype(np.int8), name))
    model.graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scales"))


def _restored(name: str, stored: str, scales: str, given: str) -> list[Any]:
    """The nodes that make float of what is stored."""
    from onnx import TensorProto, helper

    return [
        helper.make_node("Cast", [stored], [f"{name}_cast"], f"{name}_cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_cast", scales], [given], f"{name}_product"),
    ]
