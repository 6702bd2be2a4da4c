"""The final test: the test set is opened once, when the run has ended. A step of its own after the last training."""

from dataclasses import dataclass
from itertools import compress
from typing import Any

from ...student.serving.calibration import reliability
from ...student.serving.confidence import read_confidence
from ...tasks.base import Example, Prediction, bare
from ...tasks.metrics import pooled, pooled_difference
from ...tasks.task import Points
from ..base import CycleReport, Services, State


@dataclass(frozen=True)
class FinalTest:
    """Scores the seed-only student, the last champion and the best student on the user's test file."""

    def __call__(self, state: State, services: Services) -> State:
        """Write `result.json`, if there is a test file and a student; what is written already is left as it is."""
        if champion := state.get("champion"):
            score_test_set(services, champion, state["history"][-1] if state.get("history") else None)
        return State()


def score_test_set(services: Services, champion: str, ended: CycleReport | None = None) -> None:
    """Score the seed-only student and the best one, paired, and write `result.json`; nothing to do without a test.

    Test texts that the training texts have too, letter by letter, are counted, and the best student is scored without
    them as well.

    Args:
        services: of the run.
        champion: folder of the last champion, relative to the run folder; it is scored beside the best student.
        ended: the last cycle; its outlook and its score on the gate are results as well.
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
            "outlook": ended["outlook"] if ended else "",
            "agreement with the teacher": _agreement(services, ended) if ended else None,
            "difference": pooled_difference(after, before).model_dump(),
            "training texts that stand in the test set": clean.count(False),
            "champion score without those": pooled(list(compress(after, clean))).model_dump() if any(clean) else None,
            "calibration": _calibration(services, examples, predicted),
            "details": services.task.score([example.label for example in examples], predicted),
        },
    )


def _agreement(services: Services, ended: CycleReport) -> dict[str, Any] | None:
    """The last champion's score on the gate, and whose texts these are; None where nothing is held out."""
    gate, score = services.memory.samples("gate"), ended["scores"].get("gate")
    real = bool(gate) and all(example.origin.source == "pool" for example in gate)
    return {**score, "texts": "of the pool, at random" if real else "of the teacher"} if score else None


def _scored(example: Example, untaught: Prediction, predicted: Prediction, points: Points) -> dict[str, Any]:
    """One test text for comparisons of runs, paired over texts: the labels, and what it adds to the best's score."""
    said = (each.model_dump(mode="json", include={"label"})["label"] for each in (example, untaught, predicted))
    return {"id": example.id, **dict(zip(("label", "seeds only", "predicted"), said, strict=True)), "points": points}


def _calibration(services: Services, examples: list[Example], raw: list[Prediction]) -> dict[str, Any] | None:
    """How far the best student's confidence is from the truth, without and with its temperature; None for entities."""
    if not all(prediction.probabilities for prediction in raw):
        return None
    confidence = read_confidence((services.folder.root / "best").resolve())
    calibrated = [prediction.at_temperature(confidence.temperature) for prediction in raw]
    right = [services.task.is_right(example.label, said.label) for example, said in zip(examples, raw, strict=True)]
    before, after = (reliability([each.probability for each in said], right) for said in (raw, calibrated))
    fitted_on = {"source": confidence.source, "n": len(confidence.right)}
    return {"temperature": confidence.temperature, **fitted_on, "before": before, "after": after}


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
