"""Texts that choose do not judge, and a network passes only if it says and scores the same."""

import pytest

from evokd.student.serving.parity import Comparison, Trial, compare
from evokd.tasks.base import Label, Prediction


def points(gold: Label, said: Label) -> tuple[float, float]:
    return float(gold == said), 1.0


def said(*labels: str) -> list[Prediction]:
    return [Prediction(label=label, probability=1.0, probabilities={label: 1.0}) for label in labels]


def test_a_quarter_of_the_distinct_texts_chooses_and_others_judge() -> None:
    texts = [f"text {number}" for number in range(300)]
    made = Trial.split([*texts, *(text.upper() for text in texts)], {}, points)
    assert len(made.choosing) == 75 and len(made.judging) == 225
    assert not {each.lower() for each in made.choosing} & {each.lower() for each in made.judging}
    assert Trial.split(texts[::-1], {}, points).choosing == Trial.split(texts, {}, points).choosing
    many = Trial.split([f"{number}" for number in range(9000)], {}, points)
    assert (len(many.choosing), len(many.judging)) == (500, 1000)


def test_agreement_and_scores_are_counted() -> None:
    texts = ["a", "b", "c", "d"]
    trial = Trial([], texts, {"a": "x", "b": "y"}, points)
    found = compare(trial, texts, said("x", "x", "x", "x"), said("x", "y", "x", "x"))
    assert found == Comparison(texts=4, labelled=2, agreement=0.75, score=1.0, score_torch=0.5)
    assert str(found) == "agrees with torch on 75.00% of 4 texts, score 1.0000 against 0.5000 (2 with a label)"
    unlabelled = compare(Trial([], texts, {}, points), texts, said(*"xxxx"), said(*"xxxx"))
    assert unlabelled.score is None and str(unlabelled) == "agrees with torch on 100.00% of 4 texts"


@pytest.mark.parametrize(
    ("agreement", "score", "passes"),
    [(1.0, 0.9, True), (0.995, 0.9, True), (0.9949, 0.95, False), (1.0, 0.8949, False), (0.996, 0.95, True)],
)
def test_both_must_hold(agreement: float, score: float, passes: bool) -> None:
    found = Comparison(texts=1000, labelled=1000, agreement=agreement, score=score, score_torch=0.9)
    assert found.is_faithful is passes
