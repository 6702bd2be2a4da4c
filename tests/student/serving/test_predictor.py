"""Texts in, predictions out: whatever is handed in, and one line for what is no text."""

import logging
import math
from collections.abc import Iterator
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evokd.student.serving.confidence import Confidence
from evokd.student.serving.predictor import AT_ONCE, Predictor
from evokd.tasks.base import Example, Prediction
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.label_sets import LabelsPrediction
from evokd.testing import WordLabelsStudent, WordSpansStudent, WordStudent, world


@pytest.fixture
def predictor() -> Predictor:
    student = WordStudent(list(world.VOCABULARY))
    student.fit([Example(text=text, label=label) for label, text in world.SEEDS.items()])
    return Predictor(student)


TEXTS = ["soup with bread", "a planet and its orbit", "soup with bread"]


@pytest.mark.parametrize(
    "make",
    [
        list, tuple, iter, np.array, lambda texts: (text for text in texts), lambda texts: np.array(texts, object),
        pd.Series, lambda texts: pd.Series(texts, index=[7, 8, 7], dtype="category"),
        lambda texts: pd.Series(texts, dtype="string"), pa.array,
        lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
        lambda texts: datasets.Dataset.from_dict({"text": texts})["text"],
    ],
)  # fmt: skip
def test_any_column_of_strings_is_labelled_in_order(make: Any, predictor: Predictor) -> None:
    for ask in (predictor.predict, predictor.stream):
        assert [prediction.label for prediction in ask(make(TEXTS))] == ["food", "science", "food"]


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
    with pytest.raises(ConfigError, match=rf"^text 2 \(counted from 0\) {said}, not a string\. (Leave|Take)"):
        predictor.predict(["soup", "bread", wrong])
    assert asked == []


@pytest.mark.parametrize("wrong", ["soup with bread", b"soup", None, 3])
def test_a_single_text_is_not_taken_for_a_list_of_letters(wrong: Any, predictor: Predictor) -> None:
    with pytest.raises(ConfigError, match=r"^predict takes a list of strings, not .* predict\(\[text\]\)"):
        predictor.predict(wrong)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"text": TEXTS}),
        pa.table({"text": TEXTS}),
        datasets.Dataset.from_dict({"text": TEXTS}),
        {"text": TEXTS},
    ],
)
def test_a_whole_table_is_not_taken_for_the_names_of_its_columns(table: Any, predictor: Predictor) -> None:
    with pytest.raises(
        ConfigError, match=r'^predict takes one column, .*predict\(table\["text"\]\)\. Its columns: text\.$'
    ):
        predictor.predict(table)


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, pd.NaT])
def test_missing_texts_are_counted_and_what_helps_is_told(missing: Any, predictor: Predictor) -> None:
    column = pd.Series(["soup", missing, "bread", missing, missing, missing], dtype=object)
    with pytest.raises(ConfigError) as refused:
        predictor.predict(column)
    said = str(refused.value)
    assert said.startswith("text 1 (counted from 0) is ") and said.endswith('.fillna("").')
    assert "like 4 of 6 values (first at 1, 3, 4, ...)" in said


def test_a_stream_reads_only_as_far_as_it_must_and_keeps_the_order(predictor: Predictor) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "soup with bread" if read % 2 else "a planet and its orbit"

    stream = predictor.stream(endless())
    assert read == 0
    assert [next(stream).label for _ in range(3)] == ["food", "science", "food"] and read == AT_ONCE
    long = predictor.stream(iter(["x" * (1 << 20), "soup with bread"]))
    assert len(list(long)) == 2


def test_a_stream_answers_what_comes_before_a_value_that_is_no_text(predictor: Predictor) -> None:
    stream = predictor.stream(iter(["soup with bread", None, "soup"]))  # type: ignore[list-item]
    assert next(stream).label == "food"
    with pytest.raises(ConfigError, match=r"^text 1 \(counted from 0\) is None"):
        next(stream)


def test_many_texts_are_asked_in_batches_of_about_one_length_with_progress(predictor: Predictor) -> None:
    asked: list[list[int]] = []
    answer = predictor.student.predict

    def recording(texts: Any) -> list[Prediction]:
        asked.append([len(text) for text in texts])
        return answer(texts)

    predictor.student.predict = recording  # type: ignore[method-assign,assignment]
    texts = [" ".join([word] * (number % 50)) for number in range(600) for word in ("soup", "orbit")]
    seen: list[tuple[int, int]] = []
    said = predictor.predict(texts, progress=lambda done, total: seen.append((done, total)))
    assert [max(batch) for batch in asked[:-1]] <= [min(batch) for batch in asked[1:]]
    assert seen == [(AT_ONCE, 1200), (2 * AT_ONCE, 1200), (1200, 1200)]
    assert said == answer(texts)


