"""The gate: is a student trained with the batch better than one trained without it, on texts neither was trained on?

Measured over every held-out text, paired text by text, with an interval. Both students are means of several fits, and
each is first made as sure as it should be: a student with few texts is too sure of sentiment and not sure enough of
question types, and every further text moves that, whatever it teaches (docs/results/gate.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...student.serving.calibration import Vector, fit_temperature, losses
from ...tasks.base import Example, Prediction
from ...tasks.metrics import Score, paired, pooled_difference
from ...tasks.task import Points, Task
from ..base import Figures, Services

FEWEST = 40
"""Held-out texts below which only the veto of a dev set can shelve a batch: a teacher that can label little leaves a
small gate, and then more texts are the better bet (docs/results/embedded-teacher.md)."""

FEWEST_DEV = 20
"""Texts of a dev set that has a veto; with four, one batch in ten that does no harm would be shelved by chance."""

CHANCE = 1.64
"""Standard errors by which a batch must be worse to be shelved (one-sided 5 %): its texts are paid for, and more are
better than fewer. It once had to be better beyond chance, and lessons that helped were shelved."""


@dataclass(frozen=True)
class Decision:
    """Whether the batch stays, why, and the figures it was decided on."""

    keep: bool
    why: str
    evidence: dict[str, Figures] = field(default_factory=dict)


def decide(services: Services, cycle: int) -> Decision:
    """Keep the batch unless the challenger is worse than its rival by more than `CHANCE` standard errors.

    The dev set, where the user gave one, also has a veto of its own: a batch that clearly harms it is shelved whatever
    the gate says.
    """
    held_out = [*services.memory.samples("gate"), *services.memory.samples("dev")]
    if not held_out:
        return Decision(True, "nothing held out to compare on")
    if not services.folder.rival(cycle).exists():
        return Decision(True, "no gate: every batch stays, as the trainer makes no rival to compare it with")
    with_batch = _score_side(services, services.folder.student(cycle), held_out)
    without = _score_side(services, services.folder.rival(cycle), held_out)
    loss = paired(with_batch.loss, without.loss)
    score = pooled_difference(with_batch.points, without.points)
    evidence = {"loss": loss.model_dump(), "score": score.model_dump()}
    figures = f"loss with the batch minus loss without it: {loss}; {services.task.metric}: {score}"
    dev = [number for number, example in enumerate(held_out) if example.split == "dev"]
    if dev:
        on_dev = paired(with_batch.loss[dev], without.loss[dev])
        if harms(on_dev):
            return Decision(False, f"it harms the dev set ({on_dev}); {figures}", evidence)
    if len(held_out) < FEWEST:
        return Decision(
            True, f"it stays, as {len(held_out)} held-out texts are too few to judge by; {figures}", evidence
        )
    keep = loss.value - CHANCE * (loss.error or 0.0) <= 0
    return Decision(keep, f"it {'passes' if keep else 'does not pass'} the gate: {figures}", evidence)


def harms(on_dev: Score) -> bool:
    """Whether a difference in loss on a dev set is a clear loss; of a few texts the bootstrap is far too sure."""
    clear = on_dev.differs_from(0.0) or on_dev.low is None  # no interval: all differ by the same
    return on_dev.value > 0 and clear and on_dev.n >= FEWEST_DEV


@dataclass(frozen=True)
class Side:
    """One side of the comparison, per held-out text."""

    loss: Vector
    points: list[Points]


def _score_side(services: Services, student: Path, texts: Sequence[Example]) -> Side:
    predictions = services.students.load(student).predict([example.text for example in texts])
    return Side(
        calibrated_losses(services.task, texts, predictions),
        [services.task.points(e.label, p.label) for e, p in zip(texts, predictions, strict=True)],
    )


def calibrated_losses(task: Task, texts: Sequence[Example], predictions: Sequence[Prediction]) -> Vector:
    """The loss of each text at the temperature that makes the mean loss smallest.

    It is fitted on the texts that are scored: one number for each side of a comparison learns none of them by heart.
    Where texts are few, or all right whatever the power, the prior keeps it near one.
    """
    return losses(task, texts, predictions, fit_temperature(task, texts, predictions))
