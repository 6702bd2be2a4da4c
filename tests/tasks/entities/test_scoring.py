"""The library that scores spans counts as our points do, which intervals and paired differences rest on."""

import random

import pytest

from evokd.tasks.base import Label, Span
from evokd.tasks.entities.tags import SpanPrediction
from evokd.tasks.kinds.ner import Ner

TASK = Ner("Names in the news.", {"ORG": "a firm or an agency", "LOC": "", "my-type": ""})


def test_the_library_counts_as_our_points_do() -> None:
    draw = random.Random(0)

    def spans() -> tuple[Span, ...]:
        places = sorted(draw.sample(range(30), 2 * draw.randrange(5)))
        return tuple(
            Span(start=a, end=b, type=draw.choice(["ORG", "LOC"]))
            for a, b in zip(places[::2], places[1::2], strict=True)
            if b > a
        )

    for _ in range(60):
        gold: list[tuple[Span, ...]] = [spans() for _ in range(12)]
        said: list[tuple[Span, ...]] = [spans() if draw.random() < 0.5 else label for label in gold]
        sums = [sum(side) for side in zip(*(TASK.points(g, s) for g, s in zip(gold, said, strict=True)), strict=True)]
        scores = TASK.score(
            list[Label](gold),
            [
                SpanPrediction(label=label, probability=1.0, probabilities={}, certainty=(1.0,) * len(label))
                for label in said
            ],
        )
        assert scores["f1"] == pytest.approx(sums[0] / sums[1])
        found, given = sum(map(len, gold)), sum(map(len, said))
        assert scores["precision"] == pytest.approx(sums[0] / 2 / given)
        assert scores["recall"] == pytest.approx(sums[0] / 2 / found)
        pairs = [pair for g, s in zip(gold, said, strict=True) for pair in TASK.mistakes(g, s)]
        assert sum(right != "nothing" for right, _ in pairs) == found - sums[0] / 2, "each wrong gold span is told once"
        assert sum(name != "nothing" for _, name in pairs) == given - sums[0] / 2
