"""Intervals of a comparison, checked by hand."""

import math
from pathlib import Path

import pytest

from evokd.report.compare.statistics import at_equal_tokens, lines, over_seeds
from tests.report.comparisons import call, cell, listed, right, row


def test_the_interval_over_seeds_is_students() -> None:
    """Mean 4, standard deviation 2 over three seeds; t(0.975, 2) = 4.30265; half = 4.30265 * 2 / sqrt(3) = 4.96827."""
    found = over_seeds([2.0, 4.0, 6.0])
    assert found.low is not None and found.high is not None and (found.value, found.n) == (4.0, 3)
    assert math.isclose(found.low, 4 - 4.96827, abs_tol=1e-4) and math.isclose(found.high, 4 + 4.96827, abs_tol=1e-4)


@pytest.mark.parametrize("differences", [[0.1], [0.0, 0.2], [0.1, 0.1, 0.1]])
def test_one_or_two_seeds_or_equal_ones_tell_too_little(differences: list[float]) -> None:
    found = over_seeds(differences)
    assert found.low is None and math.isclose(found.value, 0.1) and not found.differs_from(0.0)


def test_the_interval_over_texts_is_that_of_the_binomial(tmp_path: Path) -> None:
    """Right on four more of eight texts: resampled, the share of those is Binomial(8, 1/2) / 8, whose 2.5 % and 97.5 %
    points are 1/8 and 7/8."""
    cell(tmp_path, "t.static.kall.s0", right())
    cell(tmp_path, "t.gated.kall.s0", right(0, 1, 2, 3))
    _, line = lines(listed(tmp_path, "t.static.kall.s0", "t.gated.kall.s0"), "t", "all")
    [(seed, found)] = line.by_seed
    assert (seed, found.value, found.low, found.high, found.n) == (0, 0.5, 0.125, 0.875, 8)
    assert line.difference_over_texts == found


def test_seeds_do_not_stand_for_more_texts(tmp_path: Path) -> None:
    """Three seeds that say the same of eight texts are eight texts, not twenty-four."""
    names = [f"t.{variant}.kall.s{seed}" for seed in range(3) for variant in ("static", "gated")]
    for name in names:
        cell(tmp_path, name, right(0, 1, 2, 3) if "gated" in name else right())
    _, line = lines(listed(tmp_path, *names), "t", "all")
    found = line.difference_over_texts
    assert found is not None and (found.value, found.low, found.high, found.n) == (0.5, 0.125, 0.875, 8)


def test_over_texts_what_the_seeds_say_is_added_up(tmp_path: Path) -> None:
    """Text 0 is won under both seeds, text 1 lost under one: differences of 1 and -1/2, so resamples of the two give
    1, 1/4 and -1/2, and the mean is 1/4."""
    verdicts = {"static.kall.s0": [1], "static.kall.s1": [], "gated.kall.s0": [0], "gated.kall.s1": [0]}
    for name, which in verdicts.items():
        cell(tmp_path, f"t.{name}", right(*which, of=2))
    _, line = lines(listed(tmp_path, *(f"t.{name}" for name in verdicts)), "t", "all")
    found = line.difference_over_texts
    assert found is not None and (found.value, found.low, found.high, found.n) == (0.25, -0.5, 1.0, 2)
    assert line.difference is not None and line.difference.value == 0.25


def test_cells_scored_on_other_texts_are_not_paired_over_texts(tmp_path: Path) -> None:
    cell(tmp_path, "t.static.kall.s0", right(of=4))
    cell(tmp_path, "t.gated.kall.s0", right(0, of=5))
    _, line = lines(listed(tmp_path, "t.static.kall.s0", "t.gated.kall.s0"), "t", "all")
    assert line.difference_over_texts is not None and line.difference_over_texts.low is None


