"""What differs between kinds of students: one text, one label; several labels; or a tag for every word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import torch
from pydantic import JsonValue

from ...tasks.base import Example, Prediction, clean
from ..settings import Recipe


@dataclass(frozen=True)
class Rows:
    """Texts as the network takes them: token ids, one list per row."""

    ids: list[list[int]]

    @property
    def whose(self) -> list[int]:
        """The number of the text that each row is of."""
        return list(range(len(self.ids)))


Linear = tuple[np.ndarray, np.ndarray]
"""Weights, shape (outputs, width), and biases of a linear map."""

R = TypeVar("R", bound=Rows)


class Head(Protocol[R]):
    """A kind of student."""

    loader: ClassVar[str]
    """The class of transformers that loads its networks."""
    problem_type: ClassVar[str | None]
    """As transformers calls it in config.json."""
    pooled: ClassVar[bool]
    """Whether it reads the mean of the tokens, so that a pooling layer is added."""
    starts: ClassVar[bool]
    """Whether its last map starts from what `start` finds."""
    thresholded: ClassVar[bool]
    """Whether `calibrate` sets anything."""
    recipe: ClassVar[Recipe]
    """How it is trained where the user does not say."""
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

    def prepare(self, tokenizer: Any) -> Any:
        """The tokenizer of a new student, made from its encoder's.

        Raises:
            ConfigError: it cannot be used.
        """

    def rows(self, tokenizer: Any, texts: Sequence[str], limit: int) -> R:
        """The texts as rows of at most `limit` tokens, none empty."""

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

    def predictions(self, logits: Sequence[torch.Tensor], rows: R) -> list[Prediction]:
        """One prediction per text, from the logits of each row, shape (outputs) or (tokens, outputs)."""

    def reset(self) -> None:
        """Forget what `calibrate` has set: the network is about to change."""

    def calibrate(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> None:
        """Set what decides between answers on held-out examples; nothing for most."""


class WholeTextHead:
    """What the heads share that decide on a text as a whole: one output for each label, and one row for each text."""

    loader: ClassVar[str] = "AutoModelForSequenceClassification"
    pooled: ClassVar[bool] = True
    starts: ClassVar[bool] = True
    labels: tuple[str, ...]

    @property
    def outputs(self) -> list[str]:
        """The labels."""
        return list(self.labels)

    @staticmethod
    def labels_of(outputs: Sequence[str]) -> tuple[str, ...]:
        """The outputs."""
        return tuple(outputs)

    def prepare(self, tokenizer: Any) -> Any:
        """The tokenizer as it is."""
        return tokenizer

    def rows(self, tokenizer: Any, texts: Sequence[str], limit: int) -> Rows:
        """One row per text, cut at the limit."""
        if not texts:
            return Rows([])
        ids = tokenizer([clean(text) for text in texts], truncation=True, max_length=limit)["input_ids"]
        return Rows([each or [tokenizer.pad_token_id] for each in ids])


def first_tokens(states: Sequence[torch.Tensor]) -> np.ndarray:
    """The states of the first tokens, shape (rows, width), in double precision."""
    return torch.stack([each if each.dim() == 1 else each[0] for each in states]).double().numpy()
