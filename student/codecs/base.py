"""What differs between kinds of students around the network: how texts become rows, and logits predictions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from pydantic import JsonValue

from ...tasks.base import Example, Prediction
from .tokenizer import Tokenizer

LENGTH = "evokd_max_length"
"""Key of config.json: tokens of a text that the student reads."""

BATCH = 64
"""Rows per forward pass of a prediction."""


@dataclass(frozen=True)
class Rows:
    """Texts as the network takes them: token ids, one list per row."""

    ids: list[list[int]]

    @property
    def whose(self) -> list[int]:
        """The number of the text that each row is of."""
        return list(range(len(self.ids)))

    @property
    def learnt(self) -> "Rows":
        """The rows that a student is trained on."""
        return self


R = TypeVar("R", bound=Rows)


class Codec(Protocol[R]):
    """Reads texts and decodes logits for one kind of student."""

    thresholded: ClassVar[bool]
    """Whether `calibrate` sets anything."""
    labels: tuple[str, ...]
    """Of the task."""

    def __init__(self, labels: Sequence[str], notes: Mapping[str, Any] | None = None) -> None:
        """Know `labels`; `notes` are the `evokd_...` keys of a config.json.

        Raises:
            ConfigError: the notes are damaged.
        """

    @property
    def outputs(self) -> list[str]:
        """Names of the network's outputs."""

    @staticmethod
    def labels_of(outputs: Sequence[str]) -> tuple[str, ...]:
        """The labels behind outputs of these names."""

    @property
    def notes(self) -> Mapping[str, JsonValue]:
        """What is kept in config.json beside what transformers keeps, all keys begin with `evokd_`."""

    def rows(self, tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> R:
        """The texts as rows of at most `limit` tokens, none empty."""

    def predictions(self, logits: Sequence[np.ndarray], rows: R) -> list[Prediction]:
        """One prediction per text, from the logits of each row, shape (outputs) or (tokens, outputs)."""

    def reset(self) -> None:
        """Forget what `calibrate` has set: the network is about to change."""

    def calibrate(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> None:
        """Set what decides between answers on held-out examples; nothing for most."""


class WholeTextCodec:
    """What the codecs share that decide on a text as a whole: one output of the network for each label."""

    labels: tuple[str, ...]

    @property
    def outputs(self) -> list[str]:
        """The labels."""
        return list(self.labels)

    @staticmethod
    def labels_of(outputs: Sequence[str]) -> tuple[str, ...]:
        """The outputs."""
        return tuple(outputs)


def compute(rows: Rows, forward: Callable[[list[list[int]]], np.ndarray], size: int = BATCH) -> list[np.ndarray]:
    """The logits of each row, from batches of rows of about one length.

    Args:
        rows: token ids.
        forward: takes the ids of some rows; returns their logits, shape (rows, outputs) or (rows, tokens, outputs).
        size: most rows of a batch.
    """
    order = sorted(range(len(rows.ids)), key=lambda row: len(rows.ids[row]))
    found: dict[int, np.ndarray] = {}
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        found.update(zip(chosen, forward([rows.ids[row] for row in chosen]), strict=True))
    return [found[row] for row in range(len(order))]
