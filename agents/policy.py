"""What the next batch is: texts for lessons, or more typical ones. A bandit chooses by what each brought at the gate.

Plain generation is the arm that lessons have to beat: what a batch cost would have bought as many typical texts.
Thompson sampling (Russo et al. 2018, arXiv 1707.02038): each arm is drawn from what is known of it, and the better draw
is played, so that the arm that pays gets most batches and the other is not forgotten while it is in doubt.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..tasks.metrics import Score
from .base import BatchKind, CycleReport
from .batch_stats import has_no_drafts
from .trainer.difficulty import are_too_hard

LEAST_ERROR = 0.0005
"""Of a gain in loss: a handful of held-out texts can agree by chance, and would then outweigh all that comes later."""

REST = 4
"""Batches for which they rest; then the student may have grown."""

ARMS: tuple[BatchKind, ...] = ("lessons", "breadth")
"""In the order in which they are tried first."""


@dataclass(frozen=True)
class Gain:
    """By how much the loss on the held-out texts fell, and the standard error of that."""

    value: float
    error: float

    def per(self, amount: float) -> "Gain":
        """Of one unit of what it took."""
        return Gain(self.value / amount, self.error / amount)


UNKNOWN = 0.01
"""Standard error of one batch where none was compared: that of a label's loss on 150 texts."""


def estimate_gain(row: CycleReport, unknown: float = UNKNOWN) -> Gain:
    """What the batch of a cycle brought at the gate; nothing, give or take `unknown`, if it left nothing to compare."""
    loss = _gate_loss(row)
    if loss is None or loss.error is None:  # an empty batch, or one that changed nothing
        return Gain(0.0, unknown)
    return Gain(-loss.value, max(LEAST_ERROR, loss.error))


def median_error(rows: Sequence[CycleReport]) -> float:
    """Median standard error of what batches brought: entities have another loss, and a larger one, than labels."""
    errors = [loss.error for row in rows if (loss := _gate_loss(row)) is not None and loss.error is not None]
    return max(LEAST_ERROR, median(errors)) if errors else UNKNOWN


def _gate_loss(row: CycleReport) -> Score | None:
    found = row["gate"].get("loss")
    return Score.model_validate(found) if found else None


def after_first(history: Sequence[CycleReport]) -> Sequence[CycleReport] | None:
    """The cycles after the first batch that was learnt; None before there is one.

    Whatever that batch is, it is worth more than any later one: it is no evidence for its kind of texts.
    """
    learnt = [place for place, row in enumerate(history) if row["batch_kind"] in ARMS and row["kept"]]
    return history[learnt[0] + 1 :] if learnt else None


def next_batch_kind(history: Sequence[CycleReport], seed: int) -> BatchKind:
    """What the next batch is: breadth until something is learnt, then each arm once, then by the bandit.

    Lessons that are too hard for the student rest for a while, whatever the bandit says.

    Args:
        history: the finished cycles.
        seed: of the run; the same history gives the same answer.
    """
    later = after_first(history)
    if later is None:
        return "breadth"
    if not any(row["gate"] for row in history):
        return "lessons"  # nothing is held out to compare on
    played = {arm: [row for row in later if row["batch_kind"] == arm] for arm in ARMS}
    for arm, rows in played.items():
        if not rows:
            return arm
    if _are_lessons_too_hard(later):
        return "breadth"  # also where that has no more texts: the run rather ends
    able = [arm for arm, rows in played.items() if _has_texts(rows[-1])]
    rng = random.Random(f"{seed} {len(history)}")
    unknown = median_error(later)
    return max(able or ARMS, key=lambda arm: _draw(played[arm], unknown, rng))


def _has_texts(row: CycleReport) -> bool:
    """Whether anything was written in a cycle: an arm that comes to an end is left to rest while the other goes on."""
    return not has_no_drafts(row["stats"])


def _are_lessons_too_hard(later: Sequence[CycleReport]) -> bool:
    """Whether the last lessons were too hard for the student, and not long ago.

    What a batch brings is smaller than what held-out texts can tell; what it asks of the student can be counted.
    """
    recent = [row["stats"] for row in later[-REST:] if row["batch_kind"] == "lessons"]
    return bool(recent) and are_too_hard(recent[-1].get("too_hard", 0), recent[-1].get("for_lessons", 0))


def _draw(rows: Sequence[CycleReport], unknown: float, rng: random.Random) -> float:
    """A gain that the arm may have: from the normal distribution that its batches leave of its mean."""
    gains = [estimate_gain(row, unknown).per(_thousand_tokens(row)) for row in rows]
    weights = [1 / gain.error**2 for gain in gains]
    mean = sum(weight * gain.value for weight, gain in zip(weights, gains, strict=True)) / sum(weights)
    return rng.gauss(mean, math.sqrt(1 / sum(weights)))


def _thousand_tokens(row: CycleReport) -> float:
    """Teacher tokens that a cycle took, or would have taken without a cache, in thousands.

    What is shared with other runs must not decide what this one does next.
    """
    spent = row["teacher"]
    return max(1.0, spent.get("tokens", spent.get("input", 0.0) + spent.get("output", 0.0))) / 1000
