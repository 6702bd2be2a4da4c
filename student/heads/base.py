"""What differs between kinds of students while they learn: one label, several labels, or a tag for every word."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

from ...tasks.base import Example
from ..codecs.base import Codec, R
from ..settings import Recipe

Linear = tuple[np.ndarray, np.ndarray]
"""Weights, shape (outputs, width), and biases of a linear map."""


class Head(Codec[R], Protocol[R]):
    """A kind of student: the codec that reads texts and decodes logits, and how its networks are made and trained."""

    loader: ClassVar[str]
    """The class of transformers that loads its networks."""
    problem_type: ClassVar[str | None]
    """As transformers calls it in config.json."""
    pooled: ClassVar[bool]
    """Whether it reads the mean of the tokens, so that a pooling layer is added."""
    starts: ClassVar[bool]
    """Whether its last map starts from what `start` finds."""
    recipe: ClassVar[Recipe]
    """How it is trained where the user does not say."""

    def prepare(self, tokenizer: Any) -> Any:
        """The tokenizer of a new student, made from its encoder's.

        Raises:
            ConfigError: it cannot be used.
        """

    def targets(self, examples: Sequence[Example], rows: R) -> list[torch.Tensor]:
        """What each row of the examples' texts should give.

        Raises:
            ConfigError: an example has a label that is not the head's.
        """

    def start(
        self, states: Sequence[torch.Tensor], targets: Sequence[torch.Tensor], weights: torch.Tensor
    ) -> Linear | None:
        """The linear map to start from, or None for a random one.

        Args:
            states: what the map sees of each row, shape (width) or (tokens, width).
            targets: as `targets` gives them.
            weights: how much each row counts, shape (rows).
        """

    def loss(
        self, logits: torch.Tensor, targets: Sequence[torch.Tensor], weights: torch.Tensor, q: float
    ) -> torch.Tensor:
        """The mean loss over a batch of rows.

        Args:
            logits: shape (rows, outputs) or (rows, tokens, outputs).
            targets: as `targets` gives them.
            weights: how much each row counts, shape (rows).
            q: of the generalised cross-entropy (`student.training.losses`), 0 for cross-entropy.
        """


class WholeTextHead:
    """What the heads share that decide on a text as a whole."""

    loader: ClassVar[str] = "AutoModelForSequenceClassification"
    pooled: ClassVar[bool] = True
    starts: ClassVar[bool] = True

    def prepare(self, tokenizer: Any) -> Any:
        """The tokenizer as it is."""
        return tokenizer


def first_tokens(states: Sequence[torch.Tensor]) -> np.ndarray:
    """The states of the first tokens, shape (rows, width), in double precision."""
    return torch.stack([each if each.dim() == 1 else each[0] for each in states]).double().numpy()
