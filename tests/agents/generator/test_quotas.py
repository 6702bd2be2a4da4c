"""Orders: the sums are exact whatever is asked for."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from evokd.agents.generator.quotas import Quota, breadth_quotas, largest_remainder, lesson_quotas, split_evenly, total
from evokd.agents.generator.taxonomy import Subtype
from evokd.tasks.base import Example
from tests.agents.acting import lesson

settings.register_profile("agents", max_examples=60, deadline=None, database=None)
settings.load_profile("agents")

LESSONS = st.lists(st.sampled_from(["lesson", "probe"]), max_size=6).map(
    lambda kinds: [lesson(f"l{place}", kind=kind) for place, kind in enumerate(kinds)]
)
SEEDS = [Example(text=f"seed {number}", label="food") for number in range(3)]


def subtypes(count: int) -> list[Subtype]:
    return [Subtype(name=f"s{number}") for number in range(count)]


@given(st.integers(0, 1000), st.integers(1, 200))
def test_spread_is_exact_and_even(count: int, parts: int) -> None:
    found = split_evenly(count, parts)
    assert sum(found) == count and len(found) == parts
    assert max(found) - min(found) <= 1 and min(found) >= 0
    assert found == sorted(found, reverse=True)


def test_nothing_is_spread_over_no_parts() -> None:
    assert split_evenly(7, 0) == []


@given(st.integers(0, 1000), st.lists(st.floats(0.001, 1), min_size=1, max_size=10))
def test_largest_remainder_is_exact_and_never_off_by_one(count: int, weights: list[float]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    found = largest_remainder(count, shares)
    assert sum(found) == count and min(found) >= 0
    assert all(abs(whole - count * share) < 1 + 1e-9 for whole, share in zip(found, shares, strict=True))


@given(
    st.integers(0, 400), st.lists(st.integers(0, 12), min_size=1, max_size=12), st.integers(1, 40), st.integers(0, 9)
)
def test_breadth_gives_every_class_its_quota_in_calls_of_a_size(
    count: int, sizes: list[int], per_call: int, turn: int
) -> None:
    taxonomy = {f"c{place}": subtypes(size) for place, size in enumerate(sizes)}
    quotas = breadth_quotas(count, dict.fromkeys(taxonomy, 1 / len(taxonomy)), taxonomy, per_call, turn)
    assert total(quotas) == count and all(0 < order.count <= per_call for order in quotas)
    per_class = [total(each for each in quotas if each.target_class == label) for label in taxonomy]
    if count >= 2 * len(taxonomy):
        assert per_class == split_evenly(count, len(taxonomy))
    for order in quotas:
        assert len(set(order.subtypes)) == len(order.subtypes) <= order.count
        assert bool(order.subtypes) is bool(taxonomy[order.target_class or ""])


@given(st.integers(1, 60), st.integers(1, 90))
def test_a_batch_that_is_small_for_many_classes_is_of_those_with_the_fewest(count: int, classes: int) -> None:
    shares, have = dict.fromkeys([f"c{place}" for place in range(classes)], 1 / classes), Counter[str]()
    for turn in range(classes):
        quotas = breadth_quotas(count, shares, {}, 15, turn, have)
        assert total(quotas) == count and all(order.count >= min(count, 2) for order in quotas)
        for order in quotas:
            have[order.target_class or ""] += order.count
    assert len(have) == classes and max(have.values()) - min(have.values()) <= max(count, 5)


@given(st.integers(1, 60))
def test_a_class_without_a_share_gets_no_turn(count: int) -> None:
    for turn in range(3):
        quotas = breadth_quotas(count, {"a": 0.5, "none": 0.0, "b": 0.5}, {}, 15, turn, {"a": turn, "b": 1})
        assert total(quotas) == count and {order.target_class for order in quotas} <= {"a", "b"}


@given(st.integers(1, 12), st.integers(1, 60), st.integers(1, 15))
def test_a_backbone_that_is_large_enough_covers_every_subtype(size: int, quota: int, per_call: int) -> None:
    quotas = breadth_quotas(quota, {"c": 1.0}, {"c": subtypes(size)}, per_call, turn=1)
    covered = {subtype for order in quotas for subtype in order.subtypes}
    assert len(covered) >= min(size, quota) or any(order.count < size / len(quotas) for order in quotas)


@given(st.integers(1, 12), st.integers(1, 15), st.integers(0, 200), st.integers(0, 5))
def test_no_subtype_gets_more_texts_than_another(size: int, per_call: int, quota: int, turn: int) -> None:
    if not size <= quota <= size * per_call:
        return  # fewer texts than subtypes, or several calls for one subtype
    got: Counter[str] = Counter()
    for order in breadth_quotas(quota, {"c": 1.0}, {"c": subtypes(size)}, per_call, turn):
        for subtype, texts in zip(order.subtypes, split_evenly(order.count, len(order.subtypes)), strict=True):
            got[subtype.name] += texts
    assert len(got) == size and max(got.values()) - min(got.values()) <= 2


@given(st.integers(2, 12), st.integers(1, 11), st.integers(0, 5))
def test_small_batches_come_to_every_subtype_in_turn(size: int, quota: int, first: int) -> None:
    turns = range(first, first + -(-size // quota))
    quotas = [order for turn in turns for order in breadth_quotas(quota, {"c": 1.0}, {"c": subtypes(size)}, 15, turn)]
    assert {subtype for order in quotas for subtype in order.subtypes} == set(subtypes(size))


@given(st.integers(0, 200), LESSONS, st.sampled_from([0, 1, 3]), st.booleans())
def test_aimed_orders_are_exact_and_of_the_right_kind(count: int, lessons: list[Any], seeds: int, easy: bool) -> None:
    quotas = lesson_quotas(count, lessons, seeds=SEEDS[:seeds], easy=easy)
    assert total(quotas) == (count if lessons else 0)
    for order in quotas:
        assert easy or order.source != "typical"
        assert order.count > 0 and order.target_class is None and (order.lesson is None) is (order.source == "rewrite")
        assert (order.source == "probe") == (order.lesson is not None and order.lesson.kind == "probe")
        assert (order.seed is not None) is (order.source == "rewrite")


def test_seeds_in_other_words_are_of_other_seeds_each_turn() -> None:
    chosen = [
        [order.seed.text for order in lesson_quotas(54, [lesson()], seeds=SEEDS, turn=turn) if order.seed]
        for turn in (1, 2)
    ]
    assert chosen == [["seed 1", "seed 2"], ["seed 2", "seed 0"]]
    assert not any(order.source == "rewrite" for order in lesson_quotas(16, [], seeds=SEEDS)), (
        "no lessons, no such batch"
    )


def test_no_lesson_gets_more_than_its_most() -> None:
    lessons = [lesson("a"), lesson("b"), lesson("c", kind="probe")]
    quotas = lesson_quotas(60, lessons, most=6)
    assert total(quotas) == 18
    assert total(lesson_quotas(12, lessons, most=6)) == 12


def test_a_small_batch_is_for_few_lessons() -> None:
    lessons = [lesson("a"), lesson("b"), lesson("c"), lesson("d", kind="probe")]
    sizes: dict[str, int] = {}
    for order in lesson_quotas(10, lessons, seeds=SEEDS):
        name = order.lesson.name if order.lesson else order.source
        sizes[name] = sizes.get(name, 0) + order.count
    assert sizes == {"a": 4, "b": 3, "d": 2, "rewrite": 1}
    assert [order.lesson.name for order in lesson_quotas(2, lessons[:3]) if order.lesson] == ["a", "a"]
    assert {order.lesson.name for order in lesson_quotas(30, lessons) if order.lesson} == {"a", "b", "c", "d"}


def test_facets_get_their_shares() -> None:
    quotas = breadth_quotas(100, {"ORG": 0.5, "PER": 0.3, "none": 0.2}, {}, 15)
    assert {f: total(o for o in quotas if o.target_class == f) for f in ("ORG", "PER", "none")} == {
        "ORG": 50, "PER": 30, "none": 20
    }  # fmt: skip


def test_the_papers_mix_is_half_and_half() -> None:
    quotas = lesson_quotas(30, [lesson("a"), lesson("b"), lesson("c")])
    assert [(order.source, order.count) for order in quotas] == [("hard", 5)] * 3 + [("typical", 5)] * 3


def test_without_probes_their_share_goes_to_the_lessons() -> None:
    assert total(lesson_quotas(30, [lesson()])) == 30
    assert [order.source for order in lesson_quotas(30, [lesson(kind="probe")])] == ["probe"]


def test_what_is_left_of_an_order_is_never_negative() -> None:
    assert Quota("typical", 5).minus(3).count == 2
    assert Quota("typical", 5).minus(9).count == 0
