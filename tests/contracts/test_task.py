"""What every `Task` must do; add your own to `TASKS` and it runs against that."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from evokd.tasks.base import Abstained, Example, InvalidAnswer, Label, ParsedLabel, Prediction, Span
from evokd.tasks.entities.tags import SpanPrediction, Word, encode, tags_of
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.label_sets import LabelsPrediction
from evokd.tasks.kinds.multilabel import MultiLabel
from evokd.tasks.kinds.ner import Ner
from evokd.tasks.task import Task

Sure = Callable[[Task, Label, float], Prediction]
"""What a student says that gives a label so much probability."""


@dataclass(frozen=True)
class Case:
    """A task and what it is tried with."""

    task: Task
    text: str
    labels: tuple[Label, ...]
    """Some that fit the text, each wrong where another is right; the first two hold something."""
    bad: tuple[object, ...]
    """Answers that do not fit."""
    cells: tuple[tuple[object, Label], ...]
    """Cells of the user's data, and the label in each."""
    bad_cells: tuple[object, ...]
    sure: Sure


def one_of_a_list(task: Task, label: Label, probability: float) -> Prediction:
    rest = (1 - probability) / (len(task.labels) - 1)
    probabilities = {name: probability if name == label else rest for name in task.labels}
    return Prediction(label=label, probability=probability, probabilities=probabilities)


def several_of_a_list(task: Task, label: Label, probability: float) -> Prediction:
    probabilities = {name: probability if name in label else 1 - probability for name in task.labels}
    return LabelsPrediction(label=label, probability=probability ** len(task.labels), probabilities=probabilities)


def spans(task: Task, label: Label, probability: float) -> Prediction:
    gold = [span for span in label if isinstance(span, Span)]
    places = [(0, 5), (6, 9), (10, 15), (16, 18), (19, 23)]
    tags = tags_of(list(task.labels))
    words = []
    for (start, end), tag in zip(places, encode(gold, places), strict=True):
        rest = (1 - probability) / (len(tags) - 1)
        words.append(Word(start=start, end=end, shares={each: probability if each == tag else rest for each in tags}))
    certainty = (probability,) * len(gold)
    return SpanPrediction(
        label=label, probability=probability**5, probabilities={}, certainty=certainty, words=tuple(words)
    )


def span(start: int, end: int, name: str) -> Span:
    return Span(start=start, end=end, type=name)


PARIS = (span(0, 5, "PER"), span(10, 15, "LOC"), span(19, 23, "LOC"))

TASKS: dict[str, Case] = {
    "classification": Case(
        task=Classification("What is wanted?", {"PlayMusic": "to hear a song", "GetWeather": "", "C++": "code"}),
        text="Play it",
        labels=("PlayMusic", "GetWeather", "C++"),
        bad=("", "Nothing", None, 3, ["PlayMusic"], {"label": "PlayMusic"}, "PlayMusic GetWeather"),
        cells=(("PlayMusic", "PlayMusic"), ("get weather", "GetWeather")),
        bad_cells=("", "Nothing", None, 3, True, "drop", ["PlayMusic", "other"]),
        sure=one_of_a_list,
    ),
    "multilabel": Case(
        task=MultiLabel("What is it about?", {"price": "what it costs", "speed": "", "C++": ""}),
        text="Cheap and fast",
        labels=(("price",), ("speed",), ("price", "speed"), ()),
        bad=("FOO", ["FOO"], [3], None, 3, {"price": True}, ["none", "price"], [["price"]]),
        cells=((["speed", "price"], ("price", "speed")), ("Speed, price", ("price", "speed")), ([], ()), ("none", ())),
        bad_cells=("Nothing", 3, ["drop"], {"price": 1}),
        sure=several_of_a_list,
    ),
    "ner": Case(
        task=Ner("Names in the news.", {"PER": "a person", "LOC": "", "ORG": "a firm"}),
        text="Paris met Paris in Rome",
        labels=((span(19, 23, "LOC"),), (span(19, 23, "ORG"),), PARIS, ()),
        bad=("", "FOO Rome", "LOC Rom", "PER Rome|LOC Rome", None, [3], {}, [{"type": "LOC", "text": None}]),
        cells=(
            (["B-PER", "O", "B-LOC", "O", "I-LOC"], PARIS),
            ([{"start": 19, "end": 23, "type": "LOC"}], (span(19, 23, "LOC"),)),
            ([{"type": "LOC", "text": "Rome"}], (span(19, 23, "LOC"),)),
            ("LOC Rome", (span(19, 23, "LOC"),)),
            ([], ()),
            (["O"] * 5, ()),
        ),
        bad_cells=("", "FOO Rome", 3, None, ["O"], [{"start": 0, "end": 99, "type": "LOC"}], "drop"),
        sure=spans,
    ),
}  # fmt: skip


@pytest.fixture(params=TASKS)
def case(request: pytest.FixtureRequest) -> Case:
    return TASKS[request.param]


def test_is_a_task_that_can_be_told(case: Case) -> None:
    task = case.task
    assert isinstance(task, Task)
    assert task.description in task.describe()
    for name, about in task.labels.items():
        assert name in task.describe()
        assert about in task.describe()
    json.dumps(task.answer_schema())
    assert task.rule and task.noun and task.part and task.head
    assert all(len(pair) == 2 for pair in task.columns)
    assert 0 <= task.coverage <= 1


def test_a_label_is_said_on_a_line_and_read_back(case: Case) -> None:
    for label in case.labels:
        said = case.task.say(case.text, label)
        assert said.splitlines() == [said]
        assert case.task.read(case.text, said) == ParsedLabel(label=label)


