import math

import pytest

from evokd.tasks.base import Abstained, Example, Prediction
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.classification import Classification

MUSIC = Classification("", {"PlayMusic": "", "play-list": "", "C": "", "C++": "", "Été": "", "天気": ""})


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("PlayMusic", "PlayMusic"),
        (" play music.\n", "PlayMusic"),
        ("PLAY_MUSIC", "PlayMusic"),
        ('"Play List"', "play-list"),
        ("\uff30lay\u200b\uff2dusic", "PlayMusic"),
        ("C", "C"),
        ("C++", "C++"),
        ("ÉTÉ", "Été"),
        ("e\u0301te\u0301", "Été"),
        ("「天気」", "天気"),
    ],
)
def test_reads_exact_then_loose(answer: str, label: str) -> None:
    assert MUSIC.read("t", answer).label == label


@pytest.mark.parametrize("answer", ["...", "", "play", "Ete", 7, True, None, ["C"], "x" * 10_000])
def test_refuses_what_is_no_label(answer: object) -> None:
    with pytest.raises(ValueError, match="is not one of the labels") as error:
        MUSIC.read("t", answer)
    assert str(error.value).endswith("Answer with exactly one of: PlayMusic, play-list, C, C++, Été, 天気, drop.")
    assert len(str(error.value)) < 300


def test_labels_that_are_numbers_are_read_as_numbers() -> None:
    stars = Classification("", {"1": "", "2": "", "10": ""})
    assert [stars.read("t", answer).label for answer in (1, "2", 10)] == ["1", "2", "10"]
    for answer in (3, True, 1.0):
        with pytest.raises(ValueError, match="is not one of the labels"):
            stars.read("t", answer)


@pytest.mark.parametrize("answer", ["drop", "Drop.", " DROP "])
def test_drop_gives_the_text_up(answer: str) -> None:
    with pytest.raises(Abstained, match="two classes fit or none"):
        MUSIC.read("t", answer)


def test_a_loose_answer_that_fits_two_labels_is_refused() -> None:
    task = Classification("", {"A.B": "", "A-B": "", "other": ""}, say={"A-B": "minus"})
    assert task.read("t", "A.B").label == "A.B"
    with pytest.raises(ValueError, match="'ab' is not one of the labels"):
        task.read("t", "ab")


def test_describe_and_schema() -> None:
    task = Classification(" News topics.\n", {"Sport": "games", "Other": ""})
    assert task.describe() == "News topics.\nLabels:\n- Sport: games\n- Other"
    assert task.answer_schema() == {"type": "string", "enum": ["Sport", "Other", "drop"]}
    assert list(task.labels.items()) == [("Sport", "games"), ("Other", "")]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("PlayMusic", "play music"),
        ("play_music", "play music"),
        ("play-music--now", "play music now"),
        ("HTTPError", "http error"),
        ("SCREAMING_CASE", "screaming case"),
        ("B2B", "b2b"),
        ("top10Songs", "top10 songs"),
        ("ÉtéIndien", "été indien"),
        ("天気", "天気"),
        ("__", "__"),
        ("Sci/Tech", "sci/tech"),
    ],
)
def test_choices_split_names(name: str, word: str) -> None:
    assert Classification("", {name: "", "zzz": ""}).choices() == {name: word, "zzz": "zzz"}


def test_say_wins_over_the_name() -> None:
    assert Classification("", {"LABEL_0": "", "b": ""}, say={"LABEL_0": "Negative"}).choices()["LABEL_0"] == "Negative"


@pytest.mark.parametrize(
    ("labels", "say", "message"),
    [
        ({}, {}, "at least two labels, got 0"),
        ({"a": ""}, {}, "at least two labels, got 1"),
        ({"a": "", "A": ""}, {}, "'a' and 'A' are the same but for case"),
        ({"ß": "", "SS": ""}, {}, "same but for case"),
        ({"a": "", "": ""}, {}, "Label '' is empty"),
        ({"a": "", " \t": ""}, {}, "is empty"),
        ({"a": "", "b ": ""}, {}, "white space"),
        ({"a": "", "Drop": ""}, {}, "'Drop' is an answer of another meaning"),
        ({"a": "", "b\nc": ""}, {}, "control character"),
        ({"a": "", "b\u2028c": ""}, {}, "control character"),
        ({"a": "", "b\ud800": ""}, {}, "control character"),
        ({"a": "", "x" * 101: ""}, {}, "101 characters; at most 100"),
        ({"a": "", "\u202eb": ""}, {}, "control character"),
        ({"a": "", "b": ""}, {"c": "x"}, "'c' is not known. Allowed: a, b"),
        ({"a": "", "b": ""}, {"a": " "}, "`say` for label 'a' is empty"),
        ({"a": "", "b": ""}, {"a": "B"}, "'a' and 'b' are both said"),
    ],
)
def test_bad_labels_are_one_line_errors(labels: dict[str, str], say: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        Classification("", labels, say)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_loss_is_clipped_and_takes_the_hard_label() -> None:
    task = Classification("", {"a": "", "b": ""})
    example = Example(text="t", label="a", soft={"a": 0.5, "b": 0.5})

    def loss(probability: float) -> float:
        return task.loss(example, Prediction(label="a", probability=0.5, probabilities={"a": probability}))

    assert loss(0.5) == pytest.approx(math.log(2))
    assert loss(0.0) == loss(1e-9) == loss(math.nan) == pytest.approx(13.8155, abs=1e-3)
    assert loss(1.0000001) == 0
    assert task.loss(example, Prediction(label="b", probability=1, probabilities={})) == loss(0.0)


def test_a_tie_goes_to_the_label_voted_first() -> None:
    task = Classification("", {"a": "", "b": "", "c": ""})
    assert task.settle(["c", "a"]).label == "c"
    assert task.settle(["c", "a", "b"]).confidence == pytest.approx(1 / 3)


def test_a_certain_probability_needs_no_soft_label() -> None:
    aggregate = Classification("", {"a": "", "b": ""}).settle_soft({"b": 2.0})
    assert (aggregate.label, aggregate.confidence, aggregate.soft) == ("b", 1.0, None)


def test_macro_f1_weighs_classes_alike() -> None:
    task = Classification("", {"a": "", "b": "", "c": ""})
    says_a = Prediction(label="a", probability=1, probabilities={"a": 1.0})
    scores = task.score(["a", "a", "a", "b"], [says_a] * 4)
    assert scores == {"accuracy": 0.75, "macro_f1": pytest.approx((6 / 7 + 0) / 2)}
