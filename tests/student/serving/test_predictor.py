"""Texts in, predictions out: whatever is handed in, and one line for what is no text."""

import math
from typing import Any

import numpy as np
import pytest

from evokd.student.serving.predictor import Predictor
from evokd.tasks.base import Example
from evokd.tasks.errors import ConfigError
from evokd.testing import WordStudent, world


@pytest.fixture
def predictor() -> Predictor:
    student = WordStudent(list(world.VOCABULARY))
    student.fit([Example(text=text, label=label) for label, text in world.SEEDS.items()])
    return Predictor(student)


TEXTS = ["soup with bread", "a planet and its orbit", "soup with bread"]


@pytest.mark.parametrize(
    "given", [TEXTS, tuple(TEXTS), iter(TEXTS), (text for text in TEXTS), np.array(TEXTS), np.array(TEXTS, object)]
)
def test_any_iterable_of_strings_is_labelled_in_order(given: Any, predictor: Predictor) -> None:
    assert [prediction.label for prediction in predictor.predict(given)] == ["food", "science", "food"]


def test_no_texts_have_no_predictions(predictor: Predictor) -> None:
    assert predictor.predict([]) == predictor.predict(iter(())) == []


@pytest.mark.parametrize("odd", ["", " ", "\ud83d half", "\x00", "😀" * 5000])
def test_odd_texts_are_labelled_too(odd: str, predictor: Predictor) -> None:
    [prediction] = predictor.predict([odd])
    assert prediction.label in world.VOCABULARY and 0 <= prediction.probability <= 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "is None, a NoneType"), (math.nan, "is nan, a float"), (3, "is 3, a int"),
        (b"soup", "is b'soup', a bytes"),
        (["soup"], r"is \['soup'\], a list"), (np.float64("nan"), r"is np.float64\(nan\), a float64"),
    ],
)  # fmt: skip
def test_what_is_no_string_is_named_before_anything_is_labelled(wrong: Any, said: str, predictor: Predictor) -> None:
    asked: list[Any] = []
    predictor.student.predict = asked.append  # type: ignore[method-assign,assignment]
    with pytest.raises(ConfigError, match=rf"^text 2 \(counted from 0\) {said}, not a string\. Drop such rows"):
        predictor.predict(["soup", "bread", wrong])
    assert asked == []


@pytest.mark.parametrize("wrong", ["soup with bread", b"soup", None, 3])
def test_a_single_text_is_not_taken_for_a_list_of_letters(wrong: Any, predictor: Predictor) -> None:
    with pytest.raises(ConfigError, match=r"^predict takes a list of strings, not .* predict\(\[text\]\)"):
        predictor.predict(wrong)
