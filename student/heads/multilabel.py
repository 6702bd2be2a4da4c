"""The head for any number of labels per text: a sigmoid and a threshold for each."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from ...tasks.base import Example
from ...tasks.errors import ConfigError
from ..codecs.base import Rows
from ..codecs.multilabel import MultilabelCodec
from ..settings import Recipe
from ..training.losses import entropy, generalised_cross_entropy
from .base import Linear, WholeTextHead
from .sequence import REGULARISATION, standardised

PER_LABEL = 0.15
"""Of C of each label's regression, where that is more: the more labels there are, the rarer is each, and a smooth one
gives none (micro F1 .70 against .79 with 20 labels, docs/results/many-classes.md)."""


class MultilabelHead(WholeTextHead, MultilabelCodec):
    """All labels that fit, or none."""

    problem_type: ClassVar[str | None] = "multi_label_classification"
    recipe: ClassVar[Recipe] = Recipe(
        epochs=8, min_steps=24, max_steps=240, batch_size=16, learning_rate=2e-4, head_learning_rate=1e-3
    )

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
