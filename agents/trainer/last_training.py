"""The last training: when the loop is over, a last student learns all there is. A step of its own after the loop."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...student.base import Student, Students
from ...tasks.base import Example, Split
from ...tasks.metrics import paired
from ..base import Services, State
from ..evaluator.gate import calibrated_losses, harms
from ..generator.pool_sampling import keep_novel
from .agent import Trainer
from .weight_averaging import average_fits

IMITATED = 1000
"""Most texts of the pool that the last student learns as well, with the probabilities that a first one gives them: they
cost nothing and are what it will meet. Not for entities, where it did not pay."""

SPLITS: tuple[Split, ...] = ("seed", "train", "gate")


@dataclass(frozen=True)
class LastTraining:
    """Trains the last student as the trainer of the run trains, and crowns it. It asks no LLM."""

    trainer: Trainer

    def __call__(self, state: State, services: Services) -> State:
        """Train it, if the trainer's settings want one and anything was learnt; a second time changes nothing."""
        champion = state.get("champion")
        services.folder.drop_rival(state["cycle"] - 1)
        if champion and self.trainer.last_members:
            fit_last(services, champion, self.trainer)
        return State()


def fit_last(services: Services, champion: str, trainer: Trainer) -> None:
    """Train a last student on everything kept and on the gate, which has nothing more to decide, and crown it.

    Where there are texts without labels, it is trained twice: the second student also learns what the first says of
    them (self-training; measured in docs/results.md). An assistant takes the place of the first: one fit of a larger
    encoder on the same texts.

    Without the gate's texts half of the backbone is paid for and never learnt: at 300 texts that cost 2 points on TREC
    and on SST-2 against plain generation (docs/results.md). Where the user gave a dev set, the champion stays if that
    clearly says so.

    Args:
        services: of the run.
        champion: folder of the last champion, relative to the run folder. It stays on disk and goes on as champion if
            the run is resumed with more cycles.
        trainer: says of how many fits it is the mean.
    """
    if not services.memory.samples("train"):
        return
    folder = services.folder.root / "students" / champion.replace("students/cycle", "final")
    texts = last_texts(services, trainer)
    imitated: list[Example] = []

    def learning(students: Students, what: str) -> Callable[[int, str], Student]:
        def fitted(seed: int, which: str) -> Student:
            student = students.new(seed)
            bar = services.bar(f"{what}, on all {len(texts) + len(imitated)} texts{which}")
            student.fit(texts, bar, balance=trainer.balance, imitated=imitated)
            return student

        return fitted

    seeds = [(services.seed + 1) * 10_000 - number for number in range(1, trainer.last_members + 1)]
    if not folder.exists() and (unlabelled := _unlabelled(services, champion)):
        first = folder.with_name(f".{folder.name}-first")
        if services.assistant is None:
            average_fits(services, first, seeds, learning(services.students, "last training"))
        else:
            larger = replace(services, students=services.assistant)
            average_fits(larger, first, seeds[:1], learning(larger.students, "training the assistant"))
        imitated += _imitated((services.assistant or services.students).load(first), unlabelled)
    average_fits(services, folder, seeds, learning(services.students, "last training"))
    shutil.rmtree(folder.with_name(f".{folder.name}-first"), ignore_errors=True)
    if not _harms_dev(services, champion, folder.name):
        services.folder.crown(services.folder.relative(folder))


def last_texts(services: Services, trainer: Trainer) -> list[Example]:
    """All labelled texts that the last student learns: the user's own, those kept and those of the gate."""
    known = [example for split in SPLITS for example in services.memory.samples(split)]
    # Another order makes another student, by up to a point on 300 texts: the same texts are to make the same one.
    return trainer.select_texts(services, sorted(known, key=lambda example: example.id))


def _unlabelled(services: Services, champion: str) -> list[str]:
    """Texts of the pool that are near nothing known; none where a student's answers are no probabilities of labels."""
    [answer] = services.students.load(services.folder.root / champion).predict(["a text"])
    return keep_novel(services, services.pool[:IMITATED]) if answer.probabilities else []


def _imitated(student: Student, texts: Sequence[str]) -> list[Example]:
    """The texts with the probabilities that a student gives them."""
    predictions = zip(texts, student.predict(texts), strict=True)
    return [Example(text=text, label=p.label, soft=p.probabilities) for text, p in predictions]


def _harms_dev(services: Services, champion: str, last: str) -> bool:
    dev = services.memory.samples("dev")
    if not dev:
        return False
    students = (services.students.load(services.folder.root / folder) for folder in (f"students/{last}", champion))
    sides = (calibrated_losses(services.task, dev, each.predict([e.text for e in dev])) for each in students)
    return harms(paired(*sides))
