"""Labels that are probably wrong are learnt less: SunGen (Gao et al. 2023, arXiv 2205.12679), a baseline.

    python main.py run benchmarks/baselines/sungen.toml

Its weights are those under which a student that learns with cross-entropy does best by a loss that wrong labels cannot
dominate, on the same noisy texts; as there, the gradient goes back through a few steps of the student's training. What
differs: the student is linear, on the memory's embeddings, which stay as they are, so that it takes seconds; the robust
loss is the generalised cross-entropy; and each round trains on one half of the texts and looks at the other, since a
student with a few hundred texts agrees with any label it has seen (docs/results/what-left-and-why.md).

Students know no weights of single texts: as there, they learn a sample that is drawn by the weights. SunGen draws a
part of very many texts; a few hundred are too few to spare some. So as many are drawn as there are, systematically: a
text is learnt as often as its weight over the mean says, give or take a part of one, and equal weights change nothing.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from evokd.agents.base import Services
from evokd.agents.trainer import agent as trainer
from evokd.student.training.losses import entropy, generalised_cross_entropy
from evokd.tasks.base import Example
from evokd.tasks.errors import ConfigError

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


@dataclass(frozen=True)
class Trainer(trainer.Trainer):
    """Trains on a draw of the written texts by learnt weights; it goes with `strategy = "zerogen"`, as in the paper.

    For one label a text. The user's own texts are learnt once each.
    """

    def __post_init__(self) -> None:
        """Refuse a warm start: the weights are about all that is learnt."""
        if self.start == "warm":
            raise ValueError("SunGen goes with start = 'fresh'")

    def select_texts(self, services: Services, examples: Sequence[Example]) -> list[Example]:
        """The user's own examples, and as many of the others as there are, drawn by their weights.

        Raises:
            ConfigError: the task is not one of one label a text.
        """
        names = sorted(services.task.labels)
        if not all(isinstance(example.label, str) for example in examples):
            raise ConfigError(f"SunGen needs one label a text; the task's kind is {services.task.kind!r}.")
        targets = np.array([[_shares(example).get(name, 0.0) for name in names] for example in examples])
        vectors = services.memory.embed([example.text for example in examples])
        weights = learnt_weights(vectors, targets, services.seed, services.bar("weighing labels")).tolist()
        own = [example for example in examples if example.origin.source == "gold"]
        pairs = zip(examples, weights, strict=True)
        written = [(example, weight) for example, weight in pairs if example.origin.source != "gold"]
        return [*own, *drawn(written, services.seed)]


def drawn(weighed: Sequence[tuple[Example, float]], seed: int) -> list[Example]:
    """As many examples as there are, each as often as its weight says (systematic resampling), in their order.

    Args:
        weighed: examples with weights of zero or more.
        seed: decides who gets the parts of one.
    """
    total, rng = sum(weight for _, weight in weighed), random.Random(f"sungen {seed}")
    copies, reached = [0] * len(weighed), rng.random()
    for place in rng.sample(range(len(weighed)), len(weighed)):  # in another order, or neighbours share their parts
        before, reached = reached, reached + (weighed[place][1] * len(weighed) / total if total else 0.0)
        copies[place] = int(reached) - int(before)
    return [example for (example, _), times in zip(weighed, copies, strict=True) for _ in range(times)]


def _shares(example: Example) -> dict[str, float]:
    return example.soft or {str(example.label): 1.0}


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
    rng = torch.Generator().manual_seed(seed)
    seen, wanted = _seen(vectors), torch.tensor(targets, dtype=torch.float32)
    step = 2 / max(2.0, float(torch.linalg.matrix_norm(seen, 2)) ** 2 / len(seen))  # a longer one could overshoot
    logits = torch.zeros(len(wanted), requires_grad=True)
    for done in range(ROUNDS):
        order = torch.randperm(len(wanted), generator=rng)
        learnt, judged = order[: len(order) // 2], order[len(order) // 2 :]
        student = _trained(seen[learnt], wanted[learnt], torch.sigmoid(logits)[learnt], step)
        loss = generalised_cross_entropy(_excess(seen[judged] @ student, wanted[judged]), Q).mean()
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
