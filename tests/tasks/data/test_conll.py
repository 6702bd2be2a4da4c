"""CoNLL files in and out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evokd.tasks.base import Example, Span
from evokd.tasks.data.conll import read_conll, write_conll
from evokd.tasks.entities.cells import from_tags
from evokd.tasks.entities.types import Types
from tests.tasks.spanlike import TYPES, labelled

FILE = """-DOCSTART- -X- -X- O

# id = 7
EU NNP B-NP B-ORG
rejects VBZ B-VP O
Rome NNP B-NP I-LOC

#\tO
Rome\t\tB-LOC
# comment
## O


"""


def no_complaint(place: str, what: str) -> None:
    raise AssertionError((place, what))


def test_reads_the_first_and_the_last_column() -> None:
    assert list(read_conll(FILE, no_complaint)) == [
        (4, ["EU", "rejects", "Rome"], ["B-ORG", "O", "I-LOC"]),
        (8, ["#", "Rome", "##"], ["O", "B-LOC", "O"]),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "-DOCSTART- O\n\n", "# only = this"])
def test_nothing_is_no_sentence(text: str) -> None:
    assert list(read_conll(text, no_complaint)) == []


def test_line_ends_of_windows_and_no_line_end_at_the_end() -> None:
    assert list(read_conll("a O\r\n\r\nb B-LOC", no_complaint)) == [(1, ["a"], ["O"]), (3, ["b"], ["B-LOC"])]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(line_end: str) -> None:
    text = line_end.join(["a O", "", "b O", "c B-LOC", ""])
    assert list(read_conll(text, no_complaint)) == [(1, ["a"], ["O"]), (3, ["b", "c"], ["O", "B-LOC"])]


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u202f", "\u2009", "\u2028", "\x85"])
def test_only_spaces_and_tabs_part_columns(space: str) -> None:
    token = f"10{space}000"
    for text in (f"{token} B-X", f"{token}\tB-X", f"{token}  NN   B-X  "):
        assert list(read_conll(text, no_complaint)) == [(1, [token], ["B-X"])]
    assert list(read_conll(f"a O\n{space}\nb O", no_complaint))[1][0] == 3, "a line of white space is an empty one"


def test_numbered_lines_have_the_token_second() -> None:
    germeval = "#\thttp://example.org [2009]\n1\tAnn\tB-PER\tO\n2\tOslos\tI-PER\tB-LOC\n\n1\tx\tO\tO\n"
    assert list(read_conll(germeval, no_complaint)) == [(2, ["Ann", "Oslos"], ["B-PER", "I-PER"]), (5, ["x"], ["O"])]
    five = "1 Ann NNP _ B-PER\n2 ran VBD _ O"
    assert list(read_conll(five, no_complaint)) == [(1, ["Ann", "ran"], ["B-PER", "O"])]
    scores = "1 CD O\n2 CD O\n\n3 CD O\n1 CD O"
    assert [tokens for _, tokens, _ in read_conll(scores, no_complaint)] == [["1", "2"], ["3", "1"]]
    assert [tokens for _, tokens, _ in read_conll("1 CD O\n\n1 CD O", no_complaint)] == [["1"], ["1"]]
    assert [tokens for _, tokens, _ in read_conll("1 O\n2 O", no_complaint)] == [["1", "2"]]


@pytest.mark.parametrize(
    "comment",
    [
        "# id 5a0c-11\tdomain=en",
        "# text = Vitamin O",
        "# sent_id = B-1",
        "#begin document (x); part 000",
        "#end document",
        "# newpar",
        "#",
        "#\thttp://x",
    ],
)
def test_comments_are_left_out(comment: str) -> None:
    assert list(read_conll(f"{comment}\na O\n", no_complaint)) == [(2, ["a"], ["O"])]


def test_hashes_with_tags_are_tokens() -> None:
    text = "# O\n#\tNN\tO\n#Oslo B-LOC\n#begin O\n"
    assert [tokens for _, tokens, _ in read_conll(text, no_complaint)] == [["#", "#", "#Oslo", "#begin"]]


def test_an_empty_token_is_named() -> None:
    said: list[tuple[str, str]] = []
    list(read_conll("Ann\tNNP\tB-PER\n\tSYM\tO\nLee\tNNP\t\n", lambda place, what: said.append((place, what))))
    assert said == [("line 2", "an empty token before 'SYM'. Write one, or take the line out")]


def test_a_token_without_a_tag_is_named() -> None:
    said: list[tuple[str, str]] = []
    found = list(read_conll("a O\nRome\nb O\n", lambda place, what: said.append((place, what))))
    assert said == [("line 2", "a token without a tag: 'Rome'")]
    assert found == [(1, ["a", "b"], ["O", "O"])]


def test_writes_words_and_signs_as_tokens() -> None:
    text = "O'Brien, of U.S.-based Zoe\u0301 (\u6771\u4eac\u90fd)\n\U0001f468\u200d\U0001f469"
    tokyo = text.index("\u6771\u4eac")
    spans = (Span(start=0, end=7, type="PER"), Span(start=tokyo, end=tokyo + 2, type="LOC"))
    written = list(write_conll([Example(text=text, label=spans), Example(text="b", label=())]))
    assert written == [
        *("O\tB-PER", "'\tI-PER", "Brien\tI-PER", ",\tO", "of\tO", "U\tO", ".\tO", "S\tO", ".\tO", "-\tO", "based\tO"),
        *(
            "Zoe\u0301\tO",
            "(\tO",
            "\u6771\tB-LOC",
            "\u4eac\tI-LOC",
            "\u90fd\tO",
            ")\tO",
            "\U0001f468\u200d\U0001f469\tO",
        ),
        *("", "b\tO", ""),
    ]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(labelled(), max_size=3))
def test_what_is_written_is_read_back(cases: list[tuple[str, tuple[Span, ...]]]) -> None:
    kept = [(text, spans) for text, spans in cases if text.strip()]
    written = "\n".join(write_conll(Example(text=text, label=spans) for text, spans in kept))
    sentences = list(read_conll(written, no_complaint))
    assert len(sentences) == len(kept)
    for (text, spans), (_, tokens, tags) in zip(kept, sentences, strict=True):
        assert "".join(tokens) == "".join(text.split()), "no character is lost"
        joined = " ".join(tokens)
        read = from_tags(joined, tags, Types(TYPES))
        assert [each.type for each in read] == [each.type for each in spans]
        for ours, theirs in zip(read, spans, strict=True):
            assert joined[ours.start : ours.end].replace(" ", "") == "".join(text[theirs.start : theirs.end].split())
