"""What every `Task` must do; add your own to `TASKS` and it runs against that."""

import json
import math

import pytest

from tasks.base import Dropped, Example, Label, Prediction, Task
from tasks.classification import Classification

TASKS: dict[str, tuple[Task, list[Label], list[object]]] = {
    "classification": (
        Classification("What is wanted?", {"PlayMusic": "to hear a song", "GetWeather": "", "C++": "code"}),
        ["PlayMusic", "GetWeather", "C++"],
        ["", "Nothing", None, 3, ["PlayMusic"], {"label": "PlayMusic"}, "PlayMusic GetWeather"],
    ),
}
"""Name -> the task, some labels it knows, some answers that do not fit."""


@pytest.fixture(params=TASKS)
def case(request: pytest.FixtureRequest) -> tuple[Task, list[Label], list[object]]:
    return TASKS[request.param]


def predicted(task: Task, label: Label, probability: float) -> Prediction:
    rest = (1 - probability) / (len(task.labels) - 1)
    probabilities = {name: probability if name == label else rest for name in task.labels}
    return Prediction(label=label, probability=probability, probabilities=probabilities)


def test_is_a_task_that_can_be_told(case: tuple[Task, list[Label], list[object]]) -> None:
    task, _, _ = case
    assert isinstance(task, Task)
    assert task.description in task.describe()
    for name, about in task.labels.items():
        assert name in task.describe()
        assert about in task.describe()
    json.dumps(task.answer_schema())


def test_reads_its_labels_and_refuses_the_rest(case: tuple[Task, list[Label], list[object]]) -> None:
    task, labels, bad = case
    for label in labels:
        assert task.read("text", label) == label
    for answer in bad:
        with pytest.raises(ValueError, match=r".") as error:
            task.read("text", answer)
        assert not isinstance(error.value, Dropped)
        assert labels[0] in str(error.value), "the teacher is told what is allowed"
    with pytest.raises(Dropped):
        task.read("text", "drop")


def test_choices_are_distinct_words_for_all_labels(case: tuple[Task, list[Label], list[object]]) -> None:
    task, _, _ = case
    choices = task.choices()
    if choices is not None:
        assert list(choices) == list(task.labels)
        assert len({word.casefold() for word in choices.values()}) == len(choices)


def test_settles_votes(case: tuple[Task, list[Label], list[object]]) -> None:
    task, (a, b, *_), _ = case
    sure = task.settle([a, a])
    assert (sure.label, sure.confidence, sure.soft, sure.votes) == (a, 1.0, None, {a: 2})
    split = task.settle([b, a, a, a])
    assert (split.label, split.confidence) == (a, 0.75)
    assert split.soft is not None
    assert split.soft == {name: {a: 0.75, b: 0.25}.get(name, 0.0) for name in task.labels}
    assert task.settle([b, a]).confidence <= 0.5
    assert task.settle([b, a]) == task.settle([b, a])
    for wrong in ([], ["not a label"]):
        with pytest.raises(ValueError, match=r"."):
            task.settle(wrong)


def test_settles_probabilities(case: tuple[Task, list[Label], list[object]]) -> None:
    task, (a, b, *_), _ = case
    verdict = task.settle_soft({a: 1.0, b: 3.0})
    assert (verdict.label, verdict.confidence) == (b, 0.75)
    assert verdict.soft is not None
    assert math.fsum(verdict.soft.values()) == pytest.approx(1)
    for wrong in ({}, {a: 0.0}, {a: -1.0, b: 2.0}, {a: math.nan}, {a: math.inf}, {"not a label": 1.0}):
        with pytest.raises(ValueError, match=r"."):
            task.settle_soft(wrong)


def test_a_better_prediction_has_a_lower_loss(case: tuple[Task, list[Label], list[object]]) -> None:
    task, (a, b, *_), _ = case
    example = Example(text="t", label=a, soft={a: 0.6, b: 0.4})
    losses = [task.loss(example, predicted(task, a, p)) for p in (1.0, 0.9, 0.5)]
    losses.append(task.loss(example, predicted(task, b, 1.0)))
    assert losses == sorted(losses)
    assert losses[0] == pytest.approx(0)
    assert all(math.isfinite(loss) for loss in losses)


def test_scores_are_plain_floats_with_the_metric_first(case: tuple[Task, list[Label], list[object]]) -> None:
    task, (a, b, *_), _ = case
    perfect = task.score([a, b], [predicted(task, a, 0.9), predicted(task, b, 0.9)])
    assert next(iter(perfect)) == task.metric
    assert set(perfect.values()) == {1.0}
    assert {type(value) for value in perfect.values()} == {float}
    worst = task.score([a, b], [predicted(task, b, 0.9), predicted(task, a, 0.9)])
    assert set(worst.values()) == {0.0}
    assert task.is_right(a, a)
    assert not task.is_right(a, b)
    for gold, predictions in (([], []), ([a], [])):
        with pytest.raises(ValueError, match=r"."):
            task.score(gold, predictions)
