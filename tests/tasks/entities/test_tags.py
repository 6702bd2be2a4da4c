"""Spans as tags of words and back, and what a student says of spans."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evokd.tasks.base import Span
from evokd.tasks.entities.tags import Place, SpanPrediction, Word, decode, encode, tags_of

TYPES = ("ORG", "LOC", "my-type")


def words_of(text: str) -> list[Place]:
    places, start = [], 0
    for word in text.split(" "):
        places.append((start, start + len(word)))
        start += len(word) + 1
    return places


TEXT = "The Bank of Greece met Rome Athens today"
WORDS = words_of(TEXT)


def span(words: str, name: str = "ORG", text: str = TEXT) -> Span:
    start = text.index(words)
    return Span(start=start, end=start + len(words), type=name)


def test_tags_of_types() -> None:
    assert tags_of(["ORG", "LOC"]) == ["O", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
    assert tags_of([]) == ["O"]


def test_encodes_whole_words() -> None:
    spans = [span("Bank of Greece"), span("Rome", "LOC"), span("Athens", "LOC")]
    tags = ["O", "B-ORG", "I-ORG", "I-ORG", "O", "B-LOC", "B-LOC", "O"]
    assert encode(spans, WORDS) == tags
    assert encode(spans[::-1], WORDS) == tags
    assert [found for found, _ in decode(tags, WORDS)] == spans
    assert decode(tags, WORDS)[0][1] == [1, 2, 3]


def test_a_word_belongs_to_the_span_that_covers_a_part_of_it_the_earlier_of_two() -> None:
    assert encode([span("nk of Gre")], WORDS)[1:4] == ["B-ORG", "I-ORG", "I-ORG"]
    assert encode([span("Ro"), span("me", "LOC")], WORDS)[5] == "B-ORG"
    assert encode([span("met Ro"), span("me Athens", "LOC")], WORDS)[4:7] == ["B-ORG", "I-ORG", "B-LOC"]
    assert encode([span("Rome")], []) == []


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("I-ORG I-ORG O", ["ORG:The Bank"]),  # IOB1
        ("I-ORG I-LOC O", ["ORG:The", "LOC:Bank"]),
        ("B-ORG B-ORG I-ORG", ["ORG:The", "ORG:Bank of"]),
        ("O I-ORG O I-ORG", ["ORG:Bank", "ORG:Greece"]),
        ("B-my-type I-my-type O", ["my-type:The Bank"]),
        ("O O", []),
        ("", []),
    ],
)
def test_decodes_what_students_write(tags: str, spans: list[str]) -> None:
    found = decode(tags.split(), WORDS)
    assert [f"{each.type}:{TEXT[each.start : each.end]}" for each, _ in found] == spans


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(tags_of(TYPES)), max_size=12))
def test_tags_survive_a_round_trip_as_spans(tags: list[str]) -> None:
    words = [(5 * number, 5 * number + 4) for number in range(len(tags))]
    spans = [each for each, _ in decode(tags, words)]
    again = encode(spans, words)
    assert [each for each, _ in decode(again, words)] == spans
    assert [tag == "O" for tag in again] == [tag == "O" for tag in tags]


def test_a_prediction_prints_its_spans() -> None:
    prediction = SpanPrediction(
        label=(span("Rome", "LOC"),),
        probability=0.5,
        probabilities={},
        certainty=(0.876543,),
        words=(
            Word(start=0, end=3, shares={"O": 0.9, "B-LOC": 0.1}),
            Word(start=23, end=27, shares={"O": 0.3, "B-LOC": 0.6, "I-LOC": 0.1}),
        ),
    )
    row = {"start": 23, "end": 27, "type": "LOC", "text": "Rome", "probability": 0.8765}
    assert prediction.row(TEXT) == {"spans": [row]}
    assert prediction.margin == pytest.approx(0.3)


def test_no_words_are_no_doubt() -> None:
    empty = SpanPrediction(label=(), probability=1.0, probabilities={})
    assert empty.margin == 1.0
    assert empty.row(" ") == {"spans": []}


def test_a_span_is_not_empty() -> None:
    for start, end in ((3, 3), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=r"."):
            Span(start=start, end=end, type="ORG")
