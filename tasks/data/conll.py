"""CoNLL files: one token and its tag on a line, an empty line between sentences."""

import re
from collections.abc import Callable, Iterable, Iterator

from ..base import Example
from ..entities.loose_text import joints
from ..entities.scoring import spans_of
from ..entities.tags import encode

DOCUMENT = "-DOCSTART-"
COMMENT = re.compile(r"#\s*[\w.:-]+\s+=\s|#(begin|end) document\b|# ?new(doc|par)\b")
LINE_END = re.compile(r"\r\n|\n|\r")
TAG = re.compile(r"O|[BIESLU]-\S.*")

Sentence = tuple[int, list[str], list[str]]
"""Number of its first line, tokens, tags."""


def read_conll(text: str, complain: Callable[[str, str], None]) -> Iterator[Sentence]:
    """The sentences of a file: the token is in the first column, its tag in the last.

    Columns are apart by tabs if the line has any, else by spaces; other white space belongs to the token. Where every
    line begins with its number in the sentence, the token is in the second column, and of GermEval's four the third is
    the tag (the last has entities inside entities). Documents' headers and comments are left out.

    Args:
        text: of the file, with line ends of any system.
        complain: is called with the place and what is wrong for each line without a token or a tag.
    """
    sentences = list(_sentences(text, complain))
    numbered = _are_numbered(sentences)
    for first, lines in sentences:
        own = [_germeval(columns) for columns in lines] if numbered else lines
        yield first, [columns[0] for columns in own], [columns[-1] for columns in own]


def _sentences(text: str, complain: Callable[[str, str], None]) -> Iterator[tuple[int, list[list[str]]]]:
    """The number of the first line of each sentence, and the columns of its lines, at least two each."""
    first, lines = 0, list[list[str]]()
    for number, line in enumerate([*LINE_END.split(text), ""], start=1):
        columns = _columns(line)
        if columns and (columns[0] == DOCUMENT or _is_comment(line, columns)):
            continue
        if columns and not columns[0]:
            complain(f"line {number}", f"an empty token before {columns[1][:60]!r}. Write one, or take the line out")
        elif len(columns) > 1:
            first = first or number
            lines.append(columns)
        elif columns:
            complain(f"line {number}", f"a token without a tag: {columns[0][:60]!r}")
        elif lines:
            yield first, lines
            first, lines = 0, []


def _are_numbered(sentences: Iterable[tuple[int, list[list[str]]]]) -> bool:
    """Whether lines begin with 1, 2, 3 in every sentence, and go on with a token and a tag."""
    each = [lines for _, lines in sentences]
    return any(len(lines) > 1 for lines in each) and all(
        columns[0] == str(place) and len(columns) > 2 for lines in each for place, columns in enumerate(lines, start=1)
    )


def _germeval(columns: list[str]) -> list[str]:
    """Token and tag of a numbered line."""
    outer = len(columns) == 4 and TAG.fullmatch(columns[2]) and TAG.fullmatch(columns[3])
    return [columns[1], columns[2] if outer else columns[-1]]


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
    """The columns of a line, the first one empty where a tab stands before all others; nothing of a blank line."""
    if not line.strip():
        return []
    if "\t" not in line:
        return [column for column in line.split(" ") if column]
    return [column.strip(" ") for column in line.rstrip("\t ").split("\t")]


def _is_comment(line: str, columns: list[str]) -> bool:
    """Whether a line is `# key = value` and the like, or has a `#` alone in front and no tag at its end."""
    if COMMENT.match(line):
        return True
    return (line.startswith(("# ", "#\t")) or line.strip() == "#") and not TAG.fullmatch(columns[-1])


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
