"""A simulated teacher: an OpenAI-compatible server on loopback that "writes" by drawing texts of a train file.

Asked for typical texts it draws rows of the class; for a lesson, unused rows near the cases that the lesson cites, of
the classes they confuse; for labels it gives the gold, with a set share of errors. So algorithms can be compared in
minutes and with error bars. It knows the true distribution, which no teacher does: a figure it gives is never one of
the method.

Rows are handed out once, also over a kill (`resume`). An answer depends on the request and on what was handed out
before, so ask with one call at a time; a label depends on the text alone.
"""

import hashlib
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.teachers.replay import Recording, Replay, Text, read_rows, texts_in
from evokd.agents.prompting import About
from evokd.tasks.base import Label, Span
from evokd.tasks.task import Task


class Simulator(Replay):
    """Answers as a replay does, from a train file instead of a recording."""

    def __init__(self, rows: list[Text], task: Task, noise: float, seed: int) -> None:
        """Hold the rows in an order of the seed; `noise` is the share of texts that are labelled wrongly."""
        random.Random(f"rows {seed}").shuffle(rows)
        super().__init__(Recording(task, rows, [], {}))
        self._noise = noise
        self._seed = seed
        self._vectors = (vectorizer := TfidfVectorizer(sublinear_tf=True)).fit_transform([row.text for row in rows])
        self._vectorizer = vectorizer
        self._by_text = {_squeezed(row.text): row for row in rows}
        self._used: set[str] = set()

    @classmethod
    def read(cls, file: Path, task: Task, noise: float = 0.0, seed: int = 0) -> "Simulator":
        """Read a train file."""
        rows = read_rows(file)
        text, label = next(pair for pair in task.columns if pair[0] in rows[0] and pair[1] in rows[0])
        texts = [row[text] if isinstance(row[text], str) else " ".join(row[text]) for row in rows]
        known = {_squeezed(t): Text(t, task.gold(t, row[label])) for t, row in zip(texts, rows, strict=True)}
        return cls(list(known.values()), task, noise, seed)

    def resume(self, answers: Iterable[str]) -> None:
        """Take what an interrupted trial has received as handed out."""
        super().resume(answers)
        self._used.update(text for given in self._given.values() for text in texts_in(given))

    def _rewrite(self, about: About) -> Any:
        """Unused rows nearest to the text, with its label."""
        [case] = about["cases"]
        return {"texts": self._near([case["text"]], self._classes(case["label"]), about["count"])}

    def _breadth(self, about: About) -> Any:
        """Unused rows of what is asked for."""
        task, target_class = self.recording.task, about["target_class"]
        fits = [row for row in self._unused() if task.fits(target_class, row.label)]
        return {"texts": self._taken(fits[: about["count"]])}

    def _analysis(self, about: About) -> Any:
        """One lesson for each of the most frequent confusions, with its cases."""
        named: dict[str, list[int]] = {}
        for number, case in enumerate(about["cases"], start=1):
            named.setdefault(f"{case['label'][:30]} taken for {case['said'][:30]}", []).append(number)
        found = sorted(named.items(), key=lambda pair: -len(pair[1]))[: about["count"]]
        rest = {"pattern": "texts like the cited ones", "advice": "more like them", "assumes": None}
        lessons = [{"name": name, "cases": cases, **rest} for name, cases in found]
        return {"lessons": lessons, "probe": None}

    def _lesson(self, about: About) -> Any:
        """Hard texts near the cited cases, typical ones of the classes they confuse, and anything for a probe."""
        counts, texts = about["counts"], [case["text"] for case in about["cases"]]
        classes = self._classes(about["lesson_name"])
        return {
            "hard": self._near(texts, classes, counts.get("hard", 0)),
            "typical": self._taken(
                [row for row in self._unused() if self._named(row.label) & classes][: counts.get("typical", 0)]
            ),
            "probe": self._taken(self._unused()[: counts.get("probe", 0)]),
        }

    def _labels(self, about: About) -> Any:
        return {"labels": [{"id": each["id"], "label": self._said(each["text"])} for each in about["texts"]]}

    def _said(self, text: str) -> str:
        row = self._by_text.get(_squeezed(text))
        if row is None:
            return "drop"
        rng = random.Random(hashlib.sha256(f"{self._seed} {row.text}".encode()).hexdigest())
        label = self._wrong(row.label, rng) if rng.random() < self._noise else row.label
        return self.recording.task.say(row.text, label)

    def _wrong(self, label: Label, rng: random.Random) -> Label:
        """Another class; of entities or several labels, one is left out or another one given."""
        names = list(self.recording.task.labels)
        if isinstance(label, str):
            return rng.choice([name for name in names if name != label])
        if not label:
            return label if not names or self.recording.task.head == "token" else (rng.choice(names),)
        place = rng.randrange(len(label))
        one = label[place]
        if rng.random() < 0.5 or len(names) < 2 or not isinstance(one, Span):
            return cast(Label, (*label[:place], *label[place + 1 :]))
        other = one.model_copy(update={"type": rng.choice([name for name in names if name != one.type])})
        return cast(Label, (*label[:place], other, *label[place + 1 :]))

    def _near(self, texts: list[str], classes: set[str], count: int) -> list[dict[str, str]]:
        """Unused rows of the classes nearest to any of the texts."""
        if not texts or not count:
            return []
        nearness = (self._vectors @ self._vectorizer.transform(texts).T).toarray().max(axis=1)
        rows = [self.recording.static[i] for i in np.argsort(-nearness, kind="stable")]
        fits = [row for row in rows if row.text not in self._used and self._named(row.label) & classes]
        return self._taken(fits[:count])

    def _classes(self, said: str) -> set[str]:
        """The labels named in an answer's one-line form."""
        return {name for name in self.recording.task.labels if name in said}

    def _named(self, label: Label) -> set[str]:
        return set(self.recording.task.names(label))

    def _unused(self) -> list[Text]:
        return [row for row in self.recording.static if row.text not in self._used]

    def _taken(self, rows: list[Text]) -> list[dict[str, str]]:
        self._used.update(row.text for row in rows)
        return [{"text": row.text, "label": self._said(row.text)} for row in rows]


def _squeezed(text: str) -> str:
    return " ".join(text.split())
