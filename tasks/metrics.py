"""Numbers with their n and their 95 % interval: means, paired differences, ratios of sums.

Every interval is one of three kinds, so that none claims a certainty it does not have:

* values that are all 0 or 1 (accuracy): Wilson's score interval. It is in closed form and stays honest at 0/n and
  n/n, where every bootstrap gives a width of zero.
* other values, ratios of sums (micro F1) and paired differences: percentile bootstrap over examples
  (`scipy.stats.bootstrap`, seeded).
* fewer than two values, or nothing but equal ones (no resample could differ): no interval, "too few to tell".
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from .base import Frozen
from .task import Points

CONFIDENCE = 0.95
RESAMPLES = 999
SEED = 0
CELLS_AT_ONCE = 1_000_000
"""Bounds what one batch of resamples takes: 8 MB of values and as much again of indices."""

Floats = npt.NDArray[np.float64]
Values = Sequence[float] | Sequence[bool] | Floats


class Score(Frozen):
    """A mean or a difference of means over `n` examples with its 95 % interval; None, None: too few to tell."""

    value: float
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (n={self.n}, too few to tell)"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n})"

    @property
    def error(self) -> float | None:
        """The standard error that the interval stands for; None where there is no interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / (2 * 1.96)

    def differs_from(self, reference: float = 0.0) -> bool:
        """Whether the interval leaves `reference` out; never where there is no interval."""
        return self.low is not None and self.high is not None and not self.low <= reference <= self.high


def mean(values: Values) -> Score:
    """The mean over examples: correctness (0 or 1), losses in nats, or any other finite number for each.

    Raises:
        ValueError: there are no values, or one is not finite.
    """
    array = _checked(values)
    value = float(array.mean())
    if bool(np.isin(array, (0.0, 1.0)).all()):
        return _wilson(value, array.size)
    return _bootstrapped(array)


def paired(a: Values, b: Values) -> Score:
    """The mean of `a - b` over the same examples; above zero where `a` has the larger values.

    Raises:
        ValueError: there are no values, one is not finite, or the lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"A paired difference needs the same examples twice, got {len(a)} and {len(b)} values.")
    return _bootstrapped(_checked(a) - _checked(b))


def pooled(points: Sequence[Points]) -> Score:
    """The ratio of the sums of what examples add to a main score: accuracy, or micro F1.

    Raises:
        ValueError: there are no points, or one is not finite.
    """
    top, bottom = _sides(points)
    if bool((bottom == 1.0).all()):
        return mean(top)
    return _bootstrapped_ratio(_ratio, (top, bottom))


def pooled_difference(a: Sequence[Points], b: Sequence[Points]) -> Score:
    """The pooled score of `a` minus that of `b` over the same examples.

    Raises:
        ValueError: there are no points, one is not finite, or the lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"A paired difference needs the same examples twice, got {len(a)} and {len(b)} points.")
    (top_a, bottom_a), (top_b, bottom_b) = _sides(a), _sides(b)
    if bool((bottom_a == 1.0).all() and (bottom_b == 1.0).all()):
        return paired(top_a, top_b)
    return _bootstrapped_ratio(
        lambda ta, ba, tb, bb, axis=-1: _ratio(ta, ba, axis) - _ratio(tb, bb, axis), (top_a, bottom_a, top_b, bottom_b)
    )


def _wilson(value: float, n: int) -> Score:
    """Wilson (1927), without continuity correction."""
    z = 1.959963984540054
    centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    # At 0/n and n/n rounding would leave an end just beside the value.
    low, high = min(max(centre - half, 0.0), value), max(min(centre + half, 1.0), value)
    return Score(value=value, low=low, high=high, n=n)


def _bootstrapped(values: Floats) -> Score:
    value = float(values.mean())
    if values.size < 2 or float(np.ptp(values)) == 0.0:
        return Score(value=value, low=None, high=None, n=values.size)
    from scipy.stats import bootstrap

    interval = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        batch=max(1, CELLS_AT_ONCE // values.size),
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Score(value=value, low=float(interval.low), high=float(interval.high), n=values.size)


def _sides(points: Sequence[Points]) -> tuple[Floats, Floats]:
    """Numerators and denominators."""
    return _checked([top for top, _ in points]), _checked([bottom for _, bottom in points])


def _ratio(top: Floats, bottom: Floats, axis: int = -1) -> Floats:
    """Sum over sum; where nothing was to be found and nothing was said, one."""
    tops, bottoms = top.sum(axis=axis), bottom.sum(axis=axis)
    shares = np.divide(tops, bottoms, out=np.ones_like(tops, dtype=np.float64), where=bottoms > 0)
    return np.asarray(shares, dtype=np.float64)


def _bootstrapped_ratio(statistic: Callable[..., Floats], sides: tuple[Floats, ...]) -> Score:
    value, n = float(statistic(*sides)), sides[0].size
    if n < 2 or all(float(np.ptp(side)) == 0.0 for side in sides):
        return Score(value=value, low=None, high=None, n=n)
    from scipy.stats import bootstrap

    interval = bootstrap(
        sides,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        paired=True,
        vectorized=True,
        batch=max(1, CELLS_AT_ONCE // n),
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    low, high = float(interval.low), float(interval.high)
    return Score(value=value, low=low, high=high, n=n) if low < high else Score(value=value, low=None, high=None, n=n)


def _checked(values: Values) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError("There is nothing to score: no values were given.")
    if not bool(np.isfinite(array).all()):
        raise ValueError(f"Value {int(np.argmin(np.isfinite(array)))} of {array.size} is not a finite number.")
    return array
