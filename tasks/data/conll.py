"""CoNLL files: one token and its tag on a line, an empty line between sentences."""

import re
from collections.abc import Callable, Iterable, Iterator

from ..base import Example
from ..entities.loose_text import joints
from ..entities.scoring import spans_of
from ..entities.tags import encode

DOCUMENT = "-DOCSTART-"
TAG = re.compile(r"O|[BIESLU]-\S.*")

Sentence = tuple[int, list[str], list[str]]
"""Number of its first line, tokens, tags."""


def read_conll(text: str, complain: Callable[[str, str], None]) -> Iterator[Sentence]:
    """The sentences of a file: the token is in the first column, its tag in the last.

    Columns are apart by tabs if the line has any, else by spaces. Documents' headers are left out, and comments: a `#`
    alone or with a space after it, where the last column is no tag.

    Args:
        text: of the file.
        complain: is called with the place and what is wrong for each line without a tag.
    """
    first, tokens, tags = 0, list[str](), list[str]()
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        columns = _columns(line)
        if columns and (columns[0] == DOCUMENT or _is_comment(columns)):
            continue
        if len(columns) > 1:
            first = first or number
            tokens.append(columns[0])
            tags.append(columns[-1])
        elif columns:
            complain(f"line {number}", f"a token without a tag: {columns[0][:60]!r}")
        elif tokens:
            yield first, tokens, tags
            first, tokens, tags = 0, [], []


def write_conll(examples: Iterable[Example]) -> Iterator[str]:
    """The lines of a CoNLL file, without line ends: a token, a tab and its BIO tag; an empty line after each text.

    Words, and every other visible character, are tokens of their own; a span begins and ends with a token.
    """
    for example in examples:
        spans = spans_of(example.label)
        words = _tokens(example.text, {place for span in spans for place in (span.start, span.end)})
        for (start, end), tag in zip(words, encode(spans, words), strict=True):
            yield f"{example.text[start:end]}\t{tag}"
        yield ""


def _columns(line: str) -> list[str]:
    if "\t" in line:
        return [column.strip() for column in line.split("\t") if column.strip()]
    return line.split()


def _is_comment(columns: list[str]) -> bool:
    return columns[0] == "#" and not (len(columns) > 1 and TAG.fullmatch(columns[-1]))


def _tokens(text: str, edges: set[int]) -> list[tuple[int, int]]:
    """Places of the tokens of a text, cut at the edges of spans."""
    joined = joints(text)
    places: list[tuple[int, int]] = []
    start = 0
    for place in range(1, len(text) + 1):
        if not joined[place] or place in edges or text[place - 1].isspace() or text[place : place + 1].isspace():
            if not text[start:place].isspace():
                places.append((start, place))
            start = place
    return places
