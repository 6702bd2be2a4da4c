"""The real encoder learns people and places, sees capitals, and finds them anywhere in a long text."""

from pathlib import Path

import pytest
import transformers

from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents, load_student
from evokd.tasks.base import Example, Span
from evokd.tasks.entities.tags import SpanPrediction

pytestmark = pytest.mark.slow

PEOPLE = ["Anna Berg", "Tom Hill", "Maria Rossi", "John Stone", "Émile Dupont", "Li Wei"]
PLACES = ["Berlin", "New York", "Madrid", "Oslo", "São Paulo", "Kyoto"]
SHAPES = [
    "{} lives in {}.",
    "Yesterday {} came back from {} by train.",
    "In {1} we met {0}, a friend.",
    "{} 😀 loves {}!",
]
PLAIN = ["the hill above the stone bridge is steep", "we met a friend by the new train", "a stone fell yesterday"]
FILLER = "and then we went on by train for a while without any other news "


def marked(text: str, **names: str) -> Example:
    """An example with the first mention of each name."""
    spans = [Span(start=text.index(name), end=text.index(name) + len(name), type=kind) for kind, name in names.items()]
    return Example(text=text, label=tuple(sorted(spans, key=lambda span: span.start)))


@pytest.fixture(scope="module")
def student() -> TransformerStudent:
    pairs = [(person, place) for i, person in enumerate(PEOPLE) for place in (PLACES[i], PLACES[i - 1])]
    examples = [
        marked(shape.format(person, place), person=person, place=place)
        for i, (person, place) in enumerate(pairs)
        for shape in SHAPES[i % 2 :: 2]
    ]
    examples += [Example(text=text, label=()) for text in PLAIN]
    made = TransformerStudents(StudentSettings(), ("person", "place"), "token").new(seed=0)
    made.fit(examples)
    return made


def found(prediction: object, text: str) -> list[tuple[str, str]]:
    assert isinstance(prediction, SpanPrediction)
    return [(text[s.start : s.end], s.type) for s in prediction.label if isinstance(s, Span)]


CLEAR = {
    "Peter Novak lives in Vienna.": [("Peter Novak", "person"), ("Vienna", "place")],
    "Yesterday Zoé Müller 😀😀 came back from Malmö by train.": [("Zoé Müller", "person"), ("Malmö", "place")],
    "the train came back": [],
}


def test_names_it_never_saw_are_found_at_their_characters(student: TransformerStudent) -> None:
    for (text, expected), prediction in zip(CLEAR.items(), student.predict(list(CLEAR)), strict=True):
        assert found(prediction, text) == expected


def test_it_tells_a_name_by_its_capitals(student: TransformerStudent) -> None:
    name, thing = "we met Stone by train", "we met stone by train"
    assert found(student.predict([name])[0], name) and not found(student.predict([thing])[0], thing)


def test_a_saved_student_says_the_same_and_so_does_a_pipeline(student: TransformerStudent, tmp_path: Path) -> None:
    student.save(tmp_path / "saved")
    texts = list(CLEAR)
    loaded = load_student(tmp_path / "saved")
    assert "^" in loaded.tokenizer.tokenize("Oslo") and "^" not in loaded.tokenizer.tokenize("oslo")
    assert loaded.predict(texts) == student.predict(texts)
    pipeline = transformers.pipeline(
        "token-classification", model=str(tmp_path / "saved"), aggregation_strategy="simple"
    )
    for (text, expected), entities in zip(CLEAR.items(), pipeline(texts), strict=True):
        assert [(text[e["start"] : e["end"]], e["entity_group"]) for e in entities] == expected
    assert [entity["word"] for entity in pipeline("Peter Novak lives in Vienna.")] == ["peter novak", "vienna"]


def test_a_name_is_found_in_the_middle_of_a_long_text(student: TransformerStudent) -> None:
    text = f"{FILLER * 25}. Peter Novak lives in Vienna. {FILLER * 25}"
    assert len(text.split()) > 600
    assert found(student.predict([text])[0], text) == [("Peter Novak", "person"), ("Vienna", "place")]


def test_a_name_across_a_seam_is_one_span(student: TransformerStudent) -> None:
    for words in range(80, 100):  # of 126 pieces a window shares 31 with the next: the seam lies after about 110
        text = f"{' '.join((FILLER * 9).split()[:words])}. Yesterday Peter Novak came back from Vienna by train."
        assert found(student.predict([text])[0], text) == [("Peter Novak", "person"), ("Vienna", "place")]
