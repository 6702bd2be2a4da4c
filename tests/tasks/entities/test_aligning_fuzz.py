"""The aligner under fuzz: whatever is answered, spans are valid; what is true is read as it was meant, or refused."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from evokd.tasks.base import InvalidAnswer, Span
from evokd.tasks.entities.alignment import align, say_spans
from evokd.tasks.entities.inline_markup import marked
from evokd.tasks.entities.types import Types
from tests.tasks.spanlike import TYPES, answers, labelled

KINDS = {
    "wrong form", "too long", "empty", "unknown type", "not in the text", "overlap", "ambiguous", "marks do not fit",
}  # fmt: skip
REPAIRS = {"case", "characters", "white space", "punctuation", "repeated mention", "type name"}

EXAMPLES = int(os.environ.get("EVOKD_FUZZ", "100"))
"""Examples of each property; set it to fuzz for longer, with other examples each time."""
FUZZ = settings(max_examples=EXAMPLES, derandomize="EVOKD_FUZZ" not in os.environ, deadline=None)

ALL = Types(TYPES)

Labelled = tuple[str, tuple[Span, ...]]


def quotes(text: str, spans: tuple[Span, ...]) -> list[dict[str, str]]:
    return [{"type": span.type, "text": text[span.start : span.end]} for span in spans]


def check_read(text: str, spans: tuple[Span, ...], answer: object) -> None:
    """A true answer is read as it was meant, or it is said that and why not."""
    try:
        read = align(text, answer, ALL)
    except InvalidAnswer as invalid:
        assert invalid.kind in KINDS
    else:
        assert read.spans == spans or read.repaired


@FUZZ
@given(st.data(), labelled())
def test_spans_are_valid_whatever_is_answered(data: st.DataObject, case: Labelled) -> None:
    text, _ = case
    answer = data.draw(answers(text))
    try:
        spans, repaired = align(text, answer, ALL)
    except InvalidAnswer as invalid:
        assert invalid.kind in KINDS
        assert 0 < len(str(invalid)) < 700
        return
    end = 0
    for span in spans:
        assert end <= span.start < span.end <= len(text), "in order, apart and inside"
        words = text[span.start : span.end]
        assert words == words.strip()
        assert span.type in ALL.names
        end = span.end
    assert set(repaired) <= REPAIRS
    assert list(repaired) == sorted(set(repaired))


@FUZZ
@given(labelled(at_words=True))
def test_true_quotes_are_read_as_meant_or_refused(case: Labelled) -> None:
    text, spans = case
    check_read(text, spans, quotes(text, spans))


@FUZZ
@given(labelled(at_words=True))
def test_true_lines_are_read_as_meant_or_refused(case: Labelled) -> None:
    text, spans = case
    quoted = quotes(text, spans)
    # A line can't quote what it is made of; `say_spans` gives such texts marks.
    if not any(char in each["text"] for each in quoted for char in "|\n[]"):
        check_read(text, spans, " | ".join(f"{each['type']} {each['text']}" for each in quoted) or "none")


@FUZZ
@given(labelled())
def test_marks_are_read_as_meant(case: Labelled) -> None:
    text, spans = case
    if spans:
        assert align(text, marked(text, spans), ALL) == (spans, ())


@FUZZ
@given(labelled())
def test_marks_in_a_plain_copy_are_read_as_meant_or_refused(case: Labelled) -> None:
    text, spans = case
    if any("[" in words or "]" in words for words in (text[span.start : span.end] for span in spans)):
        return  # an unescaped bracket inside a mark: which one closes it can't be known
    copy, place = "", 0
    for span in spans:
        copy += f"{text[place : span.start]}[{span.type}: {text[span.start : span.end]}]"
        place = span.end
    if spans:
        check_read(text, spans, copy + text[place:])


@FUZZ
@given(labelled())
def test_what_is_said_is_read_back_exactly(case: Labelled) -> None:
    text, spans = case
    said = say_spans(text, spans, ALL)
    assert said.splitlines() == [said]
    assert align(text, said, ALL) == (spans, ())


@FUZZ
@given(st.lists(st.sampled_from([*(f"name{i}" for i in range(9)), "\u6771\u4eac", "Zo\u00eb", "U.S."]), unique=True))
def test_names_that_occur_once_are_always_found(names: list[str]) -> None:
    text, spans = "", []
    for number, name in enumerate(names):
        text += "said " if number % 2 else "(to) "
        spans.append(Span(start=len(text), end=len(text) + len(name), type=TYPES[number % 2]))
        text += f"{name} "
    assert align(text, quotes(text, tuple(reversed(spans))), ALL) == (tuple(spans), ())
