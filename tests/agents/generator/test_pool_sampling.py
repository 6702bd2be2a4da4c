"""Picks from the pool: unsure, unlike each other, never twice, never held out."""

import random
from pathlib import Path

import numpy as np
import pytest

from evokd.agents.base import Services
from evokd.agents.generator import pool_sampling as pool
from evokd.tasks.base import Example
from evokd.testing import WordStudent, world
from tests.agents.acting import ODD, train

LABELS = list(world.VOCABULARY)
SURE = [f"{' '.join(world.VOCABULARY[label][:6])} {number}" for label in LABELS for number in range(10)]
UNSURE = [f"{one} {two} {number}" for number in range(8) for one, two in [("goal", "loan"), ("atom", "bread")]]
TEXTS = [text for pair in zip(SURE, UNSURE * 3, strict=False) for text in pair]


def services(folder: Path, texts: list[str], **changes: object) -> Services:
    there = world.services(folder, pool=list(dict.fromkeys(texts)), **changes)
    counts = {label: dict.fromkeys(words, 9.0) for label, words in world.VOCABULARY.items()}
    folder.joinpath("students").mkdir(exist_ok=True, parents=True)
    WordStudent(LABELS, counts).save(there.folder.student(0))
    return there


def pick(there: Services, count: int, cycle: int = 1) -> list[str]:
    return pool.pick(there, "students/cycle-000", count, cycle)


def test_unsure_texts_are_picked(tmp_path: Path) -> None:
    there = services(tmp_path, TEXTS)
    unsure = set(UNSURE) - set(pool.example_texts(there.pool))
    assert len(unsure) >= 10 and set(pick(there, 3)) <= unsure


def test_picks_are_unlike_each_other(tmp_path: Path) -> None:
    there = services(tmp_path, [f"goal loan {'x' * number}" for number in range(1, 7)] + ["atom bread and butter"])
    chosen = pick(there, 2)
    assert "atom bread and butter" in chosen and len(chosen) == 2


def test_spread_takes_the_farthest_each_time(tmp_path: Path) -> None:
    there = services(tmp_path, UNSURE)
    texts = list(dict.fromkeys(UNSURE))
    chosen = pool._select_diverse(there, texts, 5)
    vectors = there.memory.embed(texts)
    assert len(set(chosen)) == 5 and texts[0] in chosen
    farthest = texts[int(np.argmin(vectors @ vectors[0]))]
    assert farthest in chosen
    assert sorted(pool._select_diverse(there, texts, 99)) == sorted(texts)


@pytest.mark.parametrize("count", [0, 1, 7, 1000])
def test_never_more_than_asked_for_or_there_are(tmp_path: Path, count: int) -> None:
    there = services(tmp_path, TEXTS)
    chosen = pick(there, count)
    assert len(chosen) == len(set(chosen)) == min(count, len(there.pool) - len(pool.example_texts(there.pool)))


def test_texts_that_show_the_style_are_never_picked(tmp_path: Path) -> None:
    there = services(tmp_path, TEXTS)
    shown = pool.example_texts(there.pool)
    assert shown and not set(shown) & set(pick(there, 1000))
    assert len(pool.example_texts(["text"] * 1000)) == 8 and not pool.example_texts(["text"] * 9)


def test_an_empty_pool_gives_nothing(tmp_path: Path) -> None:
    assert pick(services(tmp_path, []), 5) == []


def test_known_and_held_out_texts_are_never_picked(tmp_path: Path) -> None:
    there = services(tmp_path, TEXTS)
    dev = there.memory.samples("dev")[0].text
    there = services(tmp_path, [*UNSURE, dev, dev.upper(), "soup with bread"])
    train(there, [(UNSURE[0], "food")], "quarantined")
    there.memory.remember([Example(text=UNSURE[1], label="food", split="gate")])
    chosen = pick(there, 1000)
    assert not {dev, dev.upper(), "soup with bread", UNSURE[0], UNSURE[1]} & set(chosen) and len(chosen) == 14


