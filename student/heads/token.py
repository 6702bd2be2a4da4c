"""The head for spans: a tag of the BIO scheme for every word piece."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from ...tasks.base import Example, Span
from ...tasks.entities.tags import OUTSIDE, encode
from ...tasks.errors import ConfigError
from ..codecs.token import TokenCodec
from ..codecs.windows import Passages
from ..settings import Recipe
from ..training.losses import generalised_cross_entropy
from .base import Linear
from .casing import mark_capitals

UNASKED = -100
"""Target of a piece that says nothing: as transformers and torch have it."""


class TokenHead(TokenCodec):
    """Spans of given types."""

    loader: ClassVar[str] = "AutoModelForTokenClassification"
    problem_type: ClassVar[str | None] = None
    pooled: ClassVar[bool] = False
    starts: ClassVar[bool] = False
    recipe: ClassVar[Recipe] = Recipe(
        epochs=12, min_steps=60, max_steps=400, batch_size=8, learning_rate=2e-4, head_learning_rate=2e-3
    )

    def __init__(self, labels: Sequence[str], notes: Mapping[str, Any] | None = None) -> None:
        """Find spans of the types `labels`."""
        super().__init__(labels, notes)
        self._number = {tag: number for number, tag in enumerate(self.tags)}
        self._inner = np.array([self._number[_inner(tag)] for tag in self.tags])

    def prepare(self, tokenizer: Any) -> Any:
        """The tokenizer with marks for capitals, if it throws case away.

        Raises:
            ConfigError: it cannot say where in the text a token stands.
        """
        if not tokenizer.is_fast:
            raise ConfigError("student.model has no fast tokenizer (tokenizer.json), which entities need for offsets.")
        return mark_capitals(tokenizer)

    def targets(self, examples: Sequence[Example], rows: Passages) -> list[torch.Tensor]:
        """The number of the tag of each token: a word's own on its first piece, the inner tag on those that follow.

        Soft labels are not used.

        Raises:
            ConfigError: an example has spans of an unknown type, or no spans as its label.
        """
        found = [torch.full((len(ids),), UNASKED) for ids in rows.ids]
        for example, passage in zip(examples, rows.passages, strict=True):
            tags = [self._number[tag] for tag in encode(self._spans(example), passage.words)]
            for window in passage.windows:
                for piece in range(window.start, window.end):
                    owner = passage.owners[piece]
                    if owner >= 0:
                        first = piece == 0 or passage.owners[piece - 1] != owner
                        found[window.row][window.skip + piece - window.start] = (
                            tags[owner] if first else int(self._inner[tags[owner]])
                        )
        return found

    def _spans(self, example: Example) -> list[Span]:
        spans = [each for each in example.label if isinstance(each, Span)]
        if isinstance(example.label, str) or len(spans) < len(example.label):
            raise ConfigError(f"Example {example.id}: the label must be spans, not {str(example.label)[:60]!r}.")
        if unknown := sorted({span.type for span in spans} - set(self.labels)):
            raise ConfigError.unknown(f"Example {example.id}: entity type", unknown[0], self.labels)
        return spans

    def start(
        self, states: Sequence[torch.Tensor], targets: Sequence[torch.Tensor], weights: torch.Tensor
    ) -> Linear | None:
        """Nothing: a logistic regression on the pieces was tried and costs points (docs/decisions.md)."""
        return None

    def loss(
        self, logits: torch.Tensor, targets: Sequence[torch.Tensor], weights: torch.Tensor, q: float
    ) -> torch.Tensor:
        """Cross-entropy or the generalised one, the mean over the pieces that are asked."""
        wanted = nn.utils.rnn.pad_sequence(list(targets), batch_first=True, padding_value=UNASKED).to(logits.device)
        excess = nn.functional.cross_entropy(logits.transpose(1, 2), wanted, reduction="none")  # 0 where not asked
        total = (weights.to(logits.device)[:, None] * generalised_cross_entropy(excess, q)).sum()
        return total / (wanted != UNASKED).sum().clamp(min=1)


def _inner(tag: str) -> str:
    """The tag of what follows in the same word."""
    return tag if tag == OUTSIDE else f"I-{tag.partition('-')[2]}"