def test_probabilities_are_an_array_with_a_column_for_each_class(predictor: Predictor) -> None:
    found = predictor.predict_proba(TEXTS)
    assert found.shape == (3, 4) and found.dtype == np.float64 and np.allclose(found.sum(axis=1), 1)
    assert predictor.classes_.tolist() == list(world.VOCABULARY)
    assert predictor.classes_[found.argmax(axis=1)].tolist() == ["food", "science", "food"]
    assert predictor.predict_proba([]).shape == (0, 4)


def test_several_labels_have_columns_of_their_own() -> None:
    student = WordLabelsStudent(["price", "speed"])
    student.fit([Example(text="cheap and quick", label=("price", "speed")), Example(text="rain", label=())])
    assert np.all(Predictor(student).predict_proba(["cheap and quick"]) > 0.9)


def test_entities_have_no_columns_and_are_not_abstained_from() -> None:
    predictor = Predictor(WordSpansStudent(["PLACE"]))
    for ask in (predictor.predict_proba, lambda texts: predictor.predict(texts, abstain=0.05)):
        with pytest.raises(ConfigError, match=r"^this student finds entities, .* Use predict: .* in `certainty`\.$"):
            ask(["Oslo"])


def test_the_temperature_is_applied_and_changes_no_label(predictor: Predictor) -> None:
    flat = Predictor(predictor.student, Confidence(temperature=3.0))
    for one, other in zip(predictor.predict(TEXTS), flat.predict(TEXTS), strict=True):
        assert one.label == other.label and other == one.at_temperature(3.0) and other.probability < one.probability
    assert flat.predict_proba(TEXTS).max() < predictor.predict_proba(TEXTS).max()


def test_what_is_too_unsure_is_marked_and_its_label_is_a_guess(predictor: Predictor) -> None:
    sure, unsure = predictor.predict(["soup with bread", "a nothing"])
    assert sure.probability > unsure.probability
    between = (sure.probability + unsure.probability) / 2
    known = Confidence(source="dev", confidences=(*[between] * 30, *[0.1] * 30), right=(*[True] * 30, *[False] * 30))
    predictor = Predictor(predictor.student, known)
    sure, unsure = predictor.predict(["soup with bread", "a nothing"], abstain=0.05)
    assert (sure.abstained, unsure.abstained) == (False, True)
    assert sure.row("x")["label"] == "food" and "guess" not in sure.row("x")
    assert unsure.row("x")["label"] is None and unsure.row("x")["guess"] == unsure.label
    assert not any(each.abstained for each in predictor.predict(["soup with bread", "a nothing"]))
    with pytest.raises(ConfigError, match=r"^abstain = 0\.01 cannot be reached"):
        predictor.stream(["soup"], abstain=0.01)  # at once, not with the first text


def test_sets_hold_every_label_that_is_probable_enough_by_the_raw_probabilities(predictor: Predictor) -> None:
    rows = {"source": "dev", "temperature": 5.0, "of_label": (0.2,) * 100}
    predictor = Predictor(predictor.student, Confidence.model_validate(rows))
    for said in predictor.predict(["soup with bread", "a nothing", "the"], sets=0.1):
        [raw] = predictor.student.predict(["soup with bread"]) if said.label == "food" else [None]
        assert said.possible[0] == said.label
        if raw is not None:
            assert said.possible == tuple(name for name, share in raw.probabilities.items() if share >= 0.2)
            assert said.row("x")["possible"] == ["food"]


def test_texts_that_were_cut_are_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    class Short(WordLabelsStudent):
        def predict(self, texts: Any) -> list[Prediction]:
            found = super().predict(texts)
            return [
                LabelsPrediction(**each.model_dump() | {"cut": len(t) > 9})
                for t, each in zip(texts, found, strict=True)
            ]

    with caplog.at_level(logging.WARNING):
        said = Predictor(Short(["price"])).predict(["a" * 12, "b", "c" * 20])
    assert len(caplog.messages) == 1 and caplog.messages[0].startswith(
        "2 of 3 texts are longer than the student reads "
    )
    assert [each.row("x").get("cut") for each in said] == [True, None, True]
