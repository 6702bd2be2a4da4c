"""What recorded texts are worth to a student, by how they are used: soups, texts too hard, texts without labels.

    python -m benchmarks.worth --data DATA --task sst2 --seed 0

Scored on 1,000 rows of the train file, so that choices of defaults never see a test row. `A` is plain generation (300
texts), `B` the texts of the recorded loop that are not in it. For each use: accuracy of single fits (mean) and of their
soup, and the loss in nats.
"""

import argparse
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np

from benchmarks.data_sets import data_set_task
from benchmarks.scoring import scores
from benchmarks.teachers.replay import read_rows
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents
from evokd.tasks.base import Example, Prediction, unspaced
from evokd.tasks.task import Task

SCORED, POOL = 1000, 1000


@dataclass(frozen=True)
class Worth:
    """One task with a seed."""

    task: Task
    students: TransformerStudents
    seed: int
    members: int
    scored: list[Example]

    def fits(self, examples: Sequence[Example]) -> list[TransformerStudent]:
        """Students that differ in the order of their texts alone."""
        made = [self.students.new(self.seed * 100 + member) for member in range(self.members)]
        for student in made:
            student.fit(examples)
        return made

    def tell(self, use: str, examples: Sequence[Example]) -> TransformerStudent:
        """Print what the use is worth; returns the scores of the averaged student."""
        first, *others = self.fits(examples)
        singles = [self._score(student) for student in (first, *others)]
        first.average(others)
        soup = self._score(first)
        right, loss = np.mean(singles, axis=0)
        print(
            f"{self.task.head} seed {self.seed}  {use:<40} n {len(examples):>5}  "
            f"single {right:.3f} loss {loss:.2f}  soup of {self.members} {soup[0]:.3f} loss {soup[1]:.2f}",
            flush=True,
        )
        return first

    def _score(self, student: TransformerStudent) -> tuple[float, float]:
        found = scores(self.task, student, self.scored)
        return float(found.right.mean()), float(found.loss.mean())


def within_reach(task: Task, student: TransformerStudent, examples: Sequence[Example]) -> list[Example]:
    """Those that the student is not sure are something else."""
    answers: list[Prediction] = student.predict([example.text for example in examples])
    return [
        example
        for example, answer in zip(examples, answers, strict=True)
        if task.is_right(example.label, answer.label) or answer.probability <= task.max_difficulty
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=["sst2", "trec6"], required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--members", type=int, default=3)
    given = parser.parse_args()
    task = data_set_task(given.task)
    recorded = {arm: read_examples(given.data / "teacher_texts" / given.task / f"{arm}.jsonl") for arm in "AB"}
    known = {unspaced(example.text) for arm in recorded.values() for example in arm}
    static = recorded["A"]
    loop = [each for each in recorded["B"] if each.id not in {example.id for example in static}]
    rows = read_examples(given.data / given.task / "train.jsonl")
    random.Random(7).shuffle(rows)
    fresh = [row for row in rows if unspaced(row.text) not in known]
    seeds = list({row.label: row for row in reversed(fresh[SCORED + POOL :])}.values())
    students = TransformerStudents(StudentSettings(), tuple(task.labels), task.head)
    worth = Worth(task, students, given.seed, given.members, fresh[:SCORED])
    half = random.Random(given.seed).sample(static, 150)
    base = worth.tell("half of A", [*seeds, *half])
    near = within_reach(task, base, loop)
    whole = worth.tell("A", [*seeds, *static])
    worth.tell("A and B", [*seeds, *static, *loop])
    worth.tell("half of A, B within its reach", [*seeds, *half, *near])
    worth.tell("A, B within reach of half of A", [*seeds, *static, *near])
    pool = [row.text for row in fresh[SCORED : SCORED + POOL]]
    imitated: list[Any] = [
        Example(text=text, label=answer.label, soft=answer.probabilities)
        for text, answer in zip(pool, whole.predict(pool), strict=True)
    ]
    worth.tell("A, texts without labels imitated", [*seeds, *static, *imitated])


def read_examples(path: Path) -> list[Example]:
    """The distinct texts of a file."""
    return list({(e := Example(text=row["text"], label=row["label"])).id: e for row in read_rows(path)}.values())


if __name__ == "__main__":
    main()
