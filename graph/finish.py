"""The test set: opened once, when the run is over, to say what the loop brought."""

import numpy as np

from agents.base import Services
from tasks.base import Example, normalise
from tasks.metrics import mean, paired


def score_test_set(services: Services) -> None:
    """Score the seed-only student and the champion, paired, and write `result.json`; nothing to do without a test.

    Training texts that also stand in the test set are counted, and the champion's score without them is given too.
    """
    folder = services.folder
    path = folder.root / "data" / "test.jsonl"
    champion = (folder.root / "best").resolve().name
    if not path.exists() or _already(services, champion):
        return
    examples = folder.read_rows(path, Example)
    before = _right(services, "students/cycle-000", examples)
    after = _right(services, f"students/{champion}", examples)
    trained = {normalise(example.text) for example in services.memory.samples("train")}
    clean = np.array([normalise(example.text) not in trained for example in examples])
    folder.write_json(
        folder.root / "result.json",
        {
            "champion": champion,
            "metric": "accuracy",
            "seeds only": mean(before).model_dump(),
            "champion score": mean(after).model_dump(),
            "difference": paired(after, before).model_dump(),
            "training texts that stand in the test set": int((~clean).sum()),
            "champion score without those": mean(after[clean]).model_dump() if clean.any() else None,
        },
    )


def _already(services: Services, champion: str) -> bool:
    path = services.folder.root / "result.json"
    return path.exists() and services.folder.read_json(path)["champion"] == champion


def _right(services: Services, student: str, examples: list[Example]) -> np.ndarray:
    bar = services.bar("scoring the test set")
    bar(0, len(examples))
    predictions = services.students.load(services.folder.root / student).predict([e.text for e in examples])
    pairs = zip(examples, predictions, strict=True)
    return np.array([float(services.task.is_right(e.label, p.label)) for e, p in pairs])
