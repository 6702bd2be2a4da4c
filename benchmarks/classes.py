"""Classes that have unequal numbers of texts, and many classes: what balance and the start of the head are worth.

    python -m benchmarks.classes --data DATA --task ag_news --counts 50 30 20 8 --seeds 0 1
    python -m benchmarks.classes --data DATA --task banking77 --counts 5 7 --seeds 0

Learns rows of the train file, as many of each class as `--counts` says (in turn, the classes in an order drawn by the
seed), and scores 1,500 others of it: no test row had a say in a default. One fit each, `freeze = 4`.
"""

import argparse
import os
import random
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks.data_sets import data_set_task
from benchmarks.scoring import scores
from benchmarks.teachers.replay import read_rows
from benchmarks.trial import example_of
from evokd.student.heads.sequence import PER_LABEL
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudents
from evokd.tasks.base import Example
from evokd.tasks.task import Task

SCORED = 1500


def drawn(
    examples: Sequence[Example], labels: Sequence[str], counts: Sequence[int]
) -> tuple[list[Example], list[Example]]:
    """What is learnt, and what is scored."""
    left, learnt, others = dict(zip(labels, cycle(counts), strict=False)), [], []
    for example in examples:
        if left[str(example.label)] > 0:
            left[str(example.label)] -= 1
            learnt.append(example)
        else:
            others.append(example)
    return learnt, others[:SCORED]


def ways(
    learnt: list[Example], noise: float, labels: Sequence[str], seed: int
) -> Iterator[tuple[str, list[Example], bool, bool]]:
    """Name, texts, whether classes count the same, whether the start of the head knows how many labels there are."""
    rng = random.Random(f"noise {seed}")
    taught = [
        each.model_copy(update={"label": rng.choice(labels)}) if rng.random() < noise else each for each in learnt
    ]
    yield "as they are, C = 0.3", taught, False, False
    yield "balanced, C = 0.3", taught, True, False
    yield "as they are", taught, False, True
    yield "balanced", taught, True, True


def score(
    task: Task, texts: list[Example], balance: bool, scored: list[Example], seed: int
) -> tuple[float, float, float]:
    """Accuracy, its mean over classes, and loss."""
    student = TransformerStudents(StudentSettings(freeze=4), tuple(task.labels), task.head).new(seed)
    student.fit(texts, balance=balance)
    found = scores(task, student, scored)
    right: dict[str, list[float]] = {}
    for example, hit in zip(scored, found.right, strict=True):
        right.setdefault(str(example.label), []).append(hit)
    return float(found.right.mean()), fmean(fmean(hits) for hits in right.values()), float(found.loss.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", default="ag_news")
    parser.add_argument("--counts", nargs="+", type=int, default=[50, 30, 20, 8], help="texts of each class, in turn")
    parser.add_argument("--noise", type=float, default=0.0, help="share of texts with a label drawn at random")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    given = parser.parse_args()
    task = data_set_task(given.task)
    rows = read_rows(given.data / given.task / "train.jsonl")
    for seed in given.seeds:
        labels, examples = list(task.labels), [example_of(task, number, row) for number, row in enumerate(rows)]
        random.Random(seed).shuffle(examples)
        random.Random(seed).shuffle(labels)
        learnt, scored = drawn(examples, labels, given.counts)
        for name, texts, balance, knows in ways(learnt, given.noise, labels, seed):
            with patch("evokd.student.heads.sequence.PER_LABEL", PER_LABEL if knows else 0.0):
                every, mean, loss = score(task, texts, balance, scored, seed)
            told = f"accuracy {every:.3f}  mean over classes {mean:.3f}  loss {loss:.2f}"
            print(f"{given.task} seed {seed} n {len(texts)}  {name:<22} {told}", flush=True)


if __name__ == "__main__":
    main()
