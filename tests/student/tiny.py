"""Encoders with a few hundred weights, of every family, in folders like those of the hub."""

import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel, PretrainedConfig, PreTrainedTokenizerFast

from tasks.base import Example

TEXT = "play the song music album sing rain sun wind will it snow today book a table for two at dinner"
SPECIAL = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
WORDS = TEXT.split()

SIZES = {
    "vocab_size": 32, "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 24,
    "max_position_embeddings": 40, "pad_token_id": 1, "bos_token_id": 0, "cls_token_id": 0, "eos_token_id": 2,
    "sep_token_id": 2,
}  # fmt: skip

FAMILIES: dict[str, Callable[[], PretrainedConfig]] = {
    "bert": lambda: transformers.BertConfig(**SIZES),
    "roberta": lambda: transformers.RobertaConfig(**SIZES),
    "electra": lambda: transformers.ElectraConfig(embedding_size=8, **SIZES),
    "deberta-v2": lambda: transformers.DebertaV2Config(
        relative_attention=True, position_buckets=8, pos_att_type=["p2c", "c2p"], norm_rel_ebd="layer_norm",
        share_att_key=True, pooler_hidden_size=16, **SIZES,
    ),
    "deberta-v2-conv": lambda: transformers.DebertaV2Config(
        relative_attention=True, pos_att_type="c2p|p2c", conv_kernel_size=3, pooler_hidden_size=16, **SIZES
    ),
    "mpnet": lambda: transformers.MPNetConfig(**SIZES),
    "distilbert": lambda: transformers.DistilBertConfig(
        vocab_size=32, dim=16, n_layers=4, n_heads=2, hidden_dim=24, max_position_embeddings=40, pad_token_id=1
    ),
    "albert": lambda: transformers.AlbertConfig(embedding_size=8, **SIZES),
    "modernbert": lambda: transformers.ModernBertConfig(**SIZES),
}  # fmt: skip

POOLED = ("bert", "roberta", "electra", "deberta-v2", "deberta-v2-conv", "mpnet", "distilbert")
"""Families that get a pooling layer."""


def encoder(folder: Path, family: str = "bert", pad: bool = True) -> Path:
    """Write a random encoder and its tokenizer; the same each time."""
    torch.manual_seed(7)
    network: Any = AutoModel.from_config(FAMILIES[family]())
    network.save_pretrained(folder)
    tokenizer(pad).save_pretrained(folder)
    return folder


def tokenizer(pad: bool = True) -> PreTrainedTokenizerFast:
    """One word, one token."""
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(SPECIAL + WORDS)}, unk_token="[UNK]"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"} | ({"pad_token": "[PAD]"} if pad else {})
    return PreTrainedTokenizerFast(tokenizer_object=raw, model_input_names=["input_ids", "attention_mask"], **names)


def examples(count: int = 24) -> list[Example]:
    """Texts about music and about weather, of different lengths."""
    music, weather = itertools.cycle(["play", "the song", "sing music"]), itertools.cycle(["rain", "will it snow"])
    return [
        Example(text=f"{next(music)} today {'album ' * (i % 5)}", label="music")
        if i % 2
        else Example(text=f"{next(weather)} a {'wind ' * (i % 7)}", label="weather")
        for i in range(count)
    ]


def config_of(folder: Path) -> dict[str, Any]:
    """What is written in config.json."""
    read: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return read


def one_fast(families: Iterable[str]) -> list[Any]:
    """Test parameters: BERT runs with the fast tests, the other families with the slow ones."""
    return [pytest.param(family, marks=() if family == "bert" else pytest.mark.slow) for family in families]
