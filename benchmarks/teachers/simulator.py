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
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.teachers.replay import Body, Recording, Replay, Text, read_rows, texts_in
from evokd.tasks.base import Label, Span
from evokd.tasks.task import Task

CASE = re.compile(r"^\[(\d+)\] (.*)\n    right: (.*); the model said: (.*)$", re.MULTILINE)
"""A wrong case as the analyst is shown it."""


@dataclass(frozen=True)
class Cited:
    """A wrong case of the analysis."""

    text: str
    right: str
    said: str

    @property
    def name(self) -> str:
        """Of the lesson it belongs to."""
        return f"{self.right[:30]} taken for {self.said[:30]}"


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

    def _new(self, body: Body) -> Any:
        name = body["response_format"]["json_schema"]["name"].split("_")[0]
        if name == "Written":
            return self._aimed(body["messages"])
        if name == "WaryAnalysis":
            return self._analysis(body["messages"][-1]["content"])
        return super()._new(body)

    def _breadth(self, text: str) -> Any:
        """Unused rows of what is asked for; for other versions of a text, those nearest to it with its label."""
        if other := re.search(r"is labelled already:\n(.*) => (.*)\n\nWrite (\d+) other versions", text):
            return {"texts": self._near([other[1]], self._classes(other[2]), int(other[3]))}
        count, wanted = re.search(r"Write (\d+) typical texts (.*), spread evenly", text).groups()  # type: ignore[union-attr]
        task = self.recording.task
        target_class = next(
            target_class for target_class in task.target_classes(()) if task.wanted(target_class) == wanted
        )
        return {
            "texts": self._taken([row for row in self._unused() if task.fits(target_class, row.label)][: int(count)])
        }

    def _analysis(self, text: str) -> Any:
        """One lesson for each of the most frequent confusions, with its cases."""
        most = int(re.search(r"Find up to (\d+) patterns", text)[1])  # type: ignore[index]
        named: dict[str, list[int]] = {}
        for number, case in _cases(text).items():
            named.setdefault(case.name, []).append(number)
        found = sorted(named.items(), key=lambda pair: -len(pair[1]))[:most]
        rest = {"pattern": "texts like the cited ones", "advice": "more like them", "assumes": None}
        lessons = [{"name": name, "cases": cases, **rest} for name, cases in found]
        return {"lessons": lessons, "probe": None}

    def _aimed(self, messages: list[dict[str, str]]) -> Any:
        """Hard texts near the cited cases, typical ones of the classes they confuse, and anything for a probe."""
        asked = messages[-1]["content"]
        name = re.search(r"^Lesson: (.*)$", asked, re.MULTILINE)[1]  # type: ignore[index]
        parts = re.findall(r"^- `(hard|typical|probe)`: (\d+) (?:typical )?texts", asked, re.MULTILINE)
        counts = {kind: int(number) for kind, number in parts}
        cited = [case for case in _cases(messages[0]["content"]).values() if case.name == name]
        texts = [case.text for case in cited] or re.findall(r"^- (.*) => .*$", asked, re.MULTILINE)
        classes = {label for case in cited for label in self._classes(f"{case.right} {case.said}")}
        classes = classes or self._classes(name)
        return {
            "hard": self._near(texts, classes, counts.get("hard", 0)),
            "typical": self._taken(
                [row for row in self._unused() if self._named(row.label) & classes][: counts.get("typical", 0)]
            ),
            "probe": self._taken(self._unused()[: counts.get("probe", 0)]),
        }

    def _labels(self, text: str) -> Any:
        listed = re.findall(r"^\[(\d+)\] (.*)$", text, re.MULTILINE)
        return {"labels": [{"id": int(i), "label": self._said(each)} for i, each in listed]}

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


def _cases(text: str) -> dict[int, Cited]:
    return {int(number): Cited(case, right, said) for number, case, right, said in CASE.findall(text)}


def _squeezed(text: str) -> str:
    return " ".join(text.split())
