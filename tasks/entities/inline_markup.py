"""A text with its entities marked inline, `[ORG: Bank of Greece] met in [LOC: Athens]`, and back.

Square brackets, since models write them of their own accord and few texts hold them; the colon ends the type, so that
types may have spaces. A text's own brackets and backslashes are written after a backslash. An answer that leaves them
bare is taken too: what is no mark of a known type is text, and inside a mark bare brackets must be in pairs. Whatever
was read, the text without its marks must be the text that was asked about.
"""

import re
from collections.abc import Sequence

from ..base import InvalidAnswer, Span
from .loose_text import EXACT, LEVELS, View, view
from .types import Types, told

SPECIAL = re.compile(r"[\[\]\\]")
ESCAPED = r"\\(?P<escaped>[\[\]\\])"
LEFT_OVER = re.compile(r"\[\s*([^\[\]:\\\s]{1,40})")

Part = tuple[str, int, int]
"""Type, start and end."""


def marked(text: str, spans: Sequence[Span]) -> str:
    """The text on one line with marks; `read_marks` takes it back."""
    parts: list[str] = []
    place = 0
    for span in spans:
        parts += [_escape(text[place : span.start]), f"[{span.type}: ", _escape(text[span.start : span.end]), "]"]
        place = span.end
    return " ".join("".join([*parts, _escape(text[place:])]).split())


def has_marks(answer: str, types: Types) -> bool:
    """Whether there is a mark of a known type in an answer."""
    return re.search(types.mark, answer, re.IGNORECASE) is not None


def read_marks(text: str, answer: str, types: Types) -> tuple[tuple[Span, ...], set[str]]:
    """The spans of a marked text, and what was repaired.

    Raises:
        InvalidAnswer: the marks are nested, empty or never closed, or the answer without them is another text.
    """
    problem = InvalidAnswer("marks do not fit", "There is no mark. Mark every entity, or answer none.")
    for escapes in (True, False):
        try:
            plain, parts, repaired = _parsed(answer, types, escapes)
            if parts:
                spans, kinds = _placed(text, plain, parts)
                return spans, repaired | kinds
        except InvalidAnswer as invalid:
            problem = invalid
    raise problem


def _escape(text: str) -> str:
    return SPECIAL.sub(lambda found: "\\" + found[0], text)


def _parsed(answer: str, types: Types, escapes: bool) -> tuple[str, list[Part], set[str]]:
    """The answer without marks, the places of these in it, and what was repaired."""
    parser = _Parser(types)
    place = 0
    pattern = re.compile((f"{ESCAPED}|" if escapes else "") + rf"{types.mark}|[\[\]]", re.IGNORECASE)
    for found in pattern.finditer(answer):
        parser.add(answer[place : found.start()])
        place = found.end()
        groups = found.groupdict()
        if groups.get("escaped"):
            parser.add(groups["escaped"])
        elif groups["type"]:
            parser.open(groups["type"])
        else:
            parser.bracket(found[0])
    parser.add(answer[place:])
    return parser.finished()


class _Parser:
    """The plain text read so far, and the marks in it."""

    def __init__(self, types: Types):
        self._types = types
        self._plain: list[str] = []
        self._length = 0
        self._parts: list[Part] = []
        self._repaired: set[str] = set()
        self._open: tuple[str, int] | None = None
        self._depth = 0

    def add(self, text: str) -> None:
        self._plain.append(text)
        self._length += len(text)

    def open(self, name: str) -> None:
        if self._open is not None:
            raise InvalidAnswer(
                "overlap", f"A {name} mark stands inside a {self._open[0]} mark. Entities must not overlap."
            )
        kind, loose = self._types.named(" ".join(name.split()))
        if loose:
            self._repaired.add("type name")
        self._open, self._depth = (kind, self._length), 0

    def bracket(self, char: str) -> None:
        """Close the mark, or keep a bracket of the text."""
        if char == "]" and self._open is not None and self._depth == 0:
            self._parts.append((*self._open, self._length))
            self._open = None
            return
        self._depth += 1 if char == "[" else -1
        self.add(char)

    def finished(self) -> tuple[str, list[Part], set[str]]:
        if self._open is not None:
            raise InvalidAnswer("marks do not fit", f"A {self._open[0]} mark is never closed. Close it with ].")
        return "".join(self._plain), self._parts, self._repaired


def _placed(text: str, plain: str, parts: Sequence[Part]) -> tuple[tuple[Span, ...], set[str]]:
    """The parts of the plain answer as spans of the text, white space apart."""
    for level in LEVELS:
        if level.tight:
            continue  # all white space is left out anyway
        there, said = view(text, level).dense(), view(plain, level).dense()
        if there.chars == said.chars:
            spaced = level == EXACT and " ".join(plain.split()) != " ".join(text.split())
            spans = tuple(_span(there, said, part) for part in parts)
            return spans, {*level.kinds, *(("white space",) if spaced else ())}
    left = LEFT_OVER.search(plain)
    if left and plain.count("[") > text.count("["):
        raise InvalidAnswer(
            "unknown type", f"{told(left[1])} is not a type that can be marked, or a bracket is not closed."
        )
    raise InvalidAnswer(
        "marks do not fit",
        "Without its marks the answer is not the text. Copy the text word for word, mark entities as [TYPE: words] and "
        r"write brackets of the text itself as \[ and \].",
    )


def _span(there: View, said: View, part: Part) -> Span:
    """A part of the answer as a span of the text."""
    name, start, end = part
    reach = said.reach(start, end)
    place = there.place(*reach) if reach else None
    if place is None:
        kind = "marks do not fit" if reach else "empty"
        raise InvalidAnswer(kind, f"A {name} mark holds no words, or ends inside a character. Mark whole words.")
    return Span(start=place[0], end=place[1], type=name)
