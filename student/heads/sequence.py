"""The head for one label per text: softmax, cross-entropy against a distribution, started by logistic regression."""

import warnings
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from ...tasks.base import Example
from ...tasks.errors import ConfigError
from ..codecs.base import Rows
from ..codecs.sequence import SequenceCodec
from ..settings import Recipe
from ..training.losses import generalised_cross_entropy
from .base import Linear, WholeTextHead, first_tokens

REGULARISATION = 0.3
"""C of the logistic regression that the head starts from: one that fits closely learns wrong labels by heart, and the
fine-tuning after it does not forget them (docs/results/start-of-the-head.md)."""

SMALLEST = 0.01
"""Share of a soft label that the regression still learns: with hundreds of labels, each text would be as many rows."""

PER_LABEL = 0.05
"""Of C, where that is more: with many labels a smooth regression hardly tells them apart, and the fine-tuning is too
short to make up for it (.71 against .79 with the 77 labels of Banking77, docs/results/many-classes.md)."""


class SequenceHead(WholeTextHead, SequenceCodec):
    """One label per text."""

    problem_type: ClassVar[str | None] = "single_label_classification"
    recipe: ClassVar[Recipe] = Recipe(
        epochs=4, min_steps=24, max_steps=160, batch_size=16, learning_rate=1e-4, head_learning_rate=1e-3
    )

    def targets(self, examples: Sequence[Example], rows: Rows) -> list[torch.Tensor]:
        """Distributions over the labels; soft labels are shared out over the known ones.

        Raises:
            ConfigError: an example has no known label.
        """
        return list(torch.tensor([self._target(example) for example in examples]))

    def _target(self, example: Example) -> list[float]:
        soft = example.soft or {str(example.label): 1.0}
        shares = [soft.get(label, 0.0) for label in self.labels]
        total = sum(shares)
        if total <= 0:
            raise ConfigError.unknown(f"Example {example.id}: label", str(example.label), self.labels)
        return [share / total for share in shares]

    def start(
        self, states: Sequence[torch.Tensor], targets: Sequence[torch.Tensor], weights: torch.Tensor
    ) -> Linear | None:
        """The logistic regression on the states (linear probing, then fine-tuning)."""
        from sklearn.linear_model import LogisticRegression

        wanted = torch.stack(list(targets)).numpy()
        wanted = np.where(wanted >= np.minimum(SMALLEST, wanted.max(axis=1, keepdims=True)), wanted, 0.0)
        wanted /= wanted.sum(axis=1, keepdims=True)
        rows, labels = np.nonzero(wanted)
        if len(set(labels)) < wanted.shape[1]:
            return None  # a label without any text: the regression would drop its row
        seen, centre, scale = standardised(states)
        closeness = max(REGULARISATION, PER_LABEL * len(self.labels))
        regression = LogisticRegression(C=closeness, max_iter=2000)
        with warnings.catch_warnings():  # one text for each of many labels is what we are here for
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            regression.fit(seen[rows], labels, sample_weight=wanted[rows, labels] * weights.numpy()[rows])
        slopes, bias = regression.coef_ / scale, regression.intercept_
        if len(bias) == 1:  # two labels: one row for both
            slopes, bias = np.vstack([-slopes / 2, slopes / 2]), np.array([-bias[0] / 2, bias[0] / 2])
        return slopes, bias - slopes @ centre

    def loss(
        self, logits: torch.Tensor, targets: Sequence[torch.Tensor], weights: torch.Tensor, q: float
    ) -> torch.Tensor:
        """Cross-entropy against the distributions, or the generalised one."""
        wanted = torch.stack(list(targets)).to(logits.device)
        excess = nn.functional.kl_div(torch.log_softmax(logits, dim=-1), wanted, reduction="none").sum(dim=-1)
        return (weights.to(logits.device) * generalised_cross_entropy(excess, q)).mean()


def standardised(states: Sequence[torch.Tensor]) -> tuple[np.ndarray, np.ndarray, float]:
    """The states around their mean and of length one on average, that mean, and that length."""
    seen = first_tokens(states)
    centre = seen.mean(axis=0)
    scale = float(np.linalg.norm(seen - centre, axis=1).mean()) + 1e-9
    return (seen - centre) / scale, centre, scale
