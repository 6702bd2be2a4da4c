"""Texts as a token head reads them: words with their places in the text, over windows of word pieces that overlap."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...tasks.base import clean
from ...tasks.entities.tags import Place
from .base import Rows
from .reading import OVERLAP
from .tokenizer import Tokenizer

UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Thai, Lao, Burmese, Khmer, Chinese and Japanese: without spaces, every piece is a word."""

WHOLE = re.compile(r"(?<!\w)(?:(?:[^\W\d_]\.){2,}|https?://\S*[^\s.,;:!?)\]}'\"\u00bb\u201d]|@\w+)")
"""U.N. and F.C., web addresses and handles: left in parts, a student of a hundred texts finds an entity in the N."""

INFIX = re.compile(r"(?<=\d)[.,](?=\d)|(?<=[^\W_])-(?=\d)|(?<=[^\W\d_])-(?=[A-Z\u00c0-\u00de])|(?<=[^\W_])&(?=[^\W_])")
"""What joins the parts of 1,000, F-16, Saint-Denis and AT&T. Other hyphens part: in Paris-based, Paris is the name."""


@dataclass(frozen=True)
class Window:
    """A row of the network, and what it is asked about: the pieces from `start` to `end` of a text."""

    row: int
    skip: int
    """Tokens of the row before the piece at `start`."""
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """One text: its words, which word each piece belongs to (-1 for none), and the windows that cover the pieces."""

    words: list[Place]
    owners: list[int]
    windows: list[Window]


@dataclass(frozen=True)
class Passages(Rows):
    """Many texts."""

    passages: list[Passage]

    @property
    def whose(self) -> list[int]:
        """The number of the text that each row is of."""
        return [number for number, passage in enumerate(self.passages) for _ in range(len(passage.windows) or 1)]


def read(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> Passages:
    """Cut texts into words and windows of at most `limit` tokens."""
    ids: list[list[int]] = []
    passages = []
    cleaned = [clean(text) for text in texts]
    for text, encoding in zip(cleaned, tokenizer.encodings(cleaned), strict=True):
        own = [number is not None for number in encoding.word_ids]
        if not any(own):
            passages.append(Passage([], [], []))
            ids.append(encoding.ids[:limit] or [tokenizer.pad])
            continue
        first, last = own.index(True), len(own) - own[::-1].index(True)
        before, pieces, after = encoding.ids[:first], encoding.ids[first:last], encoding.ids[last:]
        words, owners = _words(text, encoding.offsets[first:last], own[first:last])
        windows = []
        for begin, stop, start, end in _windows(owners, limit - len(before) - len(after)):
            windows.append(Window(len(ids), len(before) + start - begin, start, end))
            ids.append([*before, *pieces[begin:stop], *after])
        passages.append(Passage(words, owners, windows))
    return Passages(ids, passages)


def _words(text: str, offsets: Sequence[Place], own: Sequence[bool]) -> tuple[list[Place], list[int]]:
    """The places of the words, and the word of each piece.

    What a tokenizer calls a word is not asked: some keep a comma with it, some split off a digit or a case mark. Pieces
    are of one word if they overlap in the text, or meet there without punctuation between them that parts words.
    """
    glued = _glued(text)
    words: list[Place] = []
    owners: list[int] = []
    for (start, end), is_own in zip(offsets, own, strict=True):
        piece = text[start:end]
        start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
        if start >= end or not is_own:  # a space alone, or a token of the tokenizer's own
            owners.append(-1)
            continue
        while end < len(text) and _is_mark(text[end]):  # an accent that the tokenizer has dropped
            end += 1
        before = words[-1][1] if words else -1
        if start < before or (start == before and (start in glued or _joined(text[start - 1], text[start]))):
            words[-1] = (words[-1][0], max(before, end))
        else:
            words.append((start, end))
        owners.append(len(words) - 1)
    return words, owners


def parted(text: str, spans: Sequence[Place]) -> list[Place]:
    """Those spans that begin or end inside what is read as one word: they can be neither learnt nor found."""
    glued = _glued(text)

    def inside(place: int) -> bool:
        return 0 < place < len(text) and (place in glued or _joined(text[place - 1], text[place]))

    return [(start, end) for start, end in spans if inside(start) or inside(end)]


def _glued(text: str) -> set[int]:
    """Places between two characters of one word, though one of them is punctuation."""
    inside = {place for found in WHOLE.finditer(text) for place in range(found.start() + 1, found.end())}
    return inside | {place for found in INFIX.finditer(text) for place in found.span()}


def _joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters are of one word: letters, digits and what stands on them."""
    if UNSPACED.match(left) or UNSPACED.match(right):
        return _is_mark(right)
    return all(each.isalnum() or _is_mark(each) for each in (left, right))


def _is_mark(character: str) -> bool:
    return character >= "\u0300" and unicodedata.category(character)[0] == "M"


def _windows(owners: Sequence[int], room: int) -> list[tuple[int, int, int, int]]:
    """Begin and stop of each window, and the pieces it is asked about: those not nearer to an edge than in another."""
    size = len(owners)
    begins = [*range(0, size - room, room - room // OVERLAP), max(0, size - room)]
    seams = [0]
    for left, right in pairwise(begins):
        middle = (left + room + right) // 2
        between = [at for at in range(right + 1, left + room) if owners[at] != owners[at - 1]]  # not within a word
        seams.append(min(between, key=lambda at: abs(at - middle), default=middle))
    seams.append(size)
    return [(begin, min(begin + room, size), seams[i], seams[i + 1]) for i, begin in enumerate(begins)]
