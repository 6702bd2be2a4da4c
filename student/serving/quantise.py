"""A network in eight bits: the ways to get there, from the fastest to the most faithful."""

import hashlib
import logging
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..encoder.shortcuts import padded
from .equalise import equalise, layers_of, measure_peaks, tables_of
from .weight_only import store_weights

LEFT_OUT = (0, 4, 8)
"""How many of the layers that lose most stay in float32, of one way after the other."""

LOOKED_AT = 64
"""Texts by which peaks and losses are measured."""


@dataclass(frozen=True)
class Candidate:
    """One network in eight bits."""

    way: str
    """How it was made, in words."""
    model: bytes


def candidates(network: Any, model: Any, rows: Sequence[list[int]], pad: int, threads: int) -> Iterator[Candidate]:
    """Quantised forms of a network, the fastest first; each is made when it is asked for.

    Args:
        network: under torch, to measure what each layer loses.
        model: the same as ONNX.
        rows: token ids of texts to measure by.
        pad: id of the padding token.
        threads: of the processor.
    """
    layers, tables = ([node.name for node in found] for found in (layers_of(model), tables_of(model)))
    if not layers:
        return
    yield Candidate("one scale a layer", _quantised(model, [*layers, *tables]))
    equal = equalise(model, measure_peaks(model, rows[:LOOKED_AT], threads))
    ranked: list[str] = []
    for count in LEFT_OUT:
        if count >= len(layers):
            break
        if count and not ranked:
            ranked = most_lossy(network, model, rows[:LOOKED_AT], pad)
        left = f", {count} of {len(layers)} layers in float32" if count else ""
        kept = set(ranked[:count])
        names = [*tables, *(name for name in layers if name not in kept)]
        yield Candidate(f"one scale a token{left}", _quantised(equal, names))
    yield Candidate("weights alone, computed in float32", store_weights(model).SerializeToString())


def _quantised(model: Any, names: Collection[str]) -> bytes:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as place, _quiet():
        path = Path(place) / "model.onnx"
        quantize_dynamic(
            model,
            path,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=list(names),
        )
        return path.read_bytes()


@torch.inference_mode()
def most_lossy(network: nn.Module, model: Any, rows: Sequence[list[int]], pad: int) -> list[str]:
    """The names of the layers, those first that change the logits most when they alone are rounded to eight bits."""
    from onnx import numpy_helper

    weights = {each.name: each for each in model.graph.initializer}
    names = {_mark(numpy_helper.to_array(weights[node.input[1]]).T): node.name for node in layers_of(model)}
    batch = padded(rows, pad, next(network.parameters()).device)
    exact = network(**batch).logits
    losses: dict[str, float] = {}
    for layer in network.modules():
        if isinstance(layer, nn.Linear) and (name := names.get(_mark(layer.weight.cpu().numpy()))):
            with _rounded(layer):
                difference = (network(**batch).logits - exact).abs()
            real = batch["attention_mask"].bool() if difference.dim() == 3 else ...
            losses[name] = float(difference[real].mean())
    return sorted(losses, key=losses.__getitem__, reverse=True)


def _mark(weight: np.ndarray) -> str:
    return hashlib.sha256(weight.tobytes()).hexdigest()


@contextmanager
def _rounded(layer: nn.Linear) -> Iterator[None]:
    """The layer with input (by token) and weights (by output) rounded as eight bits round them."""
    exact = layer.weight.data
    hook = layer.register_forward_pre_hook(lambda _, inputs: (_round(inputs[0]),))
    layer.weight.data = _round(exact)
    try:
        yield
    finally:
        hook.remove()
        layer.weight.data = exact


def _round(values: torch.Tensor) -> torch.Tensor:
    step = values.abs().amax(dim=-1, keepdim=True).clamp(min=1e-9) / 127
    return torch.round(values / step) * step


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice to prepare the model, which is prepared: it goes to the root logger."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
