"""Shares of the stances: what pays gets more, what is in doubt stays near the configured mix, nothing is given up."""

import math
import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.base import CycleReport, Draft
from agents.orders import Mix
from agents.stances import KEPT, STANCES, brought_by_stance, following, written
from tests.agents.test_curriculum import BEGUN, row

MIX = Mix(typical=0.4, hard=0.4, probe=0.2, rewrite=0.1)


def batch(loss: float | None, spread: float = 0.02, **counts: int) -> CycleReport:
    """A finished cycle with so many texts of each stance whose batch moved the loss."""
    return {**row("lessons", loss, spread=spread), "counts": {f"written: {kind}": n for kind, n in counts.items()}}


def shares(history: list[CycleReport], mix: Mix = MIX, seed: int = 0) -> dict[str, float]:
    found = following(mix, [*BEGUN, *history], seed)
    total = sum(getattr(found, stance) for stance in STANCES)
    return {stance: getattr(found, stance) / total for stance in STANCES}


def world_of(effects: Mapping[str, float], batches: int, spread: float, seed: int = 0) -> list[CycleReport]:
    """Batches of random composition; each text adds its stance's effect to the loss, and the gate has its noise."""
    dice, history = random.Random(seed), []
    for _ in range(batches):
        counts = {stance: dice.randrange(0, 20) for stance in STANCES}
        loss = sum(effects.get(stance, 0.0) * count for stance, count in counts.items())
        history.append(batch(loss + dice.gauss(0, spread / 1.96), spread, **counts))
    return history


def test_the_mix_stays_as_it_is_where_nothing_was_compared() -> None:
    assert following(MIX, [], 0) is MIX
    assert following(MIX, [row("seed"), row("lessons")], 0) is MIX
    alone = Mix(typical=0.0, hard=1.0, probe=0.0, rewrite=0.0)
    assert following(alone, [*BEGUN, batch(0.5, hard=30)], 0) is alone


def test_the_first_batch_is_no_evidence_for_its_kind_of_texts() -> None:
    first = {**row("breadth", -1.0), "counts": {"written: breadth": 60, "written: pool": 60}}
    assert brought_by_stance([row("seed"), first]) == {}
    assert set(brought_by_stance([row("seed"), first, batch(-0.1, hard=5)])) == {"hard"}


def test_what_pays_gets_more_and_what_harms_less() -> None:
    moved = shares(world_of({"hard": 0.004, "typical": -0.004}, batches=12, spread=0.02))
    assert moved["typical"] > 0.7 and moved["hard"] < 0.2
    assert shares(world_of({"hard": -0.004}, batches=12, spread=0.02))["hard"] > 0.7


def test_the_scale_of_the_loss_does_not_matter() -> None:
    small = world_of({"hard": 0.004, "typical": -0.004}, batches=8, spread=0.02)
    large = world_of({"hard": 0.12, "typical": -0.12}, batches=8, spread=0.6)
    assert shares(large) == pytest.approx(shares(small), abs=0.02) and shares(large)["typical"] > 0.6


def test_what_is_in_doubt_stays_near_the_mix() -> None:
    own = shares([batch(None, hard=10, typical=10)])
    assert own == pytest.approx({"typical": 0.36, "hard": 0.36, "probe": 0.18, "rewrite": 0.09}, abs=0.05)
    noisy = shares([batch(0.01, spread=0.5, hard=12, typical=12, probe=6)])
    assert noisy == pytest.approx(own, abs=0.05)


def test_a_stance_that_never_pays_is_still_written_now_and_then() -> None:
    ruinous = shares(world_of({"hard": 0.05}, batches=30, spread=0.001))
    assert ruinous["hard"] == pytest.approx(KEPT * 0.4 / 1.1, abs=1e-3)


def test_a_stance_without_a_share_gets_none_whatever_it_brought() -> None:
    papers = Mix(typical=0.5, hard=0.5, probe=0.0, rewrite=0.0)
    moved = shares(world_of({"probe": -0.05}, batches=12, spread=0.01), papers)
    assert moved["probe"] == moved["rewrite"] == 0.0


def test_the_gain_of_texts_in_breadth_is_not_the_lessons_own() -> None:
    rows = [batch(-0.1, breadth=20, hard=5), batch(-0.1, breadth=20), batch(0.0, hard=5), batch(-0.1, breadth=20)]
    found = brought_by_stance([*BEGUN, *rows])
    assert found["breadth"]["value"] == pytest.approx(-0.005, abs=0.001)
    assert abs(found["hard"]["value"] or 1) < 0.001 and set(found) == {"breadth", "hard"}
    assert found["breadth"]["n"] == 60


def test_an_interval_holds_the_true_effect() -> None:
    held = 0
    for seed in range(40):
        found = brought_by_stance([*BEGUN, *world_of({"hard": 0.001}, batches=10, spread=0.02, seed=seed)])["hard"]
        low, high = found["low"], found["high"]
        assert low is not None and high is not None
        held += low <= 0.001 <= high
    assert held >= 34


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0, 2), st.lists(st.integers(0, 500), min_size=4, max_size=4))))
def test_stances_are_shares_whatever_happened(found: list[tuple[float, float, list[int]]]) -> None:
    history = [batch(loss, spread, **dict(zip(STANCES, counts, strict=True))) for loss, spread, counts in found]
    moved = shares(history)
    assert all(math.isfinite(share) and share > 0 for share in moved.values())
    assert moved == shares(history), "the same history, the same shares"


def test_texts_in_breadth_and_for_lessons_are_counted_apart() -> None:
    drafts = [
        Draft(text="a", stance="typical"), Draft(text="b", stance="typical", lesson="1-x"),
        Draft(text="c", stance="hard", lesson="1-x"), Draft(text="d", stance="pool"), Draft(text="e", stance="typical"),
    ]  # fmt: skip
    assert written(drafts) == {"written: breadth": 2, "written: hard": 1, "written: pool": 1, "written: typical": 1}
