import json

import numpy as np
import pytest

from evokd.tasks.metrics import RESAMPLES, Score, mean, paired, pooled, pooled_difference


def test_accuracy_has_wilsons_interval() -> None:
    score = mean([True] * 8 + [False] * 2)
    assert score.value == 0.8
    assert (score.low, score.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_accuracy_at_the_extremes_claims_no_certainty(n: int) -> None:
    worst, best = mean([0] * n), mean([1] * n)
    assert (worst.low, best.high) == (0.0, 1.0)
    assert worst.high is not None
    assert best.low is not None
    assert worst.high == pytest.approx(1 - best.low) == pytest.approx(3.8415 / (n + 3.8415), abs=1e-4)


def test_the_bootstrap_agrees_with_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(loc=2, scale=3, size=2000)
    score = mean(values.tolist())
    half = 1.96 * values.std(ddof=1) / 2000**0.5
    assert score.low == pytest.approx(score.value - half, abs=0.03)
    assert score.high == pytest.approx(score.value + half, abs=0.03)
    assert score == mean(values.tolist()), "seeded"


def test_pairs_find_what_two_means_cannot() -> None:
    rng = np.random.default_rng(2)
    hardness = rng.normal(scale=5, size=400)
    a, b = hardness + 0.2 + rng.normal(scale=0.5, size=400), hardness
    difference = paired(a.tolist(), b.tolist())
    assert difference.differs_from(0)
    assert difference.value == pytest.approx(0.2, abs=0.1)
    one, other = mean(a.tolist()), mean(b.tolist())
    assert one.low is not None
    assert other.high is not None
    assert one.low < other.high, "the two intervals overlap"
    assert paired(b.tolist(), a.tolist()).value == -difference.value


@pytest.mark.parametrize("score", [mean([0.5]), mean([0.3] * 9), paired([1], [0]), paired([0, 1, 1], [0, 1, 1])])
def test_too_few_to_tell(score: Score) -> None:
    assert (score.low, score.high) == (None, None)
    assert not score.differs_from(score.value + 1)
    assert "too few to tell" in str(score)
    assert Score.model_validate(json.loads(json.dumps(score.model_dump(), allow_nan=False))) == score


@pytest.mark.parametrize("wrong", [[], [float("nan")], [1.0, float("inf")]])
def test_values_that_cannot_be_scored(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match=r"nothing to score|not a finite number"):
        mean(wrong)
    with pytest.raises(ValueError, match=r"nothing to score|not a finite number"):
        paired(wrong, wrong)


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(ValueError, match="got 2 and 1"):
        paired([1, 0], [1])


def test_text_of_a_score() -> None:
    assert str(Score(value=0.5, low=0.25, high=0.75, n=12)) == "0.500 [0.250, 0.750] (n=12)"


def test_resamples_are_enough_for_the_tails() -> None:
    assert RESAMPLES * 0.025 > 20


def test_pooled_accuracy_is_the_mean_with_wilsons_interval():
    right = [1.0] * 30 + [0.0] * 10
    assert pooled([(value, 1.0) for value in right]) == mean(right)


def test_pooled_micro_f1_is_the_ratio_of_the_sums_and_not_the_mean_of_ratios():
    points = [(2.0, 2.0), (0.0, 1.0), (2.0, 4.0), (0.0, 0.0)] * 25
    score = pooled(points)
    assert score.value == pytest.approx(4 / 7)
    assert score.n == 100 and score.low < 4 / 7 < score.high


def test_nothing_to_find_and_nothing_said_is_right():
    assert pooled([(0.0, 0.0)] * 5).value == 1.0


def test_a_pooled_difference_is_paired():
    worse = [(0.0, 2.0), (2.0, 3.0)] * 40
    better = [(2.0, 2.0), (2.0, 3.0)] * 40
    difference = pooled_difference(better, worse)
    assert difference.value == pytest.approx(4 / 5 - 2 / 5)
    assert difference.low > 0.2
    same = pooled_difference(worse, worse)
    assert same.value == 0.0 and same.low is None


def test_a_pooled_difference_of_accuracies_is_the_paired_one():
    a, b = [1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0]
    assert pooled_difference([(x, 1.0) for x in a], [(x, 1.0) for x in b]) == paired(a, b)


def test_pooled_refuses_unequal_lengths_and_what_is_not_a_number():
    with pytest.raises(ValueError, match="the same examples twice, got 1 and 2"):
        pooled_difference([(1.0, 1.0)], [(1.0, 1.0), (0.0, 1.0)])
    with pytest.raises(ValueError, match="not a finite number"):
        pooled([(1.0, float("nan"))])
