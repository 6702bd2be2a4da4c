"""Where the words that a teacher quotes stand in the text: longest first, at the edges of words, never on a guess."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..base import InvalidAnswer, Span
from .loose_text import EXACT, LEVELS, Level, View, is_spaceless, joints, view
from .types import told

LONGEST_QUOTE = 1000
"""Characters of a quote; no name is longer."""

POSSESSIVE = ("'s", "\u2019s")

Place = tuple[int, int]
"""Start and end in characters of the text."""

Quote = tuple[str, str]
"""Type and quoted words."""


@dataclass
class _Surface:
    """All quotes that stand for the same places."""

    places: list[Place]
    words: str
    counts: Counter[str] = field(default_factory=Counter)
    """Type -> how often it was quoted."""

    is_doubtful: bool = False
    """Whether another place need not be another mention: `us` is no `US`, and signs may be part of a longer name."""

    @property
    def length(self) -> int:
        return max(end - start for start, end in self.places)


class Matcher:
    """The places of quotes in one text."""

    def __init__(self, text: str):
        self.text = text
        self._views: dict[Level, View] = {}
        self._joints = joints(text)

    def find(self, quote: str, times: int = 1) -> tuple[list[Place], tuple[str, ...]]:
        """The places of a quote that is given so many times, and what was repaired.

        They are those at the strictest level where there are any, or, if these are fewer than `times`, at the strictest
        one that has as many.

        Raises:
            InvalidAnswer: it is empty, too long, not in the text, or its places overlap one another.
        """
        if not quote.strip():
            raise InvalidAnswer("empty", "An entity without words. Quote its exact words in the text, or leave it out.")
        if len(quote) > LONGEST_QUOTE:
            raise InvalidAnswer("not in the text", f"{told(quote)} is too long for an entity. Quote the name alone.")
        for words, kinds in _trimmings(quote):
            strictest: tuple[Level, list[Place]] | None = None
            for level in LEVELS:
                places = self._places(words, level)
                if strictest is None or len(places) >= times > len(strictest[1]):
                    strictest = (level, places) if places else strictest
                if strictest is not None and len(strictest[1]) >= times:
                    break
            if strictest is not None:
                level, places = strictest
                spaced = level == EXACT and not self._is_said(words.strip(), places)
                return places, (*kinds, *level.kinds, *(("white space",) if spaced else ()))
        raise InvalidAnswer(
            "not in the text",
            f"{told(quote)} is not in the text as a word of its own. Quote the exact words of the text.",
        )

    def holds(self, quote: str) -> bool:
        """Whether a quote has a certain place."""
        try:
            return bool(self.find(quote)[0])
        except InvalidAnswer:
            return False

    def spans(self, quotes: Sequence[Quote]) -> tuple[tuple[Span, ...], set[str]]:
        """The spans of all quotes, and what was repaired.

        Words quoted once are marked wherever they stand, words quoted as often as they stand there each once.
        Of two quotes one inside the other, the shorter is marked where it stands outside.

        Raises:
            InvalidAnswer: some quote has no place of its own, or no certain one.
        """
        surfaces, repaired = self._surfaces(quotes)
        owner: dict[Place, str] = {}
        taken = bytearray(len(self.text))
        for surface in sorted(surfaces, key=lambda each: each.length, reverse=True):
            name = _only_type(surface)
            again = [place for place in surface.places if place in owner]
            if others := {owner[place] for place in again} - {name}:
                raise _two_types(surface, {name, *others})
            free = [place for place in surface.places if not any(taken[slice(*place)])]
            if not free and not again:
                raise InvalidAnswer(
                    "overlap", f"{told(surface.words)} stands only inside a longer entity. Entities must not overlap."
                )
            _check_count(surface, surface.counts[name], len(free) + len(again))
            if surface.counts[name] == 1 and len(free) > 1:
                repaired.add("repeated mention")
            for start, end in free:
                owner[start, end] = name
                taken[start:end] = b"\1" * (end - start)
        return tuple(Span(start=start, end=end, type=owner[start, end]) for start, end in sorted(owner)), repaired

    def _surfaces(self, quotes: Sequence[Quote]) -> tuple[list[_Surface], set[str]]:
        repaired: set[str] = set()
        given = Counter(words for _, words in quotes)
        surfaces: dict[tuple[Place, ...], _Surface] = {}
        known: dict[str, _Surface] = {}
        for name, words in quotes:
            if words not in known:
                places, kinds = self.find(words, given[words])
                repaired.update(kinds)
                is_doubtful = "case" in kinds or any(map(is_spaceless, words))
                known[words] = surfaces.setdefault(tuple(places), _Surface(places, words, is_doubtful=is_doubtful))
            known[words].counts[name] += 1
        return list(surfaces.values()), repaired

    def _places(self, words: str, level: Level) -> list[Place]:
        """The places of words at one level.

        Raises:
            InvalidAnswer: two of them overlap, so that none is certain.
        """
        wanted = view(words, level).chars.strip()
        places: list[Place] = []
        for place in self._hits(wanted, level) if wanted else ():
            if places and place[0] < places[-1][1]:
                raise InvalidAnswer(
                    "ambiguous",
                    f"{told(words)} stands in the text in places that overlap. Give the whole text with inline marks.",
                )
            places.append(place)
        return places

    def _hits(self, wanted: str, level: Level) -> Iterator[Place]:
        seen = self._view(level)
        at = seen.chars.find(wanted)
        while at >= 0:
            place = seen.place(at, at + len(wanted))
            if place and not self._joints[place[0]] and not self._joints[place[1]]:
                yield place
            at = seen.chars.find(wanted, at + 1)

    def _view(self, level: Level) -> View:
        if level not in self._views:
            self._views[level] = view(self.text, level)
        return self._views[level]

    def _is_said(self, words: str, places: Sequence[Place]) -> bool:
        """Whether a quote is as the text has it, or as a prompt shows it: on one line, with single spaces."""
        there = [self.text[start:end] for start, end in places]
        return words in there or words in (" ".join(each.split()) for each in there)


def _trimmings(quote: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The quote, then what is left without the punctuation around it, then without a possessive."""
    bare = quote.strip()
    clipped = bare.rstrip(",;: ")
    # No guideline has a name end in a comma, so it goes even where the text has it too.
    quote = clipped if clipped[-1:].isalnum() else bare
    yield quote, ("punctuation",) if quote != bare else ()
    inner = _without_edges(quote)
    if inner and inner != quote:
        yield inner, ("punctuation",)
    for ending in POSSESSIVE:
        if inner.endswith(ending) and (rest := _without_edges(inner[: -len(ending)])):
            yield rest, ("punctuation",)
            return


