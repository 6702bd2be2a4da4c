"""The difference of two finished trials of one task, paired over the texts of the whole test file.

python benchmarks/paired.py --data DATA --task trec6 runs/bench/trec6-replay-gated-s0 runs/bench/trec6-replay-static-s0
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks.known import TASKS, known_task
from benchmarks.replay import read_rows
from benchmarks.trial import example_of
from student.transformer import load_student
from tasks.base import Example
from tasks.metrics import pooled, pooled_difference
from tasks.task import Points, Task


def points(task: Task, run: Path, test: list[Example]) -> list[Points]:
    """What each text adds to the score of a run's best student."""
    answers = load_student((run / "best").resolve()).predict([example.text for example in test])
    return [task.points(example.label, answer.label) for example, answer in zip(test, answers, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=sorted(TASKS), required=True)
    parser.add_argument("runs", nargs=2, type=Path)
    given = parser.parse_args()
    task = known_task(given.task)
    rows = read_rows(given.data / given.task / "test.jsonl")
    test = [example_of(task, number, row) for number, row in enumerate(rows)]
    one, other = (points(task, run, test) for run in given.runs)
    names = [f"{run.name} {pooled(each)}" for run, each in zip(given.runs, (one, other), strict=True)]
    print(f"{' minus '.join(names)}: {pooled_difference(one, other)}")


if __name__ == "__main__":
    main()
