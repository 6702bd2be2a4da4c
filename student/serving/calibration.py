"""Whether a student's probabilities mean what they say, and the temperature that makes them.

Temperature scaling (Guo et al. 2017, arXiv 1706.04599): one number, by which all logits are divided. It changes how
sure an answer is and never which one is given.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from ...tasks.base import Example, Prediction
from ...tasks.task import Task

Vector = npt.NDArray[np.float64]

SPREAD = 1.0
"""Standard deviation of the logarithm of the temperature that suits a student, before any text is seen: for students of
120 to 280 texts 0.6 to 3.3 was best."""

FARTHEST = 2.0
"""Bound of that logarithm: temperatures from 0.14 to 7.4."""

BINS = 15
"""Of the calibration error, as in the literature."""


def losses(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], temperature: float) -> Vector:
    """How wrong each prediction is at a temperature, in nats (`Task.loss`)."""
    pairs = zip(examples, predictions, strict=True)
    return np.array([task.loss(example, prediction, 1 / temperature) for example, prediction in pairs])


def fit_temperature(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> float:
    """The temperature at which the predictions are least wrong; a prior keeps it near one where texts are few.

    Args:
        task: says how wrong a prediction is.
        examples: with the right labels.
        predictions: one for each, of a student that has not learnt them.
    """
    from scipy.optimize import minimize_scalar

    def cost(logarithm: float) -> float:
        told = losses(task, examples, predictions, math.exp(logarithm)).sum()
        return float(told + (logarithm / SPREAD) ** 2 / 2)

    found = minimize_scalar(cost, bounds=(-FARTHEST, FARTHEST), method="bounded", options={"xatol": 0.005})
    return math.exp(float(found.x))


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> dict[str, JsonValue]:
    """How far confidences are from the truth.

    Args:
        confidences: what each answer was given, 0 to 1.
        right: whether it was right.

    Returns:
        `n`; `ece`, the expected calibration error over `BINS` bins of equal width; `brier`, the mean square of
        confidence minus 1 or 0; and `bins`, from the least sure on, with `n`, the mean `confidence` and the `accuracy`
        of each that is not empty. No answers have neither error nor bins.
    """
    sure, hit = np.asarray(confidences, dtype=float), np.asarray(right, dtype=float)
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    found = [places == place for place in np.unique(places)]
    bins: list[JsonValue] = [
        {"n": int(own.sum()), "confidence": float(sure[own].mean()), "accuracy": float(hit[own].mean())}
        for own in found
    ]
    gaps = (own.sum() * abs(sure[own].mean() - hit[own].mean()) for own in found)
    told: dict[str, JsonValue] = {"n": len(sure), "bins": bins}
    if len(sure):
        told |= {"ece": float(sum(gaps)) / len(sure), "brier": float(np.mean((sure - hit) ** 2))}
    return told