def test_nothing_is_picked_twice_over_cycles_until_the_pool_is_empty(tmp_path: Path) -> None:
    there = services(tmp_path, TEXTS)
    seen: list[str] = []
    for cycle in range(1, 20):
        chosen = pick(there, 5, cycle)
        train(there, [(text, "food") for text in chosen], "candidate")
        seen += chosen
    assert len(seen) == len(set(seen)) == len(there.pool) - len(pool.example_texts(there.pool))


def test_the_same_seed_and_cycle_pick_the_same(tmp_path: Path) -> None:
    texts = [world.make_text(LABELS[number % 4], random.Random(number)) for number in range(100)]
    one, two, other = (services(tmp_path / n, texts, seed=seed) for n, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert pick(one, 5) == pick(one, 5) == pick(two, 5)
    assert pick(one, 200) != pick(other, 200)
    assert pick(one, 5, cycle=1) != pick(one, 5, cycle=2) or pick(one, 200, 1) != pick(one, 200, 2)


def test_a_large_pool_is_looked_at_in_part(tmp_path: Path) -> None:
    there = services(tmp_path, [f"goal {number}" for number in range(2600)])
    encoder = there.memory.embedder  # type: ignore[attr-defined]
    encoder.encoded.clear()
    there.memory.novel = lambda texts: [None] * len(texts)  # type: ignore[method-assign]
    chosen = pick(there, 3)
    assert len(chosen) == 3 and len(encoder.encoded) <= 12


def test_odd_texts_are_picked_as_they_are(tmp_path: Path) -> None:
    there = services(tmp_path, list(ODD.values()))
    assert set(pick(there, 1000)) == set(ODD.values())


def test_every_predicted_class_gives_texts_in_turn(tmp_path: Path) -> None:
    shown = [f"shown {number}" for number in range(8)]
    many, few = [f"goal goal loan {n}" for n in range(66)], [f"atom atom bread {n}" for n in range(6)]
    there = services(tmp_path, [*shown, *many, *few])
    chosen = pick(there, 20, cycle=3)
    unsure = len(pool._least_sure(there, "students/cycle-000", many + few, 80)[1])
    assert unsure == 6 and sum("atom" in text for text in chosen) == 6, "all that there are, as each gives in turn"
    assert sum("goal" in text for text in chosen) == 14


@pytest.mark.parametrize(
    ("sizes", "count", "shares"),
    [
        ([5, 5], 4, [2, 2]),
        ([1, 9, 9], 7, [1, 3, 3]),
        ([2, 9], 99, [2, 9]),
        ([3, 3, 3], 2, [1, 1, 0]),
        ([], 3, []),
        ([4], 0, [0]),
    ],
)
def test_groups_give_in_turn(sizes: list[int], count: int, shares: list[int]) -> None:
    assert pool.share_in_turn(sizes, count) == shares


def test_the_gate_is_drawn_of_what_is_new_and_is_the_same_when_drawn_again(tmp_path: Path) -> None:
    there = services(tmp_path, TEXTS)
    train(there, [(TEXTS[9], "food")], "quarantined")
    drawn = pool.draw_gate(there, 20)
    assert drawn == pool.draw_gate(there, 20) and len(set(drawn)) == 20
    assert not {TEXTS[9], *pool.example_texts(there.pool)} & set(drawn)
    assert pool.draw_gate(there, 0) == []


@pytest.mark.parametrize(("count", "enough"), [(0, False), (1, True), (10, True), (11, False)])
def test_a_gate_leaves_as_many_texts_to_label(tmp_path: Path, count: int, enough: bool) -> None:
    there = services(tmp_path, [f"goal {n}" for n in range(22)])
    assert len(pool.example_texts(there.pool)) == 2 and pool.has_enough_for_gate(there, count) is enough
