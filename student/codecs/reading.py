"""Texts as rows of a network that says one thing of a whole text: cut where it is full, or in windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...tasks.base import clean
from .base import Rows
from .tokenizer import Tokenizer

OVERLAP = 4
"""A window shares one part in so many with the next."""

ALL = 2**31 - 1
"""Tokens: more than any text has."""


@dataclass(frozen=True)
class CutRows(Rows):
    """One row per text."""

    limit: int
    """Most tokens of a row."""

    @property
    def cut(self) -> list[bool]:
        """Whether the row of a text is full, so that what comes after it was left out."""
        return [len(ids) >= self.limit for ids in self.ids]


@dataclass(frozen=True)
class WindowRows(Rows):
    """One row per text, or several that overlap where it is longer than a row."""

    counts: list[int]
    """Rows of each text, one after the other."""

    @property
    def whose(self) -> list[int]:
        """The number of the text that each row is of."""
        return [number for number, count in enumerate(self.counts) for _ in range(count)]

    @property
    def learnt(self) -> Rows:
        """The first row of each text: training on all of them was not tried."""
        return Rows([self.ids[start] for start in self._starts])

    @property
    def _starts(self) -> list[int]:
        return (np.cumsum(self.counts) - self.counts).tolist() if self.counts else []

    def mean(self, shares: np.ndarray) -> np.ndarray:
        """The mean over the rows of each text, shape (texts, labels), of `shares`, shape (rows, labels)."""
        if len(self.counts) == len(self.ids):
            return shares
        found: np.ndarray = np.add.reduceat(shares, self._starts) / np.array(self.counts)[:, None]
        return found


def cut(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> CutRows:
    """One row per text, cut at the limit."""
    found = tokenizer.ids([clean(text) for text in texts], limit) if texts else []
    return CutRows([each or [tokenizer.pad] for each in found], limit)


def windows(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> WindowRows:
    """The whole of each text, in rows of at most `limit` tokens that overlap by a quarter."""
    if not texts:
        return WindowRows([], [])
    nothing, some, *found = tokenizer.ids(["", "a", *(clean(text) for text in texts)], ALL)
    same = [one == other for one, other in zip(nothing, some, strict=False)]
    first = same.index(False) if False in same else len(nothing)
    before, after = nothing[:first], nothing[first:]  # what the tokenizer puts around a text
    room = limit - len(nothing)
    rows, counts = [], []
    for ids in found:
        pieces = ids[len(before) : len(ids) - len(after)]
        begins = [*range(0, len(pieces) - room, room - room // OVERLAP), max(0, len(pieces) - room)]
        rows += [[*before, *pieces[begin : begin + room], *after] or [tokenizer.pad] for begin in begins]
        counts.append(len(begins))
    return WindowRows(rows, counts)
