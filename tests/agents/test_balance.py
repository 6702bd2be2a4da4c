"""Every class weighs the same; what has no single class is left alone."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.balance import MOST, balanced
from tasks.base import Example, Span


def of(counts: dict[str, int], **more: float) -> list[Example]:
    return [Example(text=f"{label} {n}", label=label, **more) for label, count in counts.items() for n in range(count)]


@settings(deadline=None, database=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(3, 8), min_size=1))
def test_classes_of_about_one_size_weigh_the_same(counts: dict[str, int]) -> None:
    mass: Counter[str] = Counter()
    examples = balanced(of(counts))
    for example in examples:
        mass[str(example.label)] += example.weight  # type: ignore[assignment]
    assert list(mass.values()) == pytest.approx([sum(counts.values()) / len(counts)] * len(counts))
    assert [example.text for example in examples] == [example.text for example in of(counts)]


def test_a_single_text_does_not_count_for_a_whole_class() -> None:
    weights = {example.label: example.weight for example in balanced(of({"many": 40, "one": 1}))}
    assert weights == {"many": pytest.approx(20.5 / 40), "one": MOST}


def test_weights_of_their_own_are_kept_in_proportion() -> None:
    heavy, light = Example(text="a", label="x", weight=1.5), Example(text="b", label="x", weight=0.5)
    found = balanced([heavy, light, *of({"y": 2})])
    assert [example.weight for example in found] == pytest.approx([1.5, 0.5, 1, 1])
    assert [example.weight for example in balanced(of({"x": 2}, weight=0.0))] == [0.0, 0.0]


def test_spans_and_several_labels_are_left_as_they_are() -> None:
    spans = [Example(text="Ann came", label=(Span(start=0, end=3, type="PER"),)), Example(text="no", label=())]
    several = [Example(text="both", label=("a", "b")), Example(text="one", label=("a",))]
    assert balanced(spans) == spans and balanced(several) == several and balanced([]) == []
