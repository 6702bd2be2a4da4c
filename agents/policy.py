"""What the next batch is: texts of the pool to label, texts for lessons, or more typical ones.

A bandit chooses by what each brought at the gate for what it cost. Plain generation is the arm that the others have to
beat: what a batch cost would have bought as many typical texts. Thompson sampling (Russo et al. 2018, arXiv
1707.02038): each arm is drawn from what is known of it, and the best draw is played, so that the arm that pays gets
most batches and the others are not forgotten while they are in doubt.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from ..tasks.metrics import Score
from .base import BatchKind, CycleReport
from .batch_stats import has_no_drafts
from .evaluator.gate import CHANCE
from .trainer.difficulty import are_too_hard

LEAST_ERROR = 0.0005
"""Of a gain in loss: a handful of held-out texts can agree by chance, and would then outweigh all that comes later."""

REST = 4
"""Batches for which lessons that are too hard rest; then the student may have grown."""

TRIES = 3
"""Last batches of an arm that have to bring something between them: after fewer, an arm is given up by chance."""

ARMS: tuple[BatchKind, ...] = ("label", "lessons", "breadth")
"""In the order in which they are tried first: real texts brought most by far (docs/results/choosing-what-to-do.md)."""

NAMES: Mapping[BatchKind, str] = {
    "label": "labelling your texts",
    "lessons": "writing for lessons",
    "breadth": "writing in breadth",
}
"""What is said of each to a person."""


@dataclass(frozen=True)
class Gain:
    """By how much the loss on the held-out texts fell, and the standard error of that."""

    value: float
    error: float

    def per(self, amount: float) -> "Gain":
        """Of one unit of what it took."""
        return Gain(self.value / amount, self.error / amount)

    def __str__(self) -> str:
        return f"{self.value:+.4f} (± {self.error:.4f})"


@dataclass(frozen=True)
class Choice:
    """What the next batch is, and what else there would be."""

    batch_kind: BatchKind
    why: str
    """In one sentence."""
    left: tuple[BatchKind, ...] = ARMS
    """The arms that may bring something yet."""
    spent: Mapping[BatchKind, str] = field(default_factory=dict)
    """The other arms, each with the reason."""


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


def choose(history: Sequence[CycleReport], seed: int, pool_left: int | None = None) -> Choice:
    """What the next batch is: breadth until something is learnt, then each arm once, then by the bandit.

    Lessons that are too hard for the student rest for a while, whatever the bandit says.

    Args:
        history: the finished cycles.
        seed: of the run; the same history gives the same answer.
        pool_left: texts of the pool that nobody has looked at; None where there is no pool.
    """
    later, arms = after_first(history), ARMS if pool_left is not None else ARMS[1:]
    if later is None:
        return Choice("breadth", "Nothing is learnt yet, so it begins with writing in breadth.", arms)
    played = {arm: [row for row in later if row["batch_kind"] == arm] for arm in arms}
    spent = _find_spent(played, later, pool_left)
    left = tuple(arm for arm in arms if arm not in spent)
    if not any(row["gate"] for row in history):
        kind: BatchKind = "label" if "label" in left else "lessons"
        return Choice(kind, "Nothing is held out to compare on.", left, spent)
    untried = [arm for arm in left if not played[arm]]
    waits = "label" in left and _is_clear(played["label"])
    if untried and not waits:
        return Choice(untried[0], f"{_sentence(NAMES[untried[0]])} has not been tried yet.", left, spent)
    able = [arm for arm in left if arm not in untried]
    able = able or [arm for arm in arms if arm != "lessons" or not _are_lessons_too_hard(later)]
    known = {arm: _mean_gain(played[arm], median_error(later)) for arm in able}
    told = {arm: f"{NAMES[arm]} {known[arm]} in {len(played[arm])}" for arm in able}
    best, why = _draw_best(known, told, f"{seed} {len(history)}")
    why += ". What has not been tried waits while labelling brings so much" if untried else ""
    return Choice(best, f"{why}.", left, spent)


def _draw_best(known: Mapping[BatchKind, Gain], told: Mapping[BatchKind, str], seed: str) -> tuple[BatchKind, str]:
    """Draw a gain for each arm; the arm with the best, and the reason."""
    rng = random.Random(seed)
    draws = {arm: rng.gauss(gain.value, gain.error) for arm, gain in known.items()}
    best = max(draws, key=lambda arm: draws[arm])
    by_gain = sorted(known, key=lambda arm: -known[arm].value)
    why = "Gain in loss for 1,000 tokens, and batches: " + "; ".join(told[arm] for arm in by_gain)
    return best, why if best == by_gain[0] else f"{why}. What is in doubt is tried again: now {NAMES[best]}"


def _is_clear(rows: Sequence[CycleReport]) -> bool:
    """Whether the last of the batches brought something beyond chance.

    Later written batches hardly ever do (docs/results/gate.md). To try them at once took a quarter of the tokens on 77
    classes, and brought nothing (docs/results/choosing-what-to-do.md).
    """
    if not rows:
        return False
    gain = estimate_gain(rows[-1])
    return gain.value > CHANCE * gain.error


def _find_spent(
    played: Mapping[BatchKind, Sequence[CycleReport]], later: Sequence[CycleReport], pool_left: int | None
) -> dict[BatchKind, str]:
    """The arms that nothing can be expected of, each with the reason."""
    spent: dict[BatchKind, str] = {}
    for arm, rows in played.items():
        if arm == "label" and not pool_left:
            spent[arm] = "none is left"
        elif rows and has_no_drafts(rows[-1]["stats"]):
            spent[arm] = "the last batch had no new text"
        elif arm == "lessons" and _are_lessons_too_hard(later):
            spent[arm] = "they are too hard for the student"
        elif _brought_nothing(rows[-TRIES:], median_error(later)):
            spent[arm] = f"the last {TRIES} batches brought nothing"
    return spent


def _brought_nothing(rows: Sequence[CycleReport], unknown: float) -> bool:
    """Whether an arm was tried so often, and held-out texts show no gain; where none are held out, nobody knows."""
    compared = any(_gate_loss(row) for row in rows)
    return compared and len(rows) == TRIES and _mean_gain(rows, unknown).value <= 0


def _are_lessons_too_hard(later: Sequence[CycleReport]) -> bool:
    """Whether the last lessons were too hard for the student, and not long ago.

    What a batch brings is smaller than what held-out texts can tell; what it asks of the student can be counted.
    """
    recent = [row["stats"] for row in later[-REST:] if row["batch_kind"] == "lessons"]
    return bool(recent) and are_too_hard(recent[-1].get("too_hard", 0), recent[-1].get("for_lessons", 0))


def _mean_gain(rows: Sequence[CycleReport], unknown: float) -> Gain:
    """What is known of the gain of an arm for 1,000 tokens: the mean over its batches, by how sure each is."""
    gains = [estimate_gain(row, unknown).per(_thousand_tokens(row)) for row in rows] or [Gain(0.0, unknown)]
    weights = [1 / gain.error**2 for gain in gains]
    mean = sum(weight * gain.value for weight, gain in zip(weights, gains, strict=True)) / sum(weights)
    return Gain(mean, math.sqrt(1 / sum(weights)))


def _thousand_tokens(row: CycleReport) -> float:
    """Teacher tokens that a cycle took, or would have taken without a cache, in thousands.

    What is shared with other runs must not decide what this one does next.
    """
    spent = row["teacher"]
    return max(1.0, spent.get("tokens", spent.get("input", 0.0) + spent.get("output", 0.0))) / 1000


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
