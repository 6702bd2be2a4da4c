"""Texts without a label are written in the share that enough seeds show, else in the one given."""

import pytest

from evokd.tasks.base import Example
from evokd.tasks.kinds.target_classes import ENOUGH_SEEDS, share_beside_none


def test_few_seeds_are_not_believed() -> None:
    seeds = [Example(text=f"{n}", label=()) for n in range(ENOUGH_SEEDS - 1)]
    assert share_beside_none(["a", "b"], "none", 0.2, seeds) == pytest.approx({"a": 0.4, "b": 0.4, "none": 0.2})


def test_enough_seeds_are() -> None:
    seeds = [Example(text=f"{n}", label=("a",) if n % 2 else ()) for n in range(ENOUGH_SEEDS)]
    shares = share_beside_none(["a", "b"], "none", 0.2, seeds)
    assert shares == pytest.approx({"a": 0.25, "b": 0.25, "none": 0.5}) and list(shares) == ["a", "b", "none"]
