"""Spans: a tag of the BIO scheme for every word, which all its pieces vote on."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import JsonValue

from ...tasks.base import Example, Prediction
from ...tasks.entities.tags import OUTSIDE, SpanPrediction, Word, decode, tags_of
from .probabilities import log_softmax, sigmoid, softmax
from .tokenizer import Tokenizer
from .viterbi import best_path
from .windows import Passage, Passages, read


class TokenCodec:
    """Spans of given types."""

    thresholded: ClassVar[bool] = False
    notes: Mapping[str, JsonValue] = {}

    def __init__(self, labels: Sequence[str], notes: Mapping[str, Any] | None = None) -> None:
        """Find spans of the types `labels`."""
        self.labels = tuple(labels)
        self.tags = tags_of(self.labels)

    @property
    def outputs(self) -> list[str]:
        """The tags, outside first."""
        return list(self.tags)

    @staticmethod
    def labels_of(outputs: Sequence[str]) -> tuple[str, ...]:
        """The types in the order of their first tags."""
        return tuple(dict.fromkeys(tag.partition("-")[2] for tag in outputs if tag != OUTSIDE))

    def rows(self, tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> Passages:
        """Windows over the texts."""
        return read(tokenizer, texts, limit)

    def predictions(self, logits: Sequence[np.ndarray], rows: Passages) -> list[Prediction]:
        """The spans of each text."""
        return [self._prediction(passage, logits) for passage in rows.passages]

    def _prediction(self, passage: Passage, logits: Sequence[np.ndarray]) -> SpanPrediction:
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

    def _shares(self, passage: Passage, logits: Sequence[np.ndarray]) -> np.ndarray:
        """The probability of each tag of each word, shape (words, tags).

        All its pieces have a say in what a word is, with the mean of their log probabilities: the first is often its
        case mark, the same for every name. Whether an entity begins there is what the first piece says.
        """
        parts = [logits[w.row][w.skip : w.skip + w.end - w.start] for w in passage.windows]
        owners = np.array(passage.owners)
        said = log_softmax(np.concatenate(parts)[owners >= 0])
        firsts = np.flatnonzero(np.diff(owners[owners >= 0], prepend=-1))
        begins, goes_on = said[:, 1::2], said[:, 2::2]
        kinds = np.add.reduceat(np.hstack([said[:, :1], np.logaddexp(begins, goes_on)]), firsts)
        kinds = softmax(kinds / np.diff(firsts, append=len(said))[:, None])
        begin = sigmoid(begins[firsts] - goes_on[firsts])
        shares = np.empty((len(firsts), len(self.tags)))
        shares[:, :1], shares[:, 1::2], shares[:, 2::2] = kinds[:, :1], kinds[:, 1:] * begin, kinds[:, 1:] * (1 - begin)
        return shares
