"""Several labels at once: what the teacher may answer, what votes come to, and how it is scored."""

import math
from typing import Any

import pytest
from sklearn.metrics import f1_score

from evokd.tasks.base import Abstained, Example, InvalidAnswer, Label, Prediction
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.multilabel import MultiLabel
from evokd.tasks.metrics import pooled

TASK = MultiLabel("What a review is about.", {"price": "money", "Fast Speed": "", "bugs": "crashes"})


def predicted(**probabilities: float) -> Prediction:
    names = {"price": "price", "speed": "Fast Speed", "bugs": "bugs"}
    shares = {names[name]: p for name, p in probabilities.items()}
    label = tuple(name for name in TASK.labels if shares[name] >= 0.5)
    return Prediction(label=label, probability=0.5, probabilities=shares)


@pytest.mark.parametrize(
    ("answer", "label", "repaired"),
    [
        ([], (), False),
        (["bugs", "price"], ("price", "bugs"), False),
        (["bugs", "bugs"], ("bugs",), False),
        ("price, bugs", ("price", "bugs"), False),
        ("none", (), False),
        ("[]", (), False),
        (["PRICE.", "fast_speed"], ("price", "Fast Speed"), True),
    ],
)
def test_reads_lists_and_lines_in_the_users_order(answer: object, label: Label, repaired: bool) -> None:
    reading = TASK.read("t", answer)
    assert reading.label == label and bool(reading.repaired) is repaired


def test_names_that_differ_in_punctuation_come_back_from_a_line() -> None:
    task = MultiLabel("", {"C": "", "C#": "", "F#": ""})
    assert task.read("t", task.say("t", ("C", "C#"))).label == ("C", "C#")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (["cost"], "unknown label"),
        ([3], "unknown label"),
        ([["price"]], "unknown label"),
        (["none", "price"], "contradiction"),
        ({"price": 1}, "not a list"),
        (None, "not a list"),
        ("", "empty"),
        (" , ", "empty"),
        (True, "not a list"),
    ],
)
def test_what_does_not_fit_is_told_by_kind(answer: object, kind: str) -> None:
    with pytest.raises(InvalidAnswer) as error:
        TASK.read("t", answer)
    assert error.value.kind == kind


def test_drop_gives_the_text_up() -> None:
    for answer in (["drop"], "drop", ["Drop"]):
        with pytest.raises(Abstained):
            TASK.read("t", answer)


def test_gold_cells() -> None:
    assert TASK.gold("t", "") == ()
    assert TASK.gold("t", ["bugs"]) == ("bugs",) and TASK.gold("t", None) == () and TASK.gold("t", "price,bugs") == (
        "price", "bugs"
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"is \['cost'\], which is not a list of: 'price', 'Fast Speed', 'bugs'"):
        TASK.gold("t", ["cost"])


def test_votes_settle_every_label_alone() -> None:
    aggregate = TASK.settle([("price", "bugs"), ("price",), ("price",)])
    assert aggregate.label == ("price",) and aggregate.confidence == pytest.approx(2 / 3)
    assert aggregate.soft == {"price": 1.0, "Fast Speed": 0.0, "bugs": pytest.approx(1 / 3)}
    assert TASK.settle([("bugs",), ("bugs",)]).confidence == 1.0
    assert TASK.settle([("bugs",), ()]).label == (), "a tie is no majority"


def test_probabilities_of_one_answer_give_the_top_label_and_close_ones() -> None:
    assert TASK.settle_soft({"price": 0.5, "bugs": 0.4, "Fast Speed": 0.1}).label == ("price", "bugs")
    assert TASK.settle_soft({"price": 6, "bugs": 2, "Fast Speed": 2}).label == ("price",)
    assert TASK.settle_soft({"price": 6, "bugs": 2, "Fast Speed": 2}).confidence == pytest.approx(0.6)
    assert TASK.settle_soft({"price": 0.3, "none": 0.6}).label == (), "none of them is an answer too"
    for bad in ({"price": -1.0}, {"price": float("nan")}, {"price": 0.0}):
        with pytest.raises(ValueError, match="robab"):
            TASK.settle_soft(bad)


def test_loss_is_that_of_all_labels_and_never_infinite() -> None:
    example = Example(text="t", label=("price",))
    assert TASK.loss(example, predicted(price=0.8, speed=0.5, bugs=0.1)) == pytest.approx(-math.log(0.8 * 0.5 * 0.9))
    assert TASK.loss(example, predicted(price=0.0, speed=1.0, bugs=float("nan"))) == pytest.approx(3 * math.log(1e6))


def test_scores_agree_with_scikit_learn_and_with_the_points() -> None:
    gold: list[Label] = [("price",), ("bugs", "price"), (), ("Fast Speed",)]
    said = [predicted(price=p, speed=s, bugs=b) for p, s, b in ((0.9, 0.6, 0), (0.9, 0, 0), (0, 0, 0.7), (0, 0.9, 0))]
    scores = TASK.score(gold, said)
    right = [[name in label for name in TASK.labels] for label in gold]
    found = [[name in prediction.label for name in TASK.labels] for prediction in said]
    assert scores["micro_f1"] == pytest.approx(f1_score(right, found, average="micro"))
    assert scores["f1 price"] == 1.0 and scores["exact"] == 0.25
    points = [TASK.points(label, prediction.label) for label, prediction in zip(gold, said, strict=True)]
    assert pooled(points).value == pytest.approx(scores["micro_f1"])


def test_mistakes_name_what_was_missed_and_what_is_not_there() -> None:
    assert TASK.mistakes(("price", "bugs"), ("price", "Fast Speed")) == (("bugs", "nothing"), ("nothing", "Fast Speed"))
    assert TASK.mistakes(("price",), ("price",)) == ()


def test_breadth_asks_for_texts_without_a_label_too() -> None:
    target_classes = TASK.target_classes(())
    assert target_classes["none"] == 0.15 and sum(target_classes.values()) == pytest.approx(1)
    many = [Example(text=f"t{i}", label=() if i < 5 else ("price",), split="seed") for i in range(25)]
    assert TASK.target_classes(many)["none"] == pytest.approx(0.2)
    assert TASK.fits("none", ()) and not TASK.fits("none", ("price",)) and TASK.fits("price", ("price", "bugs"))
    assert "none of the labels" in TASK.wanted("none") and '"price"' in TASK.wanted("price")
    assert "0 in 25" in TASK.style_rules(many, ())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"a": ""}, "at least two labels"),
        ({"a": "", "None": ""}, "another meaning"),
        ({"a": "", "nothing": ""}, "another meaning"),
        ({"a": "", "b,c": ""}, "comma"),
        ({"a": "", "A": ""}, "same but for case"),
    ],
)
def test_bad_labels_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MultiLabel("d", labels)
