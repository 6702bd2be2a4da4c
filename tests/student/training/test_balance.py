"""Every class counts the same; what has no single class is left alone."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evokd.student.training.balance import MOST, class_weights
from evokd.tasks.base import Example, Span


def of(counts: dict[str, int]) -> list[Example]:
    return [Example(text=f"{label} {n}", label=label) for label, count in counts.items() for n in range(count)]


@settings(deadline=None, database=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(3, 8), min_size=1))
def test_classes_of_about_one_size_count_the_same(counts: dict[str, int]) -> None:
    mass: defaultdict[str, float] = defaultdict(float)
    examples = of(counts)
    for example, weight in zip(examples, class_weights(examples), strict=True):
        mass[str(example.label)] += weight
    assert list(mass.values()) == pytest.approx([sum(counts.values()) / len(counts)] * len(counts))


def test_a_single_text_does_not_count_for_a_whole_class() -> None:
    weights = class_weights(of({"many": 40, "one": 1}))
    assert weights == [*[pytest.approx(20.5 / 40)] * 40, MOST]


def test_spans_and_several_labels_count_as_they_are() -> None:
    spans = [Example(text="Ann came", label=(Span(start=0, end=3, type="PER"),)), Example(text="no", label=())]
    several = [Example(text="both", label=("a", "b")), Example(text="one", label=("a",))]
    assert class_weights(spans) == class_weights(several) == [1.0, 1.0] and class_weights([]) == []
