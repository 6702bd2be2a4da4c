"""The calibration: what the best student's confidence is worth. A step of its own after the last training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...student.serving.calibration import fit_temperature
from ...student.serving.confidence import NAME, Confidence, note_temperature
from ...tasks.base import Example, Prediction
from ...tasks.task import Task
from ..base import Services, State
from ..cases import LEAST
from .agent import Trainer
from .last_training import last_texts
from .out_of_fold import answer_out_of_fold, drop_fits

ENOUGH = 100
"""Rows of the user's dev file from which they are asked, and not the training texts: they are real ones."""


@dataclass(frozen=True)
class Calibration:
    """Fits the temperature of the best student and writes its `confidence.json`. It asks no LLM."""

    trainer: Trainer

    def __call__(self, state: State, services: Services) -> State:
        """Calibrate, if there are texts to do it with; a second time changes nothing."""
        best = (services.folder.root / "best").resolve()
        if state.get("champion") and best.is_dir():
            calibrate(services, best, self.trainer)
        return State()


def calibrate(services: Services, folder: Path, trainer: Trainer) -> None:
    """Write what is known of the confidence of the student in `folder`, unless it is there.

    Where the user gave enough dev rows, which no student learns, they are asked. Otherwise the training texts are, out
    of fold; not for a trainer without a last training (`last_members = 0`), whose student cannot be fitted again from
    its texts alone. Entities have no temperature: see docs/results/calibration.md.
    """
    if not (folder / NAME).exists():
        dev, student = services.memory.samples("dev"), services.students.load(folder)
        if not student.predict(["a text"])[0].probabilities:
            return
        if len(dev) >= ENOUGH:
            said = zip(dev, student.predict([example.text for example in dev]), strict=True)
            confidence = measure(services.task, list(said), is_dev=True)
        elif trainer.last_members and len(texts := last_texts(services, trainer)) >= LEAST:
            answers = answer_out_of_fold(services, folder, texts, trainer.balance)
            confidence = measure(services.task, answers)
        else:
            return
        if folder.name.startswith("final-"):  # a checkpoint knows the files of the others, and that they never change
            note_temperature(folder, confidence.temperature)
        confidence.write(folder)
    drop_fits(folder)


def measure(task: Task, answers: Sequence[tuple[Example, Prediction]], *, is_dev: bool = False) -> Confidence:
    """What answers to texts that were not learnt say of a student's confidence.

    Args:
        task: says which are right.
        answers: texts with their right labels, and what was said of them.
        is_dev: whether they are rows of the user's own, answered by the student itself.
    """
    examples, raw = [example for example, _ in answers], [prediction for _, prediction in answers]
    temperature = fit_temperature(task, examples, raw)
    said = [prediction.at_temperature(temperature) for prediction in raw]
    ranked = sorted(zip(said, examples, strict=True), key=lambda pair: -pair[0].probability)
    of_label = [p.probabilities[e.label] for e, p in answers if isinstance(e.label, str) and e.label in p.probabilities]
    return Confidence(
        temperature=temperature,
        source="dev" if is_dev else "out of fold",
        confidences=tuple(prediction.probability for prediction, _ in ranked),
        right=tuple(task.is_right(example.label, prediction.label) for prediction, example in ranked),
        of_label=tuple(of_label) if is_dev else (),
    )
