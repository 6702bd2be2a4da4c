"""Is the gate right? What it says of each recorded lesson batch, beside what real texts say.

    python -m benchmarks.gates --data DATA --task sst2 --seed 0

A student of 150 texts of plain generation is compared, on 150 others, with one that has learnt a lesson batch as well
(its texts not too hard): by the loss as it is, and by the loss at the power of each student's probabilities that suits
it (`agents/evaluator/gate.py`). 1,000 rows of the train file tell what the batch was really worth, so that no test row
has a say in a default. Both sides are means of two fits.
"""

import argparse
import os
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks.data_sets import data_set_task
from benchmarks.scoring import Scores, scores
from benchmarks.teachers.replay import read_rows
from benchmarks.worth import read_examples, within_reach
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents
from evokd.tasks.base import Example, unspaced
from evokd.tasks.metrics import paired
from evokd.tasks.task import Task

LEARNT, SCORED = 150, 1000


def told(new: Scores, old: Scores) -> str:
    """The differences, with intervals over texts."""
    right = paired(100 * new.right, 100 * old.right)
    figures = (paired(new.loss, old.loss), paired(new.calibrated, old.calibrated))
    losses = ", ".join(f"{each.value:+.3f} [{each.low or 0:+.3f}, {each.high or 0:+.3f}]" for each in figures)
    return f"points {right.value:+.1f}; loss, calibrated loss {losses}"


@dataclass(frozen=True)
class Comparison:
    """One draw of texts, and the student of plain generation that every batch is added to."""

    task: Task
    students: TransformerStudents
    learnt: Sequence[Example]
    held_out: Mapping[str, Sequence[Example]]
    """`gate`: of plain generation too; `real`: of the train file."""

    def mean_student(self, batch: Sequence[Example] = ()) -> TransformerStudent:
        """The mean of two fits."""
        first, second = (self.students.new(10 + fit) for fit in range(2))
        first.fit([*self.learnt, *batch])
        second.fit([*self.learnt, *batch])
        first.average([second])
        return first

    def scores(self, student: TransformerStudent) -> dict[str, Scores]:
        """On both sets."""
        return {name: scores(self.task, student, texts) for name, texts in self.held_out.items()}


def batches(path: Path, known: set[str]) -> dict[int, list[Example]]:
    """The new texts of the recorded loop by cycle."""
    found: dict[int, list[Example]] = {}
    for row in read_rows(path):
        if unspaced(row["text"]) not in known:
            found.setdefault(row["cycle"], []).append(Example(text=row["text"], label=row["label"]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=["sst2", "trec6"], required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--freeze", type=int, default=2)
    given = parser.parse_args()
    task, folder = data_set_task(given.task), given.data / "teacher_texts" / given.task
    plain = read_examples(folder / "A.jsonl")
    known = {unspaced(example.text) for example in plain}
    real = [each for each in read_examples(given.data / given.task / "train.jsonl") if unspaced(each.text) not in known]
    random.Random(given.seed).shuffle(plain)
    random.Random(100 + given.seed).shuffle(real)
    students = TransformerStudents(StudentSettings(freeze=given.freeze), tuple(task.labels), task.head)
    held_out = {"gate": plain[LEARNT:], "real": real[:SCORED]}
    comparison = Comparison(task, students, plain[:LEARNT], held_out)
    base = comparison.mean_student()
    before = comparison.scores(base)
    print(f"{given.task}, seed {given.seed}, {LEARNT} texts of plain generation")
    for name, each in before.items():
        loss, calibrated = each.loss.mean(), each.calibrated.mean()
        print(f"  {name}: {each.right.mean():.3f} right, loss {loss:.3f}, calibrated {calibrated:.3f}")
    for cycle, batch in batches(folder / "B.jsonl", known).items():
        near = within_reach(task, base, batch)
        print(f"and batch {cycle}, {len(near)} of {len(batch)} within reach", flush=True)
        for name, after in comparison.scores(comparison.mean_student(near)).items():
            print(f"  {name}: {told(after, before[name])}", flush=True)


if __name__ == "__main__":
    main()