def test_a_line_counts_finished_seeds_and_pairs_them(tmp_path: Path) -> None:
    """Against the baseline's 1/8: seed 0 wins by 4/8, seed 1 ties, seed 2 loses by 1/8, seed 3 has no baseline."""
    scores = {0: (0, 1, 2, 3, 4), 1: (7,), 2: (), 3: (0, 1)}
    for seed, which in scores.items():
        cell(tmp_path, f"t.static.k5.s{seed}", right(0), how="budget" if seed == 3 else "finished")
        cell(tmp_path, f"t.gated.k5.s{seed}", right(*which))
    names = [f"t.{variant}.k5.s{seed}" for seed in scores for variant in ("static", "gated")]
    comparison = listed(tmp_path, *names)
    base, line = lines(comparison, "t", "5")
    assert comparison.groups == [("t", "5")] and (base.planned, len(base.cells), base.pairs) == (4, 3, ())
    assert base.difference is None and base.mean == 0.125 and base.deviation == 0.0
    assert line.record == (1, 1, 1) and line.clear == (1, 0) and len(line.cells) == 4
    assert line.mean == 0.25 and line.deviation is not None  # (5 + 1 + 0 + 2) / 4 / 8
    assert math.isclose(line.deviation, math.sqrt((3**2 + 1 + 2**2 + 0) / 3) / 8)
    assert line.difference is not None and math.isclose(line.difference.value, 0.125) and line.difference.n == 3


def test_tokens_money_and_samples_are_means_over_seeds(tmp_path: Path) -> None:
    cell(tmp_path, "t.static.kall.s0", right(0), ledger=[call("p", tokens=100, usd=0.25)])
    cell(tmp_path, "t.static.kall.s1", right(0), ledger=[call("p", tokens=300, usd=0.75)])
    [line] = lines(listed(tmp_path, "t.static.kall.s0", "t.static.kall.s1"), "t", "all")
    assert (line.tokens, line.usd, line.samples) == (200, 0.5, 0)
    cell(tmp_path, "t.static.kall.s1", right(0), ledger=[call("p", usd=None)])
    [line] = lines(listed(tmp_path, "t.static.kall.s0", "t.static.kall.s1"), "t", "all")
    assert line.usd is None


def test_at_equal_tokens_each_variant_has_its_last_cycle_within_what_all_reached(tmp_path: Path) -> None:
    """Static ends at 200 tokens; gated had 150 after cycle 1; none never asked; big took 500 for its first batch."""
    plans = {"static": (100, 200), "gated": (150, 300), "none": (), "big": (500,)}
    for variant, tokens in plans.items():
        before = [0, *tokens]
        calls = [
            call(f"{variant}{n}", n, now - was) for n, (was, now) in enumerate(zip(before, tokens, strict=False), 1)
        ]
        metrics = [row(0, 0.1), *(row(n, 0.1 + 0.2 * n) for n in range(1, len(tokens) + 1))]
        cell(tmp_path, f"t.{variant}.kall.s0", right(0), ledger=calls, metrics=metrics)
    comparison = listed(tmp_path, *(f"t.{variant}.kall.s0" for variant in plans))
    found = at_equal_tokens(lines(comparison, "t", "all"))
    assert found is not None and found[0] == 200
    assert {variant: round(score, 9) for variant, score in found[1].items()} == {"static": 0.5, "gated": 0.3}
    assert found[2] == 1


def test_at_equal_tokens_a_seed_that_one_has_not_finished_counts_for_none(tmp_path: Path) -> None:
    names = []
    for variant, seeds in {"static": {0: 0.9, 1: 0.1}, "gated": {0: 0.9}}.items():
        for seed, score in seeds.items():
            names.append(f"t.{variant}.kall.s{seed}")
            metrics, calls = [row(0, 0.1), row(1, score)], [call(names[-1], 1, 100)]
            cell(tmp_path, names[-1], right(0), ledger=calls, metrics=metrics)
    found = at_equal_tokens(lines(listed(tmp_path, *names), "t", "all"))
    assert found == (100, {"static": 0.9, "gated": 0.9}, 1)
