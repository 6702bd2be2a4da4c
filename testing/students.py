"""Students that behave without a transformer, one per kind of label: fast enough for tests of the whole loop."""

import json
import math
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..student.base import Progress
from ..student.training.balance import class_weights
from ..tasks.base import Example, Prediction, Span, normalise
from ..tasks.entities.tags import SpanPrediction, Word, decode, encode, tags_of
from ..tasks.kinds.label_sets import LabelsPrediction

Counts = Mapping[str, Mapping[str, float]]


class WordStudent:
    """A student that counts words per label (naive Bayes): it really learns, in microseconds, and saves as JSON."""

    def __init__(self, labels: Sequence[str], counts: Counts | None = None) -> None:
        self.labels = list(labels)
        self.counts = {label: dict((counts or {}).get(label, {})) for label in labels}

    def fit(
        self,
        examples: Sequence[Example],
        progress: Progress | None = None,
        *,
        balance: bool = False,
        imitated: Sequence[Example] = (),
    ) -> None:
        weights = class_weights(examples) if balance else [1.0] * len(examples)
        for example, weight in zip([*examples, *imitated], [*weights, *[1.0] * len(imitated)], strict=True):
            self._learn(example, weight)
        if progress is not None:
            progress(1, 1)

    def _learn(self, example: Example, weight: float) -> None:
        for label, share in (example.soft or {str(example.label): 1.0}).items():
            for word in normalise(example.text).split():
                self.counts[label][word] = self.counts[label].get(word, 0.0) + share * weight

    def average(self, others: Iterable["WordStudent"]) -> None:
        taken = [self, *others]
        for label, own in self.counts.items():
            words = {word for student in taken for word in student.counts[label]}
            own.update({w: sum(s.counts[label].get(w, 0.0) for s in taken) / len(taken) for w in words})

    def calibrate(self, examples: Sequence[Example]) -> None:
        """One label has no threshold."""

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


class WordLabelsStudent(WordStudent):
    """The same for several labels: a label is given from the odds of its words, with a threshold of one half."""

    def _learn(self, example: Example, weight: float) -> None:
        for label in self.labels:
            share = (example.soft or {}).get(label, float(label in example.label))
            for word in set(normalise(example.text).split()):
                odds = self.counts[label]
                odds[word] = odds.get(word, 0.0) + weight * (2 * share - 1)

    def _one(self, found: list[str]) -> Prediction:
        sums = {label: sum(self.counts[label].get(word, 0.0) for word in found) for label in self.labels}
        shares = {label: 1 / (1 + math.exp(-max(-20.0, min(20.0, each)))) for label, each in sums.items()}
        chosen = tuple(label for label, share in shares.items() if share >= 0.5)
        sides = [share if label in chosen else 1 - share for label, share in shares.items()]
        return LabelsPrediction(label=chosen, probability=math.prod(sides), probabilities=shares)


class WordSpansStudent(WordStudent):
    """The same for entities: it remembers which tag a word had."""

    def _learn(self, example: Example, weight: float) -> None:
        places = _places(example.text)
        spans = [span for span in example.label if isinstance(span, Span)]
        for (start, end), tag in zip(places, encode(spans, places), strict=True):
            prefix, _, kind = tag.partition("-")
            own, key = self.counts[kind or self.labels[0]], f"{prefix} {example.text[start:end]}"
            own[key] = own.get(key, 0.0) + weight

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._spans(text) for text in texts]

    def _spans(self, text: str) -> Prediction:
        words = []
        for start, end in _places(text):
            word = text[start:end]
            counted = {"O": 0.2 + self.counts[self.labels[0]].get(f"O {word}", 0.0)}
            for tag in tags_of(self.labels)[1:]:
                prefix, _, kind = tag.partition("-")
                counted[tag] = 0.01 + self.counts[kind].get(f"{prefix} {word}", 0.0)
            shares = {tag: count / sum(counted.values()) for tag, count in counted.items()}
            words.append(Word(start=start, end=end, shares=shares))
        tags = [max(word.shares, key=word.shares.__getitem__) for word in words]
        sure = [word.shares[tag] for word, tag in zip(words, tags, strict=True)]
        spans = decode(tags, [(word.start, word.end) for word in words])
        return SpanPrediction(
            label=tuple(span for span, _ in spans),
            probability=math.prod(sure),
            probabilities={},
            certainty=tuple(min(sure[i] for i in own) for _, own in spans),
            words=tuple(words),
        )


def _places(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


class WordStudents:
    """The factory of students that count words; `kind` is that of the labels."""

    def __init__(self, labels: Sequence[str], kind: type[WordStudent] = WordStudent) -> None:
        self.labels = list(labels)
        self.kind = kind
        self.fitted = 0

    def new(self, seed: int) -> WordStudent:
        self.fitted += 1
        return self.kind(self.labels)

    def load(self, folder: Path, seed: int = 0) -> WordStudent:
        saved = json.loads((folder / "model.json").read_text())
        return self.kind(saved["labels"], saved["counts"])
