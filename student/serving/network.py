"""A student's network as an ONNX file in float32, from torch's own exporter."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...tasks.errors import ConfigError, StepError

INPUTS = ("input_ids", "attention_mask")
SIZES = ("batch", "length")
"""Names of the two dimensions that may be of any size."""


class Logits(nn.Module):
    """A network that takes token ids and mask by place, and gives its logits alone."""

    def __init__(self, network: nn.Module) -> None:
        """Ask `network`."""
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits, shape (rows, outputs) or (rows, tokens, outputs)."""
        logits: torch.Tensor = self.network(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def write_network(network: Any, path: Path) -> None:
    """Write the network with free batch size and length, and nothing about the machine that it was written on.

    Raises:
        ConfigError: the packages of the extra `export` are missing.
        StepError: torch cannot export a network of this family.
    """
    require_onnx()
    import onnx

    with _plain_attention(network), _quiet(), torch.no_grad():
        try:
            found = _exported(Logits(network).eval())
        except Exception as error:  # the exporter runs the network's own code
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise StepError(f"torch cannot export a {network.config.model_type} to ONNX: {first:.200}") from error
    graph = found.graph
    for value in (*graph.input, *graph.output):
        for size, name in zip(value.type.tensor_type.shape.dim, SIZES, strict=False):
            if value.name in INPUTS or size.dim_param:
                size.dim_param = name
    for each in (found, graph, *graph.input, *graph.output, *graph.node, *graph.value_info, *graph.initializer):
        del each.metadata_props[:]  # lines of code, with the paths of this machine
    for node in graph.node:
        node.doc_string = ""
    del graph.value_info[:]
    onnx.save(found, path)


def _exported(network: nn.Module) -> Any:
    """The model; its example has two rows, as a dimension of size one would be taken for a constant."""
    ids = torch.arange(2 * 7).reshape(2, 7) + 3
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    free = dict(enumerate([torch.export.Dim.DYNAMIC] * 2))
    program = torch.onnx.export(
        network,
        (ids, mask),
        dynamo=True,
        input_names=INPUTS,
        output_names=["logits"],
        dynamic_shapes=dict.fromkeys(INPUTS, free),
        external_data=False,
        verbose=False,
    )
    if program is None:
        raise StepError("torch's exporter gave nothing.")
    return program.model_proto


def require_onnx() -> None:
    """Refuse to go on without the packages that write ONNX.

    Raises:
        ConfigError: one of them is missing.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"An export needs the package {error.name}: pip install 'evokd[export]'") from None


@contextmanager
def _plain_attention(network: Any) -> Iterator[None]:
    """Attention written out, where the family can: half of the nodes of the fused kind are guards against NaN."""
    before = getattr(network.config, "_attn_implementation", None)
    if before in ("sdpa", "flash_attention_2"):
        network.set_attn_implementation("eager")
    try:
        yield
    finally:
        if before in ("sdpa", "flash_attention_2"):
            network.set_attn_implementation(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on its own code."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)
