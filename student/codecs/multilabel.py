"""Any number of labels per text: a sigmoid and a threshold for each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import JsonValue

from ...tasks.base import Example, Prediction
from ...tasks.errors import ConfigError
from ...tasks.kinds.label_sets import LabelsPrediction
from .base import WholeTextCodec
from .probabilities import sigmoid
from .reading import CutRows, cut
from .tokenizer import Tokenizer

THRESHOLDS = "evokd_thresholds"
"""Key of config.json: label -> probability from which it is given."""

GRID = [round(0.2 + 0.05 * step, 2) for step in range(13)]
"""Thresholds that are tried."""

ENOUGH = 5
"""Held-out texts with a label, and without it, from which its threshold is moved at all."""

SHRINK = 10
"""Held-out texts with a label at which its threshold is moved half of the way to the best one."""


class MultilabelCodec(WholeTextCodec):
    """All labels that fit, or none."""

    thresholded: ClassVar[bool] = True

    def __init__(self, labels: Sequence[str], notes: Mapping[str, Any] | None = None) -> None:
        """Decide on each of `labels`.

        Raises:
            ConfigError: the thresholds in `notes` are none for these labels.
        """
        self.labels = tuple(labels)
        given = (notes or {}).get(THRESHOLDS) or {}
        right = isinstance(given, Mapping) and given.keys() <= set(self.labels)
        if not right or not all(isinstance(each, float) and 0 < each < 1 for each in given.values()):
            raise ConfigError(f"{THRESHOLDS} must give labels numbers between 0 and 1, not {str(given)[:80]}.")
        self.thresholds: dict[str, float] = {label: given.get(label, 0.5) for label in self.labels}

    @property
    def notes(self) -> dict[str, JsonValue]:
        """The thresholds."""
        return {THRESHOLDS: dict(self.thresholds)}

    def rows(self, tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> CutRows:
        """One row per text, cut at the limit: what several windows would say of a text was not measured."""
        return cut(tokenizer, texts, limit)

    def predictions(self, logits: Sequence[np.ndarray], rows: CutRows) -> list[Prediction]:
        """The labels above their thresholds."""
        if not logits:
            return []
        return [self._prediction(*row) for row in zip(sigmoid(np.stack(logits)).tolist(), rows.cut, strict=True)]

    def _prediction(self, shares: list[float], is_cut: bool) -> LabelsPrediction:
        probabilities = dict(zip(self.labels, shares, strict=True))
        chosen = tuple(label for label, share in probabilities.items() if share >= self.thresholds[label])
        sides = [share if label in chosen else 1 - share for label, share in probabilities.items()]
        return LabelsPrediction(label=chosen, probability=math.prod(sides), probabilities=probabilities, cut=is_cut)

    def reset(self) -> None:
        """Set all thresholds to one half."""
        self.thresholds = dict.fromkeys(self.labels, 0.5)

    def calibrate(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> None:
        """Move thresholds towards those of the best F1, the fewer texts have the label the less far."""
        for label in self.labels:
            gold = np.array([label in example.label for example in examples], dtype=bool)
            shares = np.array([prediction.probabilities[label] for prediction in predictions])
            self.thresholds[label] = _threshold(gold, shares)


def _threshold(gold: np.ndarray, shares: np.ndarray) -> float:
    """The threshold for one label, 0.5 where another brings nothing."""
    positive = int(gold.sum())
    if min(positive, len(gold) - positive) < ENOUGH:
        return 0.5
    best = max(GRID, key=lambda each: (round(_f1(gold, shares >= each), 9), -abs(each - 0.5)))
    moved = round(0.5 + (best - 0.5) * positive / (positive + SHRINK), 4)
    return moved if _f1(gold, shares >= moved) > _f1(gold, shares >= 0.5) else 0.5


def _f1(gold: np.ndarray, said: np.ndarray) -> float:
    return float(2 * (gold & said).sum() / (gold.sum() + said.sum()))
