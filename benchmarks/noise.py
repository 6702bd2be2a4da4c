"""What doubting labels is worth: train rows, some with wrong labels, learnt as they are, without the doubted, or soft.

    python benchmarks/noise.py --data DATA --task trec6 --noise 0.2

Learnt are 240 rows of the train file; 1,000 others score, so that no test row has a say in a default.
"""

import argparse
import os
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np

from agents.noise import Cure, cured
from benchmarks.known import known_task
from benchmarks.replay import read_rows
from memory.embedder import Embedder
from student.settings import StudentSettings
from student.transformer import TransformerStudents
from tasks.base import Example, Origin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", default="trec6")
    parser.add_argument("--noise", type=float, default=0.2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--freeze", type=int, default=4)
    given = parser.parse_args()
    task, embedder = known_task(given.task), Embedder("minilm")
    rows = read_rows(given.data / given.task / "train.jsonl")
    students = TransformerStudents(StudentSettings(freeze=given.freeze), tuple(task.labels), task.head)
    found: dict[str, list[float]] = {cure: [] for cure in get_args(Cure)}
    for seed in range(given.seeds):
        dice = random.Random(seed)
        dice.shuffle(rows)
        learnt = [_noisy(row, list(task.labels), given.noise, dice) for row in rows[:240]]
        scored = rows[240:1240]
        services: Any = SimpleNamespace(task=task, seed=seed, memory=SimpleNamespace(embed=embedder.encode))
        for cure in get_args(Cure):
            counts: dict[str, int] = {}
            student = students.new(seed)
            student.fit(cured(services, cure, learnt, counts))
            answers = student.predict([row["text"] for row in scored])
            found[cure].append(float(np.mean([a.label == r["label"] for a, r in zip(answers, scored, strict=True)])))
            print(f"seed {seed} {cure:<7} {found[cure][-1]:.3f} {counts or ''}", flush=True)
    for cure, scores in found.items():
        difference = np.array(scores) - np.array(found["off"])
        print(f"{given.task}, noise {given.noise:g}: {cure:<7} {np.mean(scores):.3f}, minus off {difference.round(3)}")


def _noisy(row: dict[str, str], labels: list[str], noise: float, dice: random.Random) -> Example:
    label = row["label"]
    if dice.random() < noise:
        label = dice.choice([each for each in labels if each != label])
    return Example(text=row["text"], label=label, origin=Origin(stance="typical"))


if __name__ == "__main__":
    main()
