"""The difference of finished trials of one task, paired over the texts of the whole test file and over seeds.

    python -m benchmarks.paired --data DATA --task trec6 \
        runs/bench/trec6-replay-gated-s{0,1,2} --minus runs/bench/trec6-replay-static-s{0,1,2}

One line for each pair, with the interval over test texts; then all pairs together, over seeds (Student's t: what
another seed would bring) and over texts (bootstrap: what other test texts would say of these very students).
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks.data_sets import TASKS, data_set_task
from benchmarks.teachers.replay import read_rows
from benchmarks.trial import example_of
from evokd.report.compare.statistics import over_seeds, summed
from evokd.student.transformer import load_student
from evokd.tasks.base import Example
from evokd.tasks.metrics import pooled, pooled_difference
from evokd.tasks.task import Points, Task


def points(task: Task, run: Path, test: list[Example]) -> list[Points]:
    """What each text adds to the score of a run's best student."""
    answers = load_student((run / "best").resolve()).predict([example.text for example in test])
    return [task.points(example.label, answer.label) for example, answer in zip(test, answers, strict=True)]


def told(ones: Sequence[Sequence[Points]], others: Sequence[Sequence[Points]], names: Sequence[str]) -> list[str]:
    """A line for each pair, and where there are several, one over seeds and one over texts."""
    lines, differences = [], []
    for name, one, other in zip(names, ones, others, strict=True):
        difference = pooled_difference(one, other)
        differences.append(difference.value)
        lines.append(f"{name}: {pooled(one).value:.3f} minus {pooled(other).value:.3f}: {difference}")
    if len(differences) > 1:
        lines.append(f"over seeds: {over_seeds(differences)}")
        lines.append(f"over texts: {pooled_difference(summed(ones), summed(others))}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=sorted(TASKS), required=True)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--minus", nargs="+", type=Path, required=True, help="as many runs, in the same order")
    given = parser.parse_args()
    if len(given.runs) != len(given.minus):
        parser.error(f"{len(given.runs)} runs minus {len(given.minus)}: give as many of each.")
    task = data_set_task(given.task)
    rows = read_rows(given.data / given.task / "test.jsonl")
    test = [example_of(task, number, row) for number, row in enumerate(rows)]
    ones, others = ([points(task, run, test) for run in side] for side in (given.runs, given.minus))
    print("\n".join(told(ones, others, [run.name for run in given.runs])))


if __name__ == "__main__":
    main()
