"""What a student makes of labelled texts, text by text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evokd.agents.evaluator.gate import calibrated_losses
from evokd.student.serving.calibration import Vector
from evokd.student.transformer import TransformerStudent
from evokd.tasks.base import Example, Prediction
from evokd.tasks.task import Task


@dataclass(frozen=True)
class Scores:
    """One value a text."""

    right: Vector
    """1 where the answer is right, else 0."""
    loss: Vector
    """In nats."""
    calibrated: Vector
    """The loss at the power of the probabilities that suits the student (`agents/evaluator/gate.py`)."""


def scores(task: Task, student: TransformerStudent, texts: Sequence[Example]) -> Scores:
    """Let the student answer."""
    return judged(task, texts, student.predict([text.text for text in texts]))


def judged(task: Task, texts: Sequence[Example], answers: Sequence[Prediction]) -> Scores:
    """What the answers are worth."""
    pairs = list(zip(texts, answers, strict=True))
    return Scores(
        np.array([float(task.is_right(text.label, answer.label)) for text, answer in pairs]),
        np.array([task.loss(text, answer) for text, answer in pairs]),
        calibrated_losses(task, texts, answers),
    )
