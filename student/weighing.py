"""How much each label is worth, learnt from the labelled texts themselves: noise-robust re-weighting.

SunGen (Gao et al. 2023, arXiv 2205.12679): the weights under which a student that learns with cross-entropy does best
by a loss that wrong labels cannot dominate, on the same noisy texts. As there, the gradient goes back through a few
steps of the student's training. What differs: the student is linear, on vectors that stay as they are, so that it takes
seconds; the robust loss is the generalised cross-entropy; and each round trains on one half of the texts and looks at
the other, since a student with a few hundred texts agrees with any label it has seen (docs/results.md).
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from student.losses import curbed, entropy

ROUNDS = 50
"""Steps of the weights."""

STEPS = 20
"""Steps of the student in each round, all of them remembered."""

RATE = 1.0
"""Learning rate of the weights, for the mean over one text. Plain gradient descent: Adam makes weights of labels that
say nothing wander as far as those of wrong ones."""

LENGTH = 5.0
"""Mean length of the vectors beside the constant 1 of the bias: decides how far so few steps get."""

Q = 0.7
"""Of the robust loss."""


def learnt_weights(
    vectors: np.ndarray, targets: np.ndarray, seed: int, progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """A weight between 0 and 2 for each text, 1 where nothing is known.

    Args:
        vectors: of the texts, shape (texts, width).
        targets: probability of each label, shape (texts, labels).
        seed: decides the halves.
        progress: called with the rounds done and all there are.
    """
    dice = torch.Generator().manual_seed(seed)
    seen, wanted = _seen(vectors), torch.tensor(targets, dtype=torch.float32)
    step = 2 / max(2.0, float(torch.linalg.matrix_norm(seen, 2)) ** 2 / len(seen))  # a longer one could overshoot
    logits = torch.zeros(len(wanted), requires_grad=True)
    for done in range(ROUNDS):
        order = torch.randperm(len(wanted), generator=dice)
        learnt, judged = order[: len(order) // 2], order[len(order) // 2 :]
        student = _trained(seen[learnt], wanted[learnt], torch.sigmoid(logits)[learnt], step)
        loss = curbed(_excess(seen[judged] @ student, wanted[judged]), Q).mean()
        (gradient,) = torch.autograd.grad(loss, logits)
        logits = (logits - RATE * len(wanted) * gradient).detach().requires_grad_(True)
        if progress is not None:
            progress(done + 1, ROUNDS)
    return np.asarray(2 * torch.sigmoid(logits).detach().numpy())


def _seen(vectors: np.ndarray) -> torch.Tensor:
    """The vectors around their mean, of one mean length, each with a 1 for the bias."""
    centred = torch.tensor(vectors, dtype=torch.float32)
    centred = centred - centred.mean(dim=0)
    length = centred.norm(dim=1).mean() + 1e-9
    return torch.cat([LENGTH * centred / length, torch.ones(len(centred), 1)], dim=1)


def _trained(seen: torch.Tensor, wanted: torch.Tensor, weights: torch.Tensor, step: float) -> torch.Tensor:
    """A linear student after a few steps of gradient descent, differentiable in the weights; shape (width, labels)."""
    student = torch.zeros(seen.shape[1], wanted.shape[1], requires_grad=True)
    shares = weights / weights.sum()
    for _ in range(STEPS):
        loss = (shares * _excess(seen @ student, wanted)).sum()
        (gradient,) = torch.autograd.grad(loss, student, create_graph=True)
        student = student - step * gradient
    return student


def _excess(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Cross-entropy above its least, in nats, text by text."""
    return nn.functional.cross_entropy(logits, wanted, reduction="none") - entropy(wanted).sum(dim=1)
