"""A student that behaves without a transformer: fast enough for tests of the whole loop."""

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tasks.base import Example, Prediction, normalise


class WordStudent:
    """A student that counts words per label (naive Bayes): it really learns, in microseconds, and saves as JSON."""

    def __init__(self, labels: Sequence[str], counts: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self.labels = list(labels)
        self.counts = {label: dict((counts or {}).get(label, {})) for label in labels}

    def fit(self, examples: Sequence[Example], progress: Callable[[int, int], None] | None = None) -> None:
        for example in examples:
            for label, share in (example.soft or {example.label: 1.0}).items():
                for word in normalise(example.text).split():
                    self.counts[label][word] = self.counts[label].get(word, 0.0) + share
        if progress is not None:
            progress(1, 1)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._one(normalise(text).split()) for text in texts]

    def save(self, folder: Path) -> None:
        aside = folder.with_name(f".{folder.name}.aside")
        aside.mkdir(parents=True, exist_ok=True)
        (aside / "model.json").write_text(json.dumps({"labels": self.labels, "counts": self.counts}))
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)

    def _one(self, found: list[str]) -> Prediction:
        logits = []
        for label in self.labels:
            total = sum(self.counts[label].values())
            logits.append(sum(math.log((self.counts[label].get(word, 0.0) + 0.1) / (total + 10)) for word in found))
        weights = [math.exp(logit - max(logits)) for logit in logits]
        shares = {label: weight / sum(weights) for label, weight in zip(self.labels, weights, strict=True)}
        best = max(shares, key=lambda label: shares[label])
        return Prediction(label=best, probability=shares[best], probabilities=shares)


class WordStudents:
    """The factory of `WordStudent`."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = list(labels)
        self.fitted = 0

    def new(self, seed: int) -> WordStudent:
        self.fitted += 1
        return WordStudent(self.labels)

    def load(self, folder: Path, seed: int = 0) -> WordStudent:
        saved = json.loads((folder / "model.json").read_text())
        return WordStudent(saved["labels"], saved["counts"])
