"""What is done when the loop is over: a last student learns all there is, and the test set says what it brought."""

import shutil
from collections.abc import Sequence
from itertools import compress
from typing import Any

from ..agents.base import Services
from ..agents.evaluator.gate import calibrated_losses, harms
from ..agents.generator.pool_sampling import unused
from ..agents.trainer.agent import Trainer
from ..agents.trainer.weight_averaging import average_fits
from ..student.base import Student
from ..tasks.base import Example, Prediction, bare
from ..tasks.metrics import paired, pooled, pooled_difference
from ..tasks.task import Points

IMITATED = 1000
"""Most texts of the pool that the last student learns as well, with the probabilities that a first one gives them: they
cost nothing and are what it will meet. Not for entities, where it did not pay."""


def fit_last(services: Services, champion: str, trainer: Trainer) -> None:
    """Train a last student on everything kept and on the gate, which has nothing more to decide, and crown it.

    Where there are texts without labels, it is trained twice: the second student also learns what the first says of
    them (self-training; measured in docs/results/unlabelled-texts.md).

    Without the gate's texts half of the backbone is paid for and never learnt: at 300 texts that cost 2 points on TREC
    and on SST-2 against plain generation. Where the user gave a dev set, the champion stays if that clearly says so.

    Args:
        services: of the run.
        champion: folder of the last champion, relative to the run folder. It stays on disk and goes on as champion if
            the run is resumed with more cycles.
        trainer: says of how many fits it is the mean.
    """
    kept, gate = services.memory.samples("train"), services.memory.samples("gate")
    if not kept:
        return
    folder = services.folder.root / "students" / champion.replace("students/cycle", "final")
    known = [*services.memory.samples("seed"), *kept, *gate]
    # Another order makes another student, by up to a point on 300 texts: the same texts are to make the same one.
    texts = trainer.learnt(services, sorted(known, key=lambda example: example.id))
    imitated: list[Example] = []

    def fitted(seed: int, which: str) -> Student:
        student = services.students.new(seed)
        bar = services.bar(f"last training, on all {len(texts) + len(imitated)} texts{which}")
        student.fit(texts, bar, balance=trainer.balance, imitated=imitated)
        return student

    seeds = [(services.seed + 1) * 10_000 - number for number in range(1, trainer.last_members + 1)]
    if not folder.exists() and (unlabelled := _unlabelled(services, champion)):
        first = folder.with_name(f".{folder.name}-first")
        average_fits(services, first, seeds, fitted)
        imitated += _imitated(services.students.load(first), unlabelled)
    average_fits(services, folder, seeds, fitted)
    shutil.rmtree(folder.with_name(f".{folder.name}-first"), ignore_errors=True)
    if not _harms_dev(services, champion, folder.name):
        services.folder.crown(services.folder.relative(folder))


def _unlabelled(services: Services, champion: str) -> list[str]:
    """Texts of the pool that are near nothing known; none where a student's answers are no probabilities of labels."""
    [answer] = services.students.load(services.folder.root / champion).predict(["a text"])
    return unused(services, services.pool[:IMITATED]) if answer.probabilities else []


def _imitated(student: Student, texts: Sequence[str]) -> list[Example]:
    """The texts with the probabilities that a student gives them."""
    predictions = zip(texts, student.predict(texts), strict=True)
    return [Example(text=text, label=p.label, soft=p.probabilities) for text, p in predictions]


def _harms_dev(services: Services, champion: str, last: str) -> bool:
    dev = services.memory.samples("dev")
    if not dev:
        return False
    sides = [
        calibrated_losses(services.task, dev, _predictions(services, folder, dev))
        for folder in (f"students/{last}", champion)
    ]
    return harms(paired(*sides))


def score_test_set(services: Services, champion: str) -> None:
    """Score the seed-only student and the best one, paired, and write `result.json`; nothing to do without a test.

    Test texts that the training texts have too, letter by letter, are counted, and the best student is scored without
    them as well.

    Args:
        services: of the run.
        champion: folder of the last champion, relative to the run folder; it is scored beside the best student.
    """
    folder = services.folder
    path = folder.root / "data" / "test.jsonl"
    best = (folder.root / "best").resolve().name
    if not path.exists() or _already(services, best):
        return
    examples = folder.read_rows(path, Example)
    predicted = _predictions(services, f"students/{best}", examples)
    untaught = _predictions(services, "students/cycle-000", examples)
    before = _points(services, examples, untaught)
    after = _points(services, examples, predicted)
    last = _points(services, examples, _predictions(services, champion, examples))
    learnt = [*services.memory.samples("train"), *services.memory.samples("gate")]
    trained = {bare(example.text) for example in learnt}
    clean = [bare(example.text) not in trained for example in examples]
    scored = [_scored(*row) for row in zip(examples, untaught, predicted, after, strict=True)]
    folder.write_rows(folder.root / "scored.jsonl", scored)  # before `result.json`, which marks the end
    folder.write_json(
        folder.root / "result.json",
        {
            "champion": best,
            "metric": services.task.metric,
            "seeds only": pooled(before).model_dump(),
            "champion score": pooled(after).model_dump(),
            "before the last training": pooled(last).model_dump(),
            "difference": pooled_difference(after, before).model_dump(),
            "training texts that stand in the test set": clean.count(False),
            "champion score without those": pooled(list(compress(after, clean))).model_dump() if any(clean) else None,
            "details": services.task.score([example.label for example in examples], predicted),
        },
    )


def _scored(example: Example, untaught: Prediction, predicted: Prediction, points: Points) -> dict[str, Any]:
    """One test text for comparisons of runs, paired over texts: the labels, and what it adds to the best's score."""
    said = (each.model_dump(mode="json", include={"label"})["label"] for each in (example, untaught, predicted))
    return {"id": example.id, **dict(zip(("label", "seeds only", "predicted"), said, strict=True)), "points": points}


def _already(services: Services, champion: str) -> bool:
    path = services.folder.root / "result.json"
    return path.exists() and services.folder.read_json(path)["champion"] == champion


def _predictions(services: Services, student: str, examples: list[Example]) -> list[Prediction]:
    bar = services.bar("scoring the test set")
    bar(0, len(examples))
    return services.students.load(services.folder.root / student).predict([example.text for example in examples])


def _points(services: Services, examples: list[Example], predictions: list[Prediction]) -> list[Points]:
    return [
        services.task.points(example.label, prediction.label)
        for example, prediction in zip(examples, predictions, strict=True)
    ]
