"""How a batch for lessons is divided between the stances: the shares follow what their texts brought at the gate.

A batch has texts of several stances, and the gate sees only the whole of it. So what one text of a stance brings is
the coefficient of a linear regression of the batches' gains on their counts, and a share is the probability that its
stance brings most: Thompson sampling for linear payoffs (Agrawal & Goyal 2013, arXiv 1209.3352), a batch at a time.
One call writes texts of all stances, so they cost about the same: gain per text is gain per teacher token.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from agents.base import CycleReport, Draft, Figures
from agents.curriculum import after_first, brought, usual_error
from agents.orders import Mix
from tasks.metrics import Score

STANCES = ("typical", "hard", "probe", "rewrite")
"""What a batch for lessons is divided between."""

KINDS = (*STANCES, "breadth", "pool")
"""What a batch can have in all; what is written in breadth or taken from the pool has its own part of the gain."""

USUAL = 0.1
"""Standard errors of a batch by which a text moves the loss on the gate, before any was seen: thirty move it three."""

KEPT = 0.25
"""The part of the configured shares that no evidence moves: a stance that is never written can't be seen to pay."""

DRAWS = 4000

Array = npt.NDArray[np.float64]


def written(drafts: Iterable[Draft]) -> dict[str, int]:
    """How many of each stance, as the counts of a cycle have them."""
    kinds = ("breadth" if draft.stance == "typical" and draft.lesson is None else draft.stance for draft in drafts)
    return {f"written: {kind}": count for kind, count in sorted(Counter(kinds).items())}


def following(mix: Mix, history: Sequence[CycleReport], seed: int) -> Mix:
    """The mix with its shares moved to the stances whose texts paid; as it is where nothing was compared yet.

    Args:
        mix: as configured; a stance without a share gets none.
        history: the finished cycles.
        seed: of the run; the same history gives the same shares.
    """
    own = np.array([getattr(mix, stance) for stance in STANCES])
    tried = own > 0
    rows = _compared(history)
    if not rows or tried.sum() < 2:
        return mix
    _, mean, spread = _effects(rows)
    dice = np.random.default_rng([seed, len(history)])
    drawn = dice.multivariate_normal(mean, spread, size=DRAWS)[:, : len(STANCES)]
    best = np.bincount(np.where(tried, drawn, -np.inf).argmax(axis=1), minlength=len(STANCES)) / DRAWS
    moved = own * best
    shares = KEPT * own / own.sum() + (1 - KEPT) * moved / moved.sum()
    return replace(mix, **{stance: float(share) for stance, share in zip(STANCES, shares, strict=True)})


def brought_by_stance(history: Sequence[CycleReport]) -> dict[str, Figures]:
    """What one text of each stance that was written adds to the loss on the held-out texts, with a 95 % interval.

    Of the batches after the first.
    """
    rows = _compared(history)
    counts, mean, spread = _effects(rows)
    return {
        kind: Score(value=-gain, low=-gain - 1.96 * error, high=-gain + 1.96 * error, n=int(n)).model_dump()
        for kind, n, gain, error in zip(KINDS, counts.sum(axis=0), mean, np.sqrt(np.diag(spread)), strict=True)
        if n
    }


def _compared(history: Sequence[CycleReport]) -> list[CycleReport]:
    return [row for row in after_first(history) or () if row["gate"]]


def _effects(rows: Sequence[CycleReport]) -> tuple[Array, Array, Array]:
    """Texts of each of `KINDS` in each row; loss that one of them takes away: posterior mean and covariance."""
    counts = np.array([[row["counts"].get(f"written: {kind}", 0) for kind in KINDS] for row in rows], dtype=np.float64)
    counts = counts.reshape(len(rows), len(KINDS))
    usual = usual_error(rows)
    gains = [brought(row, usual) for row in rows]
    scaled = counts / np.array([gain.error for gain in gains]).reshape(-1, 1)
    spread = np.linalg.inv(np.eye(len(KINDS)) / (USUAL * usual) ** 2 + scaled.T @ scaled)
    return counts, spread @ scaled.T @ np.array([gain.value / gain.error for gain in gains]), spread
