"""A student that was exported, under ONNX Runtime: no torch, no transformers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...tasks.base import Prediction
from ...tasks.errors import ConfigError
from ..codecs.base import LENGTH, Codec, compute
from ..codecs.by_name import codec_in
from ..codecs.tokenizer import FastTokenizer, Side, Tokenizer

FULL, QUANTIZED = "onnx/model.onnx", "onnx/model_quantized.onnx"
"""Where Text Embeddings Inference and transformers.js look for the network."""


@dataclass(frozen=True)
class OnnxStudent:
    """A student that answers as it did under torch."""

    session: Any
    """An `onnxruntime.InferenceSession`."""
    tokenizer: Tokenizer
    codec: Codec[Any]
    limit: int
    """Tokens of a text that it reads."""

    @property
    def labels(self) -> list[str]:
        """The labels of the task, in order."""
        return list(self.codec.labels)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text, in order."""
        rows = self.codec.rows(self.tokenizer, texts, self.limit)
        return self.codec.predictions(compute(rows, self._logits), rows)

    def _logits(self, ids: list[list[int]]) -> np.ndarray:
        return infer(self.session, ids, self.tokenizer.pad)


def infer(session: Any, ids: Sequence[list[int]], pad: int) -> np.ndarray:
    """The logits of some rows, shape (rows, outputs) or (rows, tokens, outputs)."""
    found: np.ndarray = session.run(["logits"], feed(ids, pad))[0]
    return found


def feed(ids: Sequence[list[int]], pad: int) -> dict[str, np.ndarray]:
    """What the network takes: input ids and attention mask, shape (rows, longest row)."""
    batch = np.full((len(ids), max(map(len, ids))), pad, dtype=np.int64)
    mask = np.zeros_like(batch)
    for row, each in enumerate(ids):
        batch[row, : len(each)] = each
        mask[row, : len(each)] = 1
    return {"input_ids": batch, "attention_mask": mask}


def load_onnx(folder: Path, *, quantized: bool | None = None, threads: int = 1) -> OnnxStudent:
    """Open an exported student without torch.

    Args:
        folder: what `evokd export` wrote.
        quantized: the int8 network or the one in float32; None takes int8 where there is one.
        threads: of the processor, for one batch.

    Raises:
        ConfigError: the folder holds no exported student, none of this kind, or a file in it is damaged.
    """
    if quantized is None:
        quantized = (folder / QUANTIZED).is_file()
    name = QUANTIZED if quantized else FULL
    for needed in ("config.json", "tokenizer.json", name):
        if not (folder / needed).is_file():
            raise ConfigError(f"{folder} holds no exported student: there is no {needed} in it. {_advice(needed)}")
    try:
        config = _read(folder / "config.json")
        codec, limit = codec_in(config), config.get(LENGTH)
        if not isinstance(limit, int) or limit < 1:
            raise ConfigError(f"{LENGTH} in its config.json should be a number of tokens, not {limit!r:.60}.")
        tokenizer = _tokenizer(folder, config)
        session = open_session(folder / name, threads)
        if (count := session.get_outputs()[0].shape[-1]) != len(codec.outputs):
            raise ConfigError(f"{name} has {count} outputs, and its config.json names {len(codec.outputs)}.")
    except Exception as error:  # whatever a damaged file breaks in foreign code
        raise ConfigError(f"The student in {folder} cannot be read: {str(error).strip().splitlines()[0]}") from error
    return OnnxStudent(session, tokenizer, codec, limit)


def open_session(model: Path | bytes, threads: int = 1) -> Any:
    """A session on the processor.

    Args:
        model: a file, or what would stand in one.
        threads: for one batch.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors: they are raised, too
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _tokenizer(folder: Path, config: dict[str, Any]) -> FastTokenizer:
    from tokenizers import Tokenizer as Raw

    raw = Raw.from_file(str(folder / "tokenizer.json"))
    told = _read(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    side: Side = "left" if told.get("truncation_side") == "left" else "right"
    return FastTokenizer(raw, int(config.get("pad_token_id") or 0), side)


def _read(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ConfigError(f"its {path.name} holds no object.")
    return found


def _advice(name: str) -> str:
    if name == QUANTIZED:
        return "Its parity.json says why; quantized=False takes the network in float32."
    return "Write one with `evokd export RUN --to FOLDER`."
