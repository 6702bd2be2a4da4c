"""From a teacher's answer to spans of the text: offsets are computed here and never asked for.

An answer quotes the entities, as a list of `{"type": "ORG", "text": "Bank of Greece"}` or on a line, `ORG Bank of
Greece | LOC Athens`, or it is the whole text with inline marks (`marks`). Quotes take half the words; marks can say
what quotes cannot: the same words with two types, or a mention that does not count.

Every span that comes back is valid: inside the text, without white space at its ends, apart from the others, in order.
What had to be repaired is said by kind: `case`, `characters` (dashes, quotes, compatible letters), `white space`,
`punctuation`, `repeated mention`, `type name`. Whatever is not certain is refused.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..base import InvalidAnswer, Span
from ..kinds.label_names import loosen
from .inline_markup import has_marks, marked, read_marks
from .matching import Matcher, Quote
from .types import NONE, Types, told

MOST_QUOTES = 500
"""Entities of one text; more is a runaway answer."""

SPARE = 10_000
"""Characters by which an answer may be longer than four times its text."""

NOTHING = {NONE, "noentity", "noentities", "nothing"}
"""What is said where there is no entity, loosened."""


class Aligned(NamedTuple):
    """The spans in an answer, and the kinds of repair it took, sorted."""

    spans: tuple[Span, ...]
    repaired: tuple[str, ...] = ()


def align(text: str, answer: object, types: Types) -> Aligned:
    """The spans that an answer means.

    Args:
        text: what the answer is about.
        answer: a list of quotes, a line of quotes, `none`, or the text with inline marks.
        types: of the task.

    Raises:
        InvalidAnswer: no certain reading; its kind is one of `wrong form`, `too long`, `empty`, `unknown type`,
            `not in the text`, `overlap`, `ambiguous`, `marks do not fit`.
    """
    if isinstance(answer, str):
        return _read_string(text, answer, types)
    if not isinstance(answer, list | tuple):
        raise InvalidAnswer("wrong form", f"{told(answer)} is not a list of entities. Answer with a list, or none.")
    _refuse_too_many(answer)
    matcher = Matcher(text)
    repaired: set[str] = set()
    quotes = [_item(item, types, matcher, repaired) for item in answer]
    spans, kinds = matcher.spans(quotes)
    return Aligned(spans, tuple(sorted(repaired | kinds)))


def say_spans(text: str, spans: Sequence[Span], types: Types) -> str:
    """Spans on one line: quoted if that can be read back exactly, else as marks in the text; `none` for none."""
    if not spans:
        return NONE
    line = " | ".join(f"{span.type} {' '.join(text[span.start : span.end].split())}" for span in spans)
    try:
        if align(text, line, types).spans == tuple(spans):
            return line
    except InvalidAnswer:
        pass  # the line cannot say it: that is what marks are for
    return marked(text, spans)


def _read_string(text: str, answer: str, types: Types) -> Aligned:
    if not answer.strip():
        raise InvalidAnswer("empty", f"The answer is empty. Answer {NONE} if the text has no entity.")
    if len(answer) > 4 * len(text) + SPARE:
        raise InvalidAnswer("too long", f"The answer has {len(answer)} characters for a text of {len(text)}.")
    if loosen(answer) in NOTHING:
        return Aligned(())
    problem: InvalidAnswer | None = None
    if has_marks(answer, types):
        try:
            spans, kinds = read_marks(text, answer, types)
            return Aligned(spans, tuple(sorted(kinds)))
        except InvalidAnswer as invalid:
            problem = invalid
    try:
        return _read_line(text, answer, types)
    except InvalidAnswer as invalid:
        raise problem or invalid from None


def _read_line(text: str, answer: str, types: Types) -> Aligned:
    matcher = Matcher(text)
    repaired: set[str] = set()
    parts = [part for part in re.split(r"[|\n]", answer) if part.strip()]
    _refuse_too_many(parts)
    spans, kinds = matcher.spans([_part(part, types, matcher, repaired) for part in parts])
    return Aligned(spans, tuple(sorted(repaired | kinds)))


def _item(item: object, types: Types, matcher: Matcher, repaired: set[str]) -> Quote:
    """An item of a list: an object, or a part of a line."""
    if isinstance(item, str):
        return _part(item, types, matcher, repaired)
    if not isinstance(item, dict) or not isinstance(item.get("text"), str | None):
        raise InvalidAnswer(
            "wrong form", f'{told(item)} is not an entity. Write {{"type": ..., "text": "its exact words"}}.'
        )
    name, loose = types.named(item.get("type", item.get("label")))
    if loose:
        repaired.add("type name")
    if item.get("text") is None:
        raise InvalidAnswer("empty", f"A {name} without words. Quote its exact words in the text, or leave it out.")
    return name, str(item["text"])


def _part(part: str, types: Types, matcher: Matcher, repaired: set[str]) -> Quote:
    """A part of a line: a type, then the words."""
    bare = part.strip()
    if bare[:1] == "[" and bare.find("]") == len(bare) - 1:
        bare = bare[1:-1]  # a list of marks, without the text
    words = bare.split()
    if len(words) > 1 and not any(map(str.isalnum, words[0])) and words[0] not in types.names:
        del words[0]  # the bullet of a list
    found = _heads(words, types)
    if len(found) > 1:
        found = [each for each in found if matcher.holds(each[1])] or found[:1]
    if len(found) > 1:
        names = " or ".join(name for name, _, _ in found)
        raise InvalidAnswer("ambiguous", f"{told(part)} may be of type {names}. Write the type with a colon after it.")
    if not found and types.known(bare):
        raise InvalidAnswer("empty", f"{told(part)} is a type without words. Quote the exact words, or leave it out.")
    if not found:
        first = words[0] if words else part
        raise InvalidAnswer("unknown type", f"{told(first)} is not one of the types. Use only: {types.listed()}.")
    name, quote, loose = found[0]
    if loose:
        repaired.add("type name")
    return name, quote


def _heads(words: Sequence[str], types: Types) -> list[tuple[str, str, bool]]:
    """The ways in which words begin with a type: it, the words after it, and whether it was repaired; longest first.

    One with a colon after it is the only one, and exact names leave no room for repaired ones.
    """
    found: list[tuple[str, str, bool]] = []
    for size in range(min(types.longest, len(words) - 1), 0, -1):
        head = " ".join(words[:size])
        known = types.known(head.rstrip(":"))
        if known is None or "[" in head:
            continue
        way = (known[0], " ".join(words[size:]), known[1])
        if head.endswith(":"):
            return [way]
        found.append(way)
    return [way for way in found if not way[2]] or found


def _refuse_too_many(quotes: Sequence[object]) -> None:
    if len(quotes) > MOST_QUOTES:
        raise InvalidAnswer("too long", f"The answer has {len(quotes)} entities; at most {MOST_QUOTES} are read.")
