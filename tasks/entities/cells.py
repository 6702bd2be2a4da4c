"""Spans in a cell of the user's data: offsets, tags of tokens, quotes, or a line."""

from collections.abc import Sequence
from itertools import pairwise

from ..base import BadCell, Span
from ..kinds.label_lists import list_in_text
from .alignment import align
from .tags import OUTSIDE, decode
from .types import Types, cut_words, told

OTHER_KEYS = {"start_offset": "start", "end_offset": "end"}
"""doccano's names -> ours."""

UNIT = "Offsets count characters (Unicode code points), not bytes and not the UTF-16 units of JavaScript and Java"

BEGIN, INSIDE = "BSU", "IEL"
"""First letters of tags: BIO, and BIOES and BILOU, which say the same and where a span ends."""


def read_cell(text: str, cell: object, types: Types) -> tuple[Span, ...]:
    """The spans in a cell; a cell that is text may hold the JSON of a list.

    Raises:
        ValueError: there are none; the message goes on after the column's name.
    """
    types = types.strict
    if isinstance(cell, str):
        listed = list_in_text(cell)
        if listed is None:
            return _aligned(text, cell, types)
        cell = listed
    if not isinstance(cell, list | tuple):
        line = f"'{types.names[0]} its words'"
        raise ValueError(f"is {told(cell)}, which is no list of spans, tags or quotes, and no line such as {line}")
    items = [_as_object(item) for item in cell]
    if items and all(isinstance(item, dict) and ("start" in item or "end" in item) for item in items):
        return _from_offsets(text, items, types)  # type: ignore[arg-type]
    if cell and all(isinstance(item, str | int) for item in cell):
        return from_tags(text, cell, types)
    return _aligned(text, cell, types)


def _as_object(item: object) -> object:
    """A span in our form: doccano's and spaCy's `[0, 7, "PER"]`, doccano's `start_offset`, Label Studio's `labels`."""
    if isinstance(item, list | tuple) and len(item) == 3 and isinstance(item[2], str):
        return dict(zip(("start", "end", "type"), item, strict=True))
    if not isinstance(item, dict):
        return item
    named = {OTHER_KEYS.get(key, key): value for key, value in item.items()}
    listed = named.get("labels")
    return {"type": listed[0], **named} if isinstance(listed, list) and len(listed) == 1 else named


def from_tags(text: str, tags: Sequence[str | int], types: Types) -> tuple[Span, ...]:
    """The spans that tags say of the words between single spaces.

    Raises:
        ValueError: something is no tag, or there is not one for each word.
    """
    plain = [_plain_tag(tag, types) for tag in tags]
    words = text.split(" ")
    if len(words) != len(tags):
        raise ValueError(f"has {_counted(len(tags), 'tag')} for {_counted(len(words), 'word')}")
    places: list[tuple[int, int]] = []
    start = 0
    for word in words:
        places.append((start, start + len(word)))
        start += len(word) + 1
    spans = [_stripped(text, span) for span, _ in decode(plain, places)]
    return tuple(span for span in spans if span is not None)


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
    name = item.get("type", item.get("label", item.get("labels")))
    if type(start) is not int or type(end) is not int:
        raise ValueError(f"has a span whose start and end are not whole numbers: {told(item)}")
    if not 0 <= start < end <= len(text):
        raise BadCell(f"has a span {start} to {end}, which is not inside the text of {len(text)} characters", UNIT)
    known = types.known(name) if isinstance(name, str) else None
    if known is None:
        raise ValueError(f"has a span of type {told(name)}, which is not one of: {types.listed()}")
    words = text[start:end]
    if item.get("text", words) != words:
        raise BadCell(
            f"has a span {start} to {end}, which is {told(words)} in the text and not {told(item['text'])}", UNIT
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


def _plain_tag(tag: str | int, types: Types) -> str:
    """A tag of the BIO scheme; a bare type goes on as the same span.

    Raises:
        ValueError: it is none.
    """
    if tag == OUTSIDE:
        return OUTSIDE
    if isinstance(tag, str):
        first, rest = tag[:1], types.known(tag[2:]) if tag[1:2] == "-" and tag not in types.names else None
        if rest and first in BEGIN + INSIDE:
            return f"{'B' if first in BEGIN else 'I'}-{rest[0]}"
        if rest is None and (whole := types.known(tag)):
            return f"I-{whole[0]}"
    raise ValueError(f"has {told(tag)}, which is no tag. Write O, or B- or I- and one of: {types.listed()}")
