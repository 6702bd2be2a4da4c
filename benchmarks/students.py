"""What the choice of an encoder is worth: the same recorded texts, learnt by each.

    python -m benchmarks.students --data DATA --task sst2 --models minilm FOLDER ...

Learns the recorded plain generation (300 texts) with the default recipe, scores 1,000 rows of the train file, so that a
choice by this table never saw a test row. One thread. Prints accuracy, loss, seconds of processor for one fit,
milliseconds for one text, and megabytes on disk.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import random

from benchmarks.data_sets import data_set_task
from benchmarks.scoring import judged
from benchmarks.worth import SCORED, read_examples
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents
from evokd.tasks.base import Example, unspaced
from evokd.tasks.task import Task


def megabytes(student: TransformerStudent) -> float:
    """Of the saved student."""
    with tempfile.TemporaryDirectory() as place:
        student.save(Path(place) / "student")
        return sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file()) / 1e6


def tell(model: str, task: Task, learnt: list[Example], scored: list[Example], given: argparse.Namespace) -> None:
    settings = StudentSettings(model=model, **({"learning_rate": given.lr} if given.lr else {}))
    student = TransformerStudents(settings, tuple(task.labels), task.head).new(given.seed)
    began = time.process_time()
    student.fit(learnt)
    fitted = time.process_time()
    answers = student.predict([example.text for example in scored])
    asked = time.process_time()
    found = judged(task, scored, answers)
    print(
        f"{task.head} {Path(model).name:<28} lr {settings.learning_rate or 'default'}  n {len(scored)}  "
        f"accuracy {found.right.mean():.3f}  loss {found.loss.mean():.2f}  fit {fitted - began:.0f} s  "
        f"{1000 * (asked - fitted) / len(scored):.1f} ms a text  {megabytes(student):.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=["sst2", "trec6"], required=True)
    parser.add_argument("--models", nargs="+", default=["minilm"])
    parser.add_argument("--lr", type=float, help="learning rate in place of the recipe's")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    task = data_set_task(given.task)
    learnt = read_examples(given.data / "teacher_texts" / given.task / "A.jsonl")
    known = {unspaced(example.text) for example in learnt}
    rows = read_examples(given.data / given.task / "train.jsonl")
    random.Random(7).shuffle(rows)
    scored = [row for row in rows if unspaced(row.text) not in known][:SCORED]
    for model in given.models:
        tell(model, task, learnt, scored, given)


if __name__ == "__main__":
    main()
