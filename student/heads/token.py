"""The head for spans: a tag of the BIO scheme for every word piece."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import JsonValue
from scipy.special import expit, log_softmax, softmax
from torch import nn

from ...tasks.base import Example, Prediction, Span
from ...tasks.entities.tags import OUTSIDE, SpanPrediction, Word, decode, encode, tags_of
from ...tasks.errors import ConfigError
from ..settings import Recipe
from ..training.losses import generalised_cross_entropy
from .base import Linear
from .casing import mark_capitals
from .viterbi import best_path
from .windows import Passage, Passages, read

UNASKED = -100
"""Target of a piece that says nothing: as transformers and torch have it."""


class TokenHead:
    """Spans of given types."""

    loader: ClassVar[str] = "AutoModelForTokenClassification"
    problem_type: ClassVar[str | None] = None
    pooled: ClassVar[bool] = False
    starts: ClassVar[bool] = False
    thresholded: ClassVar[bool] = False
    recipe: ClassVar[Recipe] = Recipe(
        epochs=12, min_steps=60, max_steps=400, batch_size=8, learning_rate=2e-4, head_learning_rate=2e-3
    )
    notes: Mapping[str, JsonValue] = {}

    def __init__(self, labels: Sequence[str], notes: Mapping[str, Any] | None = None) -> None:
        """Find spans of the types `labels`."""
        self.labels = tuple(labels)
        self.tags = tags_of(self.labels)
        self._number = {tag: number for number, tag in enumerate(self.tags)}
        self._inner = np.array([self._number[_inner(tag)] for tag in self.tags])

    @property
    def outputs(self) -> list[str]:
        """The tags, outside first."""
        return list(self.tags)

    @staticmethod
    def labels_of(outputs: Sequence[str]) -> tuple[str, ...]:
        """The types in the order of their first tags."""
        return tuple(dict.fromkeys(tag.partition("-")[2] for tag in outputs if tag != OUTSIDE))

    def prepare(self, tokenizer: Any) -> Any:
        """The tokenizer with marks for capitals, if it throws case away.

        Raises:
            ConfigError: it cannot say where in the text a token stands.
        """
        if not tokenizer.is_fast:
            raise ConfigError("student.model has no fast tokenizer (tokenizer.json), which entities need for offsets.")
        return mark_capitals(tokenizer)

    def rows(self, tokenizer: Any, texts: Sequence[str], limit: int) -> Passages:
        """Windows over the texts."""
        return read(tokenizer, texts, limit)

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

    def predictions(self, logits: Sequence[torch.Tensor], rows: Passages) -> list[Prediction]:
        """The spans of each text."""
        return [self._prediction(passage, logits) for passage in rows.passages]

    def _prediction(self, passage: Passage, logits: Sequence[torch.Tensor]) -> SpanPrediction:
        if not passage.words:
            return SpanPrediction(label=(), probability=1.0, probabilities={})
        shares = self._shares(passage, logits)
        path = best_path(shares, self.tags)
        spans = decode([self.tags[tag] for tag in path], passage.words)
        sure = shares[np.arange(len(path)), path]
        words = zip(passage.words, shares.tolist(), strict=True)
        return SpanPrediction.model_construct(  # our own numbers: to check them costs more than to compute them
            label=tuple(span for span, _ in spans),
            probability=float(sure.prod()),
            probabilities={},
            certainty=tuple(float(sure[own].min()) for _, own in spans),
            words=tuple(
                Word.model_construct(start=start, end=end, shares=dict(zip(self.tags, row, strict=True)))
                for (start, end), row in words
            ),
        )

    def reset(self) -> None:
        """Nothing."""

    def calibrate(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> None:
        """Nothing: the most probable tags are the answer."""

    def _shares(self, passage: Passage, logits: Sequence[torch.Tensor]) -> np.ndarray:
        """The probability of each tag of each word, shape (words, tags).

        All its pieces have a say in what a word is, with the mean of their log probabilities: the first is often its
        case mark, the same for every name. Whether an entity begins there is what the first piece says.
        """
        parts = [logits[w.row][w.skip : w.skip + w.end - w.start].numpy() for w in passage.windows]
        owners = np.array(passage.owners)
        said = log_softmax(np.concatenate(parts)[owners >= 0].astype(float), axis=1)
        firsts = np.flatnonzero(np.diff(owners[owners >= 0], prepend=-1))
        begins, goes_on = said[:, 1::2], said[:, 2::2]
        kinds = np.add.reduceat(np.hstack([said[:, :1], np.logaddexp(begins, goes_on)]), firsts)
        kinds = softmax(kinds / np.diff(firsts, append=len(said))[:, None], axis=1)
        begin = expit(begins[firsts] - goes_on[firsts])
        shares = np.empty((len(firsts), len(self.tags)))
        shares[:, :1], shares[:, 1::2], shares[:, 2::2] = kinds[:, :1], kinds[:, 1:] * begin, kinds[:, 1:] * (1 - begin)
        return shares


def _inner(tag: str) -> str:
    """The tag of what follows in the same word."""
    return tag if tag == OUTSIDE else f"I-{tag.partition('-')[2]}"
