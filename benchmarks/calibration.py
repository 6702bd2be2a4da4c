"""What the embedded teacher's labels are worth by the prior that is taken off, and by how the classes are mixed.

    python -m benchmarks.calibration --data DATA --task ag_news --shares 0 0.6 0.8

One example a class is shown, rows of the train file are scored once (kept in the run folder under `--out`), and
then labelled with either prior: what is said of texts without content, and the mean of the batch. `--shares`: the part
of a batch that is of one class (0: all classes in equal numbers); means over `DRAWS` batches drawn from the
scored rows.
"""

import argparse
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks import trial
from benchmarks.data_sets import data_set_task
from benchmarks.teachers.replay import read_rows
from evokd.agents.annotator.agent import Annotator
from evokd.agents.annotator.logprob_labels import BLANKS, calibrate, score_labels
from evokd.agents.base import Services
from evokd.graph.setup.services import open_services
from evokd.memory.run_folder import RunFolder
from evokd.tasks.base import Example
from evokd.tasks.task import Task

DRAWS = 30
LARGEST = 120
"""Texts of a batch, at most."""

THRESHOLD = Annotator().threshold
"""Least confidence of a label that is learnt."""


def drawn(examples: Sequence[Example], labels: Sequence[str], share: float, rng: random.Random) -> list[int]:
    """Places of a batch: a class that chance picks has this share of it, the others the rest in equal parts."""
    places = {label: [n for n, example in enumerate(examples) if example.label == label] for label in labels}
    parts = dict.fromkeys(labels, 1 / len(labels))
    if share:
        parts = dict.fromkeys(labels, (1 - share) / (len(labels) - 1)) | {rng.choice(labels): share}
    size = min(LARGEST, *(int(len(places[label]) / part) for label, part in parts.items()))
    return [n for label, part in parts.items() for n in rng.sample(places[label], max(1, round(size * part)))]


def worth(task: Task, examples: Sequence[Example], rows: Sequence[list[float]], prior: np.ndarray) -> np.ndarray:
    """Share of right labels, share that is confident, and share of right ones among these."""
    annotations = [calibrate(task, list(task.labels), row, prior) for row in rows]
    verdicts = [annotation.aggregate for annotation in annotations if annotation.aggregate is not None]
    right = np.array([task.is_right(e.label, aggregate.label) for e, aggregate in zip(examples, verdicts, strict=True)])
    sure = np.array([aggregate.confidence >= THRESHOLD for aggregate in verdicts])
    return np.array([right.mean(), sure.mean(), right[sure].mean() if sure.any() else np.nan])


def all_rated(services: Services, texts: Sequence[str]) -> list[list[float]]:
    """What the teacher thinks of each text, before any prior is taken off."""
    choices = services.task.choices()
    if choices is None:
        raise SystemExit("There is nothing to rate: this task has no closed list of answers.")
    rows = [row for row in score_labels(services, texts, choices, cycle=1) if row is not None]
    if len(rows) < len(texts):
        raise SystemExit(f"The teacher gave no probabilities for {len(texts) - len(rows)} of {len(texts)} texts.")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", default="ag_news")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n", type=int, default=250, help="rows that are scored")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.0, 0.6, 0.8])
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    given = parser.parse_args()
    words = ["--data", str(given.data), "--task", given.task, "--teacher", "local", "--seed", str(given.seed)]
    options = trial.parsed([*words, "--variant", "calibration", "--out", str(given.out)])
    task, folder = data_set_task(given.task), RunFolder((given.out / trial.name_of(options)).resolve())
    config = trial.begun(options, task, folder)
    found = read_rows(given.data / given.task / "train.jsonl")
    random.Random(f"calibration {given.seed}").shuffle(found)
    examples = [trial.example_of(task, number, row) for number, row in enumerate(found[: given.n])]
    with open_services(config, folder) as services:
        rows = all_rated(services, [*(example.text for example in examples), *BLANKS])
    blank = np.mean(rows[len(examples) :], axis=0)
    for share in given.shares:
        rng, scores, sizes = random.Random(given.seed), [], []
        for _ in range(DRAWS):
            places = drawn(examples, list(task.labels), share, rng)
            sizes.append(len(places))
            batch = [rows[place] for place in places]
            texts = [examples[place] for place in places]
            scores.append([worth(task, texts, batch, prior) for prior in (blank, np.mean(batch, axis=0))])
        for name, (every, sure, of_those) in zip(("blank", "batch"), np.nanmean(scores, axis=0), strict=True):
            mixed = f"{share:.0%} of one class" if share else "equal classes"
            told = f"right {every:.2f}, confident {sure:.2f}, of those right {of_those:.2f}"
            print(f"{given.task} seed {given.seed} n {np.mean(sizes):.0f}  {mixed:<17} {name}: {told}", flush=True)


if __name__ == "__main__":
    main()
