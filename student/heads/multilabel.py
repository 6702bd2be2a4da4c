"""The head for any number of labels per text: a sigmoid and a threshold for each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import JsonValue
from torch import nn

from ...tasks.base import Example, Prediction
from ...tasks.errors import ConfigError
from ...tasks.kinds.label_sets import LabelsPrediction
from ..settings import Recipe
from ..training.losses import entropy, generalised_cross_entropy
from .base import Linear, Rows, WholeTextHead
from .sequence import REGULARISATION, standardised

PER_LABEL = 0.15
"""Of C of each label's regression, where that is more: the more labels there are, the rarer is each, and a smooth one
gives none (micro F1 .70 against .79 with 20 labels, docs/results/many-classes.md)."""

THRESHOLDS = "evokd_thresholds"
"""Key of config.json: label -> probability from which it is given."""

GRID = [round(0.2 + 0.05 * step, 2) for step in range(13)]
"""Thresholds that are tried."""

ENOUGH = 5
"""Held-out texts with a label, and without it, from which its threshold is moved at all."""

SHRINK = 10
"""Held-out texts with a label at which its threshold is moved half of the way to the best one."""


class MultilabelHead(WholeTextHead):
    """All labels that fit, or none."""

    problem_type: ClassVar[str | None] = "multi_label_classification"
    thresholded: ClassVar[bool] = True
    recipe: ClassVar[Recipe] = Recipe(
        epochs=8, min_steps=24, max_steps=240, batch_size=16, learning_rate=2e-4, head_learning_rate=1e-3
    )

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

    def targets(self, examples: Sequence[Example], rows: Rows) -> list[torch.Tensor]:
        """The probability of each label: of the soft label, or one and zero.

        Raises:
            ConfigError: an example has a label that is not known.
        """
        return list(torch.tensor([self._target(example) for example in examples]))

    def _target(self, example: Example) -> list[float]:
        names = {str(name) for name in example.label}
        if unknown := sorted(names - set(self.labels)):
            raise ConfigError.unknown(f"Example {example.id}: label", unknown[0], self.labels)
        soft = example.soft or {}
        return [min(1.0, max(0.0, soft.get(label, float(label in names)))) for label in self.labels]

    def start(
        self, states: Sequence[torch.Tensor], targets: Sequence[torch.Tensor], weights: torch.Tensor
    ) -> Linear | None:
        """A logistic regression for each label; a label that all texts have, or none, starts from a bias."""
        from sklearn.linear_model import LogisticRegression

        seen, centre, scale = standardised(states)
        wanted, counts = torch.stack(list(targets)).double().numpy(), weights.double().numpy()
        closeness = max(REGULARISATION, PER_LABEL * len(self.labels))
        slopes, bias = np.zeros((wanted.shape[1], seen.shape[1])), np.zeros(wanted.shape[1])
        for number, shares in enumerate(wanted.T):
            yes, no = np.nonzero(shares > 1e-6)[0], np.nonzero(shares < 1 - 1e-6)[0]
            if not len(yes) or not len(no):
                given, left = (counts * shares).sum(), (counts * (1 - shares)).sum()
                bias[number] = math.log((given + 0.5) / (left + 0.5))
                continue
            regression = LogisticRegression(C=closeness, max_iter=2000)
            sides = np.repeat([1, 0], [len(yes), len(no)])
            parts = [*(counts * shares)[yes], *(counts * (1 - shares))[no]]
            regression.fit(seen[[*yes, *no]], sides, sample_weight=parts)
            slopes[number] = regression.coef_[0] / scale
            bias[number] = regression.intercept_[0] - slopes[number] @ centre
        return slopes, bias

    def loss(
        self, logits: torch.Tensor, targets: Sequence[torch.Tensor], weights: torch.Tensor, q: float
    ) -> torch.Tensor:
        """Binary cross-entropy or the generalised one, the mean over the labels."""
        wanted = torch.stack(list(targets)).to(logits.device, logits.dtype)
        least = entropy(wanted) + entropy(1 - wanted)
        excess = nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none") - least
        return (weights.to(logits.device)[:, None] * generalised_cross_entropy(excess, q)).mean()

    def predictions(self, logits: Sequence[torch.Tensor], rows: Rows) -> list[Prediction]:
        """The labels above their thresholds."""
        if not logits:
            return []
        return [self._prediction(row) for row in torch.sigmoid(torch.stack(list(logits)).double()).tolist()]

    def _prediction(self, shares: list[float]) -> LabelsPrediction:
        probabilities = dict(zip(self.labels, shares, strict=True))
        chosen = tuple(label for label, share in probabilities.items() if share >= self.thresholds[label])
        sides = [share if label in chosen else 1 - share for label, share in probabilities.items()]
        return LabelsPrediction(label=chosen, probability=math.prod(sides), probabilities=probabilities)

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
