"""Pairs of trials: each by itself, and all together over seeds and over texts."""

from benchmarks.paired import told
from evokd.report.compare.statistics import summed

RIGHT, WRONG = (1.0, 1.0), (0.0, 1.0)


def side(right: int, n: int = 40) -> list[tuple[float, float]]:
    return [RIGHT] * right + [WRONG] * (n - right)


def test_each_pair_and_all_together() -> None:
    lines = told([side(30), side(34), side(32)], [side(28), side(30), side(29)], ["s0", "s1", "s2"])
    assert len(lines) == 5 and lines[0].startswith("s0: 0.750 minus 0.700: 0.050")
    assert lines[3].startswith("over seeds: 0.075 [") and "(n=3)" in lines[3]
    assert lines[4].startswith("over texts: 0.075 [") and "(n=40)" in lines[4], "a text counts once, not once a seed"


def test_one_pair_says_nothing_of_other_seeds() -> None:
    assert len(told([side(30)], [side(28)], ["s0"])) == 1


def test_the_points_of_a_text_are_summed_over_runs() -> None:
    assert summed([[RIGHT, WRONG], [RIGHT, RIGHT]]) == [(2.0, 2.0), (1.0, 2.0)]
