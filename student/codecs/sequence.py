"""One label per text: softmax."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import JsonValue

from ...tasks.base import Example, Prediction
from .base import WholeTextCodec
from .probabilities import softmax
from .reading import WindowRows, windows
from .tokenizer import Tokenizer


class SequenceCodec(WholeTextCodec):
    """One label per text."""

    thresholded: ClassVar[bool] = False
    notes: Mapping[str, JsonValue] = {}

    def __init__(self, labels: Sequence[str], notes: Mapping[str, Any] | None = None) -> None:
        """Decide between `labels`."""
        self.labels = tuple(labels)

    def rows(self, tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> WindowRows:
        """Windows over the texts."""
        return windows(tokenizer, texts, limit)

    def predictions(self, logits: Sequence[np.ndarray], rows: WindowRows) -> list[Prediction]:
        """The most probable label of each text, by the mean of the probabilities of its windows."""
        return [self._prediction(row) for row in rows.mean(softmax(np.stack(logits))).tolist()] if logits else []

    def _prediction(self, shares: list[float]) -> Prediction:
        best = max(range(len(shares)), key=shares.__getitem__)
        probabilities = dict(zip(self.labels, shares, strict=True))
        return Prediction(label=self.labels[best], probability=shares[best], probabilities=probabilities)

    def reset(self) -> None:
        """Nothing."""

    def calibrate(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> None:
        """Nothing: the most probable label is the answer."""
