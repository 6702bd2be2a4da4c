"""Spans in a cell of the user's data: offsets, tags of tokens, quotes, or a line."""

import json
from collections.abc import Sequence
from itertools import pairwise

from ..base import Span
from .alignment import align
from .tags import OUTSIDE, decode
from .types import Types, cut_words, told

BEGIN, INSIDE = "BSU", "IEL"
"""First letters of tags: BIO, and BIOES and BILOU, which say the same and where a span ends."""


def read_cell(text: str, cell: object, types: Types) -> tuple[Span, ...]:
    """The spans in a cell; a cell that is text may hold the JSON of a list.

    Raises:
        ValueError: there are none; the message goes on after the column's name.
    """
    cell = _from_json(cell)
    if isinstance(cell, str):
        return _aligned(text, cell, types)
    if not isinstance(cell, list | tuple):
        line = f"'{types.names[0]} its words'"
        raise ValueError(f"is {told(cell)}, which is no list of spans, tags or quotes, and no line such as {line}")
    if cell and all(isinstance(item, dict) and ("start" in item or "end" in item) for item in cell):
        return _from_offsets(text, cell, types)
    if cell and all(isinstance(item, str) and _is_tag(item, types) for item in cell):
        return from_tags(text, cell, types)
    if cell and all(isinstance(item, str | int) for item in cell):
        wrong = next(item for item in cell if not (isinstance(item, str) and _is_tag(item, types)))
        raise ValueError(f"has {told(wrong)}, which is no tag. Write O, or B- or I- and one of: {types.listed()}")
    return _aligned(text, cell, types)


def from_tags(text: str, tags: Sequence[str], types: Types) -> tuple[Span, ...]:
    """The spans that tags say of the words between single spaces.

    Raises:
        ValueError: there is not one tag for each word.
    """
    words = text.split(" ")
    if len(words) != len(tags):
        raise ValueError(f"has {_counted(len(tags), 'tag')} for {_counted(len(words), 'word')}")
    places: list[tuple[int, int]] = []
    start = 0
    for word in words:
        places.append((start, start + len(word)))
        start += len(word) + 1
    plain = [_plain_tag(tag, types) for tag in tags]
    spans = [_stripped(text, span) for span, _ in decode(plain, places)]
    return tuple(span for span in spans if span is not None)


def _from_json(cell: object) -> object:
    if isinstance(cell, str) and cell.strip().startswith(("[{", '["', "[]", "[ ")):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell  # a text with marks may begin like that; what it is then is told
    return cell


def _aligned(text: str, cell: object, types: Types) -> tuple[Span, ...]:
    try:
        return align(text, cell, types).spans
    except ValueError as error:
        raise ValueError(f"is {told(cell)}: {cut_words(str(error), 200)}") from None


def _from_offsets(text: str, items: Sequence[dict[str, object]], types: Types) -> tuple[Span, ...]:
    spans = sorted((_span(text, item, types) for item in items), key=lambda span: span.start)
    for first, second in pairwise(spans):
        if second.start < first.end:
            both = f"{first.start} to {first.end} and {second.start} to {second.end}"
            raise ValueError(f"has spans that overlap: {both}. Keep one of them")
    return tuple(spans)


def _span(text: str, item: dict[str, object], types: Types) -> Span:
    start, end = item.get("start"), item.get("end")
    name = item.get("type", item.get("label"))
    if type(start) is not int or type(end) is not int:
        raise ValueError(f"has a span whose start and end are not whole numbers: {told(item)}")
    if not 0 <= start < end <= len(text):
        raise ValueError(f"has a span {start} to {end}, which is not inside the text of {len(text)} characters")
    known = types.known(name) if isinstance(name, str) else None
    if known is None:
        raise ValueError(f"has a span of type {told(name)}, which is not one of: {types.listed()}")
    words = text[start:end]
    if item.get("text", words) != words:
        raise ValueError(
            f"has a span {start} to {end}, which is {told(words)} in the text and not {told(item['text'])}"
        )
    if words != words.strip():
        raise ValueError(f"has a span {start} to {end} that begins or ends with white space: {told(words)}")
    return Span(start=start, end=end, type=known[0])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _stripped(text: str, span: Span) -> Span | None:
    """A span without the white space that a tagged token may be."""
    words = text[span.start : span.end]
    start = span.start + len(words) - len(words.lstrip())
    end = span.end - len(words) + len(words.rstrip())
    return span.model_copy(update={"start": start, "end": end}) if start < end else None


def _is_tag(tag: str, types: Types) -> bool:
    return (
        tag == OUTSIDE
        or tag in types.names
        or (tag[:1] in BEGIN + INSIDE and tag[1:2] == "-" and tag[2:] in types.names)
    )


def _plain_tag(tag: str, types: Types) -> str:
    """A tag of the BIO scheme; a bare type goes on as the same span."""
    if tag == OUTSIDE:
        return tag
    if tag in types.names:
        return f"I-{tag}"
    return f"{'B' if tag[0] in BEGIN else 'I'}-{tag[2:]}"