def test_refuses_what_does_not_fit_and_says_why(case: Case) -> None:
    for answer in case.bad:
        with pytest.raises(InvalidAnswer, match=r"\w+ \w+") as error:
            case.task.read(case.text, answer)
        assert error.value.kind
    for answer in ("drop", "Drop."):
        with pytest.raises(Abstained):
            case.task.read(case.text, answer)


def test_reads_the_users_own_labels(case: Case) -> None:
    for cell, label in case.cells:
        assert case.task.gold(case.text, cell) == label
    for cell in case.bad_cells:
        with pytest.raises(ValueError, match=r"^(is|has) ") as error:
            case.task.gold(case.text, cell)
        assert not isinstance(error.value, Abstained)


def test_names_are_those_of_the_task(case: Case) -> None:
    for label in case.labels:
        names = case.task.names(label)
        assert set(names) <= set(case.task.labels)
        assert len(set(names)) == len(names)
    assert case.task.names(case.labels[0])


def test_breadth_is_spread_over_facets_that_labels_fit(case: Case) -> None:
    task = case.task
    for seeds in ([], [Example(text=f"{case.text} {number}", label=case.labels[0]) for number in range(25)]):
        target_classes = task.target_classes(seeds)
        assert math.fsum(target_classes.values()) == pytest.approx(1)
        assert all(share >= 0 for share in target_classes.values())
        assert set(target_classes) >= set(task.labels)
        assert set(task.words) == set(target_classes)
        assert isinstance(task.style_rules(seeds, [case.text] * 25), str)
    for label in case.labels:
        assert any(task.fits(target_class, label) for target_class in target_classes)
        assert not all(task.fits(target_class, label) for target_class in target_classes)
    assert len({task.wanted(target_class) for target_class in target_classes}) == len(target_classes)
    for target_class in (*target_classes, None):
        assert set(task.names(task.stand_in(target_class))) <= set(task.labels)


def test_fillers_are_words_of_the_text(case: Case) -> None:
    for label in case.labels:
        assert all(name in case.text for name in case.task.mentions(case.text, label))


def test_choices_are_distinct_words_for_all_labels(case: Case) -> None:
    choices = case.task.choices()
    if choices is not None:
        assert [name for name in choices if name != "none"] == list(case.task.labels)
        assert len({word.casefold() for word in choices.values()}) == len(choices)


def test_settles_votes(case: Case) -> None:
    task, (a, b, *_) = case.task, case.labels
    sure = task.settle([a, a])
    assert (sure.label, sure.confidence, sure.soft, list(sure.votes.values())) == (a, 1.0, None, [2])
    split = task.settle([b, a, a, a])
    assert (split.label, split.confidence) == (a, 0.75)
    assert sorted(split.votes.values()) == [1, 3]
    assert task.settle([b, a]).confidence <= 0.5
    assert task.settle([b, a]) == task.settle([b, a])
    with pytest.raises(ValueError, match=r"."):
        task.settle([])


def test_settles_probabilities(case: Case) -> None:
    task, names = case.task, list(case.task.labels)
    a, b, *_ = names
    wrong: list[dict[str, float]] = [{}, {a: 0.0}, {a: -1.0, b: 2.0}, {a: math.nan}, {a: math.inf}]
    if task.choices() is None:
        wrong.append({a: 1.0, b: 3.0})
    else:
        aggregate = task.settle_soft({a: 1.0, b: 3.0})
        assert (task.names(aggregate.label), aggregate.confidence) == ((b,), 0.75)
    for probabilities in wrong:
        with pytest.raises(ValueError, match=r"."):
            task.settle_soft(probabilities)


def test_a_better_prediction_has_a_lower_loss(case: Case) -> None:
    task, (a, b, *_) = case.task, case.labels
    example = Example(text=case.text, label=a)
    losses = [task.loss(example, case.sure(task, a, p)) for p in (1.0, 0.9, 0.5)]
    losses.append(task.loss(example, case.sure(task, b, 1.0)))
    assert losses == sorted(losses)
    assert losses[0] == pytest.approx(0)
    assert all(math.isfinite(loss) for loss in losses)
    flat, as_it_is, sharp = (
        task.loss(example, case.sure(task, a, 0.9), inverse_temperature) for inverse_temperature in (0.5, 1.0, 2.0)
    )
    assert flat > as_it_is == losses[1] > sharp, "a right answer that is made surer surprises less"


def test_mistakes_are_told_in_pairs(case: Case) -> None:
    task = case.task
    for gold in case.labels:
        for said in case.labels:
            pairs = task.mistakes(gold, said)
            assert task.is_right(gold, said) == (gold == said) == (not pairs)
            assert all(len(pair) == 2 and pair[0] != pair[1] for pair in pairs)


def test_the_score_is_the_ratio_of_the_points(case: Case) -> None:
    task, (a, b, *_) = case.task, case.labels
    for gold, said in (([a, b], [a, b]), ([a, b], [a, a]), ([a, b], [b, a]), (case.labels, case.labels[::-1])):
        points = [task.points(g, s) for g, s in zip(gold, said, strict=True)]
        scores = task.score(gold, [case.sure(task, label, 0.9) for label in said])
        assert next(iter(scores)) == task.metric
        assert scores[task.metric] == pytest.approx(sum(p[0] for p in points) / sum(p[1] for p in points))
        assert {type(value) for value in scores.values()} == {float}
        assert all(0 <= value <= 1 for value in scores.values())
    for golds, predictions in (([], []), ([a], [])):
        with pytest.raises(ValueError, match=r"."):
            task.score(golds, predictions)


def test_a_prediction_prints_as_json(case: Case) -> None:
    for label in case.labels:
        prediction = case.sure(case.task, label, 0.9)
        json.dumps(prediction.row(case.text))
        assert 0 <= prediction.margin <= 1
