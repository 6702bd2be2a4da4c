"""A last layer that pools the mean, written in the encoder's own vocabulary.

`AutoModelForSequenceClassification` reads the first token. Of a sentence encoder that was trained for mean pooling,
such as MiniLM, that token says little: one text per class, 15 % right on TREC against 29 % (docs/decisions.md). So a
layer is added that attends to all tokens alike, copies their values and feeds nothing forward: its output at the first
token is the layer-normalised mean. The saved model is a plain one of its family, with one layer more, and needs none
of our code.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class Layout:
    """Where a family keeps the parts of a layer."""

    query: str
    key: str
    value: str
    mixed: str
    """The linear map after attention."""
    norms: tuple[str, str]
    forward: str
    """The last linear map of the feed-forward part."""

    def fits(self, layer: nn.Module) -> bool:
        """Whether the layer has every part, and attention as wide as its states."""
        names = (self.query, self.key, self.value, self.mixed, self.forward, *self.norms)
        parts: list[Any] = [part(layer, name) for name in names]
        return all(each is not None for each in parts) and all(
            each.in_features == each.out_features for each in parts[2:4]
        )


LAYOUTS = (
    Layout(
        "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
        ("attention.output.LayerNorm", "output.LayerNorm"), "output.dense",
    ),  # BERT, RoBERTa, XLM-R, ELECTRA, CamemBERT
    Layout(
        "attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj", "attention.output.dense",
        ("attention.output.LayerNorm", "output.LayerNorm"), "output.dense",
    ),  # DeBERTa
    Layout(
        "attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
        ("attention.LayerNorm", "output.LayerNorm"), "output.dense",
    ),  # MPNet: its position bias stays, so near tokens weigh more and the mean is approximate
    Layout(
        "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin",
        ("sa_layer_norm", "output_layer_norm"), "ffn.lin2",
    ),  # DistilBERT
)  # fmt: skip

TANH_HEADS = {
    "bert": "pooler.dense", "roberta": "classifier.dense", "xlm-roberta": "classifier.dense",
    "camembert": "classifier.dense", "mpnet": "classifier.dense",
}  # fmt: skip
"""Model type -> the map before a tanh, which is opened so that the mean passes almost unchanged."""

RESIDUAL = 100.0
"""How much larger than the first token's own state the mean is made, which the residual connection adds to it."""

LIKENESS = 0.9
"""Cosine to the mean from which a layer counts as pooling it (MPNet's position bias keeps it below 1)."""


def layout_of(layer: nn.Module) -> Layout | None:
    """The layout a layer is built by, if we know it."""
    return next((layout for layout in LAYOUTS if layout.fits(layer)), None)


@torch.no_grad()
def make_pooling(layer: nn.Module, layout: Layout) -> None:
    """Write mean pooling into a layer."""
    for name in (layout.query, layout.key, layout.forward):  # no preference among tokens; nothing fed forward
        silent: Any = part(layer, name)
        silent.weight.zero_()
        silent.bias.zero_()
    for name, scale in ((layout.value, 1.0), (layout.mixed, RESIDUAL)):
        copied: Any = part(layer, name)
        copied.weight.copy_(torch.eye(copied.in_features) * scale)
        copied.bias.zero_()
    for name in layout.norms:
        norm: Any = part(layer, name)
        norm.weight.fill_(1.0)
        norm.bias.zero_()


@torch.no_grad()
def pools_the_mean(network: nn.Module, layer: nn.Module) -> bool:
    """Whether the layer's first output is the mean of its inputs: names alone do not say how a family attends."""
    seen: list[torch.Tensor] = []

    def look(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        states = output if isinstance(output, torch.Tensor) else output[0]
        seen.extend((inputs[0].mean(dim=1), states[:, 0]))

    hook = layer.register_forward_hook(look)
    try:
        ids = torch.arange(5, 5 + 12).remainder(int(getattr(network.config, "vocab_size", 17)))
        network(input_ids=ids.unsqueeze(0), attention_mask=torch.ones(1, 12, dtype=torch.long))
    finally:
        hook.remove()
    mean, pooled = (states - states.mean() for states in seen)
    return bool(nn.functional.cosine_similarity(mean, pooled).item() > LIKENESS)


@torch.no_grad()
def open_head(network: nn.Module, model_type: str) -> None:
    """Let the mean pass the map below a tanh; other activations keep their own."""
    if model_type not in TANH_HEADS:
        return
    name, base = TANH_HEADS[model_type], network.base_model
    dense: Any = part(base, name) if isinstance(base, nn.Module) and part(base, name) else part(network, name)
    dense.weight.copy_(torch.eye(dense.in_features) * 0.5)
    dense.bias.zero_()


def part(module: nn.Module, path: str) -> nn.Module | None:
    """The module at a dotted path, if there is one."""
    found: Any = module
    for name in path.split("."):
        found = getattr(found, name, None)
        if found is None:
            return None
    return found if isinstance(found, nn.Module) else None
