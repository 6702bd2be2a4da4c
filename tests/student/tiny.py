"""Encoders with a few hundred weights, of every family, in folders like those of the hub."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModel, PretrainedConfig, PreTrainedTokenizerFast

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

SPAN_RECIPE = {"min_steps": 60, "batch_size": 24, "learning_rate": 5e-3, "head_learning_rate": 5e-2}
"""Settings with which a tiny encoder learns `span_examples` in a second."""

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


def _wordpiece(texts: list[str]) -> Any:
    raw = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer(lowercase=True)
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.decoder = decoders.WordPiece()
    raw.train_from_iterator([*texts, "^ ~"], trainers.WordPieceTrainer(vocab_size=90, special_tokens=SPECIAL))
    return _finished(raw)


def _byte_level(texts: list[str]) -> Any:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    return _finished(raw)


def _sentencepiece(texts: list[str]) -> Any:
    raw = Tokenizer(models.Unigram())
    raw.normalizer = normalizers.NFKC()
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.train_from_iterator(
        texts, trainers.UnigramTrainer(vocab_size=90, special_tokens=SPECIAL, unk_token="[UNK]", show_progress=False)
    )
    return _finished(raw)


def _finished(raw: Tokenizer) -> Any:
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]")


TOKENIZERS: dict[str, Callable[[list[str]], Any]] = {
    "wordpiece": _wordpiece,
    "byte_level": _byte_level,
    "sentencepiece": _sentencepiece,
}
"""Word pieces of the usual kinds, learnt from texts: BERT's (uncased), RoBERTa's, and ALBERT's or XLM-R's."""


def config_of(folder: Path) -> dict[str, Any]:
    """What is written in config.json."""
    read: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return read


def one_fast(families: Iterable[str]) -> list[Any]:
    """Test parameters: BERT runs with the fast tests, the other families with the slow ones."""
    return [pytest.param(family, marks=() if family == "bert" else pytest.mark.slow) for family in families]
