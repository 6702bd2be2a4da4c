"""What students fitted like the last one say of its own texts, each of a student that has not learnt it.

The last student learns all there is, the gate's texts too, so nothing is left to see how sure it may be. Its recipe is
therefore fitted again without a part of the texts, once for each part (cross-validation).
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ...tasks.base import Example, Prediction
from ..base import Services
from .weight_averaging import hash_settings

FOLDS = 4
"""Parts of the texts. A single fit for each costs less than the five fits of the last training."""


def answer_out_of_fold(
    services: Services, folder: Path, texts: Sequence[Example], balance: bool
) -> list[tuple[Example, Prediction]]:
    """Every text with what a student says that has learnt the others; a killed run finds the fits it had finished.

    Args:
        services: of the run.
        folder: of the student that is to be calibrated; the fits lie beside it for as long as it takes.
        texts: what that student has learnt.
        balance: whether it learnt them in balance.
    """
    # By label, so that every part has its share of each; ids are hashes, so the order within a label is chance.
    order = sorted(texts, key=lambda example: (services.task.names(example.label), example.id))
    answers: list[tuple[Example, Prediction]] = []
    for number in range(FOLDS):
        held = order[number::FOLDS]
        part = folder.with_name(f".{folder.name}-fold-{number}-{hash_settings(services)}")
        if not part.exists():
            rest = [example for place, example in enumerate(order) if place % FOLDS != number]
            student = services.students.new((services.seed + 1) * 10_000 - 100 - number)
            bar = services.bar(f"calibration, fit {number + 1} of {FOLDS} on {len(rest)} texts")
            student.fit(rest, bar, balance=balance)
            student.save(part)
        said = services.students.load(part).predict([example.text for example in held])
        answers += zip(held, said, strict=True)
    return answers


def drop_fits(folder: Path) -> None:
    """Remove what `answer_out_of_fold` left."""
    for part in folder.parent.glob(f".{folder.name}-fold-*"):
        shutil.rmtree(part)
