"""What asking again is worth: a teacher that errs anew in every answer, and a student that contradicts it.

    python benchmarks/reasking.py --data DATA --task trec6 --noise 0.2

The student has learnt 120 train rows as the teacher labelled them; 240 others are labelled fresh, with the labels that
the champion contradicts asked about again, and a student that learns both is scored on 1,000 more. What a teacher errs
about in every answer no asking mends: `--stubborn` is the share of texts that it always labels wrong, the same way.
"""

import argparse
import os
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from agents.annotator import Annotator
from agents.base import Draft, Services, State
from agents.folder import RunFolder
from agents.reasking import reheard
from agents.voting import by_votes
from benchmarks.known import known_task
from benchmarks.replay import read_rows
from student.settings import StudentSettings
from student.transformer import TransformerStudents
from tasks.base import Example
from teacher.base import Answer, Prompt

THRESHOLD = Annotator().threshold
"""Least confidence of a label that is learnt."""


@dataclass
class Erring:
    """A teacher that knows the labels and errs."""

    gold: dict[str, str]
    labels: list[str]
    noise: float
    stubborn: float
    seed: int
    answers: int = 0

    def ask(self, prompts: Sequence[Prompt], schema: Any, **given: Any) -> list[Any]:
        return [self._answer(prompt, schema) for prompt in prompts]

    def _answer(self, prompt: Prompt, schema: Any) -> Answer[Any]:
        listed = re.findall(r"^\[(\d+)\] (.*)$", str(prompt.body[0]["content"]), re.MULTILINE)  # type: ignore[index]
        self.answers += len(listed)
        said = [{"id": int(number), "label": self.said(text, str(prompt.sample))} for number, text in listed]
        return Answer("", schema.model_validate({"labels": said}))

    def said(self, text: str, answer: str) -> str:
        right = self.gold[text]
        for share, what in ((self.stubborn, "always"), (self.noise, answer)):
            dice = random.Random(f"{self.seed} {what} {text}")
            if dice.random() < share:
                return dice.choice([label for label in self.labels if label != right])
        return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", default="trec6")
    parser.add_argument("--noise", type=float, default=0.2)
    parser.add_argument("--stubborn", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--freeze", type=int, default=4)
    given = parser.parse_args()
    task, rows = known_task(given.task), read_rows(given.data / given.task / "train.jsonl")
    random.Random(given.seed).shuffle(rows)
    gold = {" ".join(row["text"].split()): row["label"] for row in rows[:360]}
    teacher = Erring(gold, list(task.labels), given.noise, given.stubborn, given.seed)
    students = TransformerStudents(StudentSettings(freeze=given.freeze), tuple(task.labels), task.head)
    texts = list(gold)
    with tempfile.TemporaryDirectory() as place:
        memory: Any = SimpleNamespace(samples=lambda split: [])
        services = Services(task, memory, students, teacher, RunFolder(Path(place)), given.seed)  # type: ignore[arg-type]
        student = students.new(given.seed)
        first = [Example(text=text, label=teacher.said(text, "0")) for text in texts[:120]]
        student.fit(first)
        student.save(services.folder.student(0))
        for votes in (1, 2):
            for sure in (None, 0.3, 0.5, 0.7):
                learnt = _fresh(services, teacher, texts[120:], votes, sure)
                student = students.new(given.seed)
                student.fit([*first, *learnt])
                answers = student.predict([row["text"] for row in rows[360:1360]])
                right = sum(a.label == row["label"] for a, row in zip(answers, rows[360:1360], strict=True))
                print(f"    accuracy {right / len(answers):.3f}", flush=True)


def _fresh(services: Services, teacher: Erring, texts: list[str], votes: int, sure: float | None) -> list[Example]:
    """Label the texts, say what became of them, and return those that are learnt."""
    drafts = [Draft(text=text, stance="typical") for text in texts]
    state = State(cycle=1, champion=services.folder.relative(services.folder.student(0)))
    teacher.answers, counts = 0, dict[str, int]()
    opinions = by_votes(services, texts, 1, votes)
    if sure is not None:
        opinions, counts = reheard(services, state, drafts, opinions, sure, votes)
    verdicts = [(text, opinion.verdict) for text, opinion in zip(texts, opinions, strict=True)]
    learnt = [Example(text=text, label=v.label, soft=v.soft) for text, v in verdicts if v and v.confidence >= THRESHOLD]
    wrong = sum(teacher.gold[example.text] != example.label for example in learnt) / len(learnt)
    told = f"learnt {len(learnt)}, {100 * wrong:.1f} % wrong, answers {teacher.answers} {counts or ''}"
    print(f"votes {votes}, reask {sure}: {told}", flush=True)
    return learnt


if __name__ == "__main__":
    main()
