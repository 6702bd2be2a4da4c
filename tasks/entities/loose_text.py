"""Texts seen more loosely (other dashes, other case, other white space), every character with its place in the text."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

LONGEST_CLUSTER = 32
"""Combining marks that are put in order together; normalising takes quadratic time in their number."""

ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER = "\u200d", "\u200c"

VARIANTS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad\ufe58\ufe63\uff0d", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    }
)

SPACELESS = (
    (0x0E00, 0x109F),  # Thai, Lao, Tibetan, Myanmar
    (0x1100, 0x11FF),  # Hangul jamo
    (0x1780, 0x17FF),  # Khmer
    (0x1980, 0x19DF),  # New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x31FF),  # CJK radicals, kana, bopomofo
    (0x3400, 0x9FFF),  # Han
    (0xA980, 0xA9DF),  # Javanese
    (0xAC00, 0xD7FF),  # Hangul, whose particles are written on to the name
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
    (0x20000, 0x3FFFF),
)
"""Code points of scripts in which a name may begin or end inside a run of letters."""


NUMERIC = ".,:"
"""What does not end a number that goes on behind it: `500` is no word of `1,500`."""


class Level(NamedTuple):
    """How loosely a text is seen."""

    characters: bool = False
    """Compatible characters, dashes and quotes are alike; invisible ones are not there."""
    case: bool = False
    tight: bool = False
    """White space beside punctuation is not there: `Macy 's` is `Macy's`."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a match at this level repairs."""
        named = (("characters", self.characters), ("case", self.case), ("white space", self.tight))
        return tuple(kind for kind, on in named if on)


EXACT = Level()
LEVELS = (
    EXACT,
    Level(characters=True),
    Level(case=True),
    Level(tight=True),
    Level(characters=True, case=True),
    Level(characters=True, tight=True),
    Level(characters=True, case=True, tight=True),
)
"""From exact to loose; white space counts as one space at all of them."""


class View(NamedTuple):
    """A text at a level: `chars[k]` stands for `text[starts[k]:ends[k]]`."""

    chars: str
    starts: list[int]
    ends: list[int]

    def place(self, low: int, high: int) -> tuple[int, int] | None:
        """Where `chars[low:high]` is in the text; None where it would cut a character of the text in two."""
        inside = self.starts[low - 1] if low else -1
        after = self.starts[high] if high < len(self.starts) else -1
        if inside == self.starts[low] or after == self.starts[high - 1]:
            return None
        return self.starts[low], self.ends[high - 1]

    def reach(self, start: int, end: int) -> tuple[int, int] | None:
        """The part of `chars` that stands for `text[start:end]`; None where the cut is inside a character or empty."""
        low, high = bisect_left(self.starts, start), bisect_right(self.ends, end)
        if low >= high or (low and self.ends[low - 1] > start):
            return None
        return None if high < len(self.starts) and self.starts[high] < end else (low, high)

    def kept(self, keep: list[bool]) -> "View":
        """The view without some of its characters."""
        numbers = [k for k, yes in enumerate(keep) if yes]
        chars = "".join(self.chars[k] for k in numbers)
        return View(chars, [self.starts[k] for k in numbers], [self.ends[k] for k in numbers])

    def dense(self) -> "View":
        """The view without white space."""
        return self.kept([char != " " for char in self.chars])


def view(text: str, level: Level) -> View:
    """A text at a level of `LEVELS`."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text) if level.characters else ((i, i + 1) for i in range(len(text))):
        for char in _folded(text[start:end], level):
            if char.isspace() and chars and chars[-1] == " ":
                ends[-1] = end
                continue
            chars.append(" " if char.isspace() else char)
            starts.append(start)
            ends.append(end)
    seen = View("".join(chars), starts, ends)
    return _tightened(seen) if level.tight else seen


def joints(text: str) -> bytearray:
    """For every place between two characters, and the two ends: 1 where a word, number or visible character goes on.

    A name never begins or ends there. Words of scripts without spaces may be cut everywhere.
    """
    joined = bytearray(len(text) + 1)
    word, flags = False, 0
    for place, char in enumerate(text):
        flags = flags + 1 if "\U0001f1e6" <= char <= "\U0001f1ff" else 0
        if place and (_extends(char) or text[place - 1] == ZERO_WIDTH_JOINER or (flags and flags % 2 == 0)):
            joined[place] = 1
            continue
        before, word = word, (char == "_" or char.isalnum()) and not is_spaceless(char)
        joined[place] = bool(place and before and word)
    for place, char in enumerate(text[1:-1], start=1):
        if char in NUMERIC and text[place - 1].isdecimal() and text[place + 1].isdecimal():
            joined[place] = joined[place + 1] = 1
    return joined


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Characters with the combining marks that follow them."""
    start = 0
    for place in range(1, len(text) + 1):
        goes_on = place < len(text) and place - start < LONGEST_CLUSTER and not text[place].isascii()
        # A mark after white space stands alone, or the white space would come with it into a span.
        if not (goes_on and unicodedata.category(text[place])[0] == "M") or text[start].isspace():
            yield start, place
            start = place


def _folded(piece: str, level: Level) -> str:
    if level.characters and not piece.isascii():
        piece = unicodedata.normalize("NFKD", piece.translate(VARIANTS))
        piece = "".join(char for char in piece if unicodedata.category(char) != "Cf")
    elif level.characters:
        piece = piece.translate(VARIANTS)
    if level.case:
        folded = piece.casefold()
        piece = unicodedata.normalize("NFKD", folded) if level.characters and not folded.isascii() else folded
    return piece


def _tightened(seen: View) -> View:
    chars = seen.chars
    inner = [0 < k < len(chars) - 1 and _is_wordy(chars[k - 1]) and _is_wordy(chars[k + 1]) for k in range(len(chars))]
    return seen.kept([char != " " or inner[k] for k, char in enumerate(chars)])


def _is_wordy(char: str) -> bool:
    return char.isalnum() or (not char.isascii() and unicodedata.category(char)[0] == "M")


def is_spaceless(char: str) -> bool:
    """Whether a character is of a script in which a name may begin or end inside a run of letters."""
    return char >= "\u0e00" and any(low <= ord(char) <= high for low, high in SPACELESS)


def _extends(char: str) -> bool:
    """Whether a character belongs to the one before: a mark, a joiner, a skin tone, the rest of a syllable."""
    if char.isascii():
        return False
    return (
        unicodedata.category(char)[0] == "M"
        or char in (ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER)
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or "\u1160" <= char <= "\u11ff"
    )