def _without_edges(quote: str) -> str:
    """A quote without punctuation, backquotes and white space at its ends."""
    kept = [k for k, char in enumerate(quote) if not (char.isspace() or char == "`" or _is_punctuation(char))]
    return quote[kept[0] : kept[-1] + 1] if kept else ""


def _is_punctuation(char: str) -> bool:
    return unicodedata.category(char)[0] == "P"


def _only_type(surface: _Surface) -> str:
    if len(surface.counts) > 1:
        raise _two_types(surface, set(surface.counts))
    return next(iter(surface.counts))


def _two_types(surface: _Surface, names: set[str]) -> InvalidAnswer:
    types = " and ".join(sorted(names))
    if len(surface.places) == 1:
        return InvalidAnswer(
            "ambiguous", f"{told(surface.words)} stands in the text once and has two types, {types}. Give one."
        )
    return InvalidAnswer(
        "ambiguous",
        f"{told(surface.words)} is quoted with two types ({types}) and it is not said which mention is which. "
        "Give the whole text with inline marks instead.",
    )


def _check_count(surface: _Surface, given: int, there: int) -> None:
    if given < there and (given > 1 or surface.is_doubtful):
        times = "once" if given == 1 else f"{given} times"
        raise InvalidAnswer(
            "ambiguous",
            f"{told(surface.words)} is quoted {times} but stands in the text {there} times. Quote it once for every "
            "mention, as each is written, or give the whole text with inline marks.",
        )
