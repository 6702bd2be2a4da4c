"""Single labels: F1 by hand, labels in words, what an answer misses."""

from typing import Any

import pytest

from evokd.report.labels import label_f1, slips, told

OSLO = {"start": 0, "end": 4, "type": "PLACE"}
ROME = {"start": 5, "end": 9, "type": "PLACE"}
ANN = {"start": 5, "end": 9, "type": "PERSON"}


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("a", "a"), ("a", "b"), ("b", "b")], {"a": 2 / 3, "b": 2 / 3}),
        ([(["a", "b"], ["a"]), ([], ["b"])], {"a": 1.0, "b": 0.0}),
        ([([OSLO, ROME], [OSLO, ANN])], {"PLACE": 2 / 3, "PERSON": 0.0}),
        ([([], [])], {}),
    ],
)
def test_f1_of_a_label_of_every_kind(pairs: list[tuple[Any, Any]], found: dict[str, float]) -> None:
    assert label_f1(pairs) == pytest.approx(found)


@pytest.mark.parametrize(
    ("label", "words"),
    [("a", "a"), (["a", "b"], "a, b"), ([], "none"), ([OSLO, ANN], "\u201cOslo\u201d PLACE, \u201cAnna\u201d PERSON")],
)
def test_a_label_of_every_kind_in_words(label: Any, words: str) -> None:
    assert told(label, "Oslo Anna") == words


@pytest.mark.parametrize(
    ("label", "said", "found"),
    [
        ("a", "a", ([], [])),
        ("a", "b", (["a"], ["b"])),
        (["a", "b"], ["b", "c"], (["a"], ["c"])),
        ([OSLO, ROME], [OSLO, ANN], (["PLACE"], ["PERSON"])),
        ([OSLO, ROME], [], (["PLACE", "PLACE"], [])),
    ],
)
def test_what_an_answer_misses_and_says_wrongly(label: Any, said: Any, found: Any) -> None:
    assert slips(label, said) == found
