"""What doubting labels is worth: train rows, some with wrong labels, learnt in every way there is to doubt them.

    python benchmarks/noise.py --data DATA --task trec6 --noise 0.2
    python benchmarks/noise.py --data DATA --detect      # which labels are doubted, without training a student

Learnt are 240 rows of the train file; 1,000 others score, so that no test row has a say in a default.
"""

import argparse
import os
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np

from agents.noise import FOLDS, LIGHT, Cure, cured, issues, out_of_fold
from benchmarks.known import known_task
from benchmarks.replay import read_rows
from memory.embedder import Embedder
from student.settings import Loss, StudentSettings
from student.transformer import TransformerStudents
from tasks.base import Example, Origin

WAYS: dict[str, tuple[Cure, Loss]] = {
    "as they are": ("off", "cross-entropy"),
    "drop": ("drop", "cross-entropy"),
    "soften": ("soften", "cross-entropy"),
    "learn": ("learn", "cross-entropy"),
    "generalised": ("off", "generalised"),
}
"""What becomes of doubted labels, and the loss of the student."""

DETECTED = ("trec6", "sst2", "ag_news", "snips_intent")

CLOSENESS = (10.0, 1.0, 0.3, 0.1)
"""Values of C that are tried."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", default="trec6")
    parser.add_argument("--noise", type=float, default=0.2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--freeze", type=int, default=4)
    parser.add_argument("--detect", action="store_true")
    given = parser.parse_args()
    embedder = Embedder("minilm")
    if given.detect:
        for task in DETECTED:
            detect(given, task, embedder)
    else:
        compare(given, embedder)


def compare(given: argparse.Namespace, embedder: Embedder) -> None:
    task = known_task(given.task)
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for seed in given.seeds:
        services = _services(task, seed, embedder)
        learnt, _, scored = _draw(given.data, given.task, given.noise, seed)
        for way, (cure, loss) in WAYS.items():
            settings = StudentSettings(freeze=given.freeze, loss=loss)
            counts: dict[str, int] = {}
            student = TransformerStudents(settings, tuple(task.labels), task.head).new(seed)
            student.fit(cured(services, cure, learnt, counts))
            answers = student.predict([row["text"] for row in scored])
            found[way].append(float(np.mean([a.label == r["label"] for a, r in zip(answers, scored, strict=True)])))
            print(f"seed {seed} {way:<11} {found[way][-1]:.3f} {counts or ''}", flush=True)
    for way, scores in found.items():
        difference = np.array(scores) - np.array(found["as they are"])
        print(f"{given.task}, noise {given.noise:g}: {way:<11} {np.mean(scores):.3f}, more by {difference.round(3)}")


def detect(given: argparse.Namespace, name: str, embedder: Embedder) -> None:
    """Print which share of the right and of the wrong labels each doubter doubts, means over the seeds."""
    task = known_task(name)
    for noise in (0.0, given.noise):
        rows: dict[str, list[tuple[float, ...]]] = {}
        for seed in given.seeds:
            learnt, wrong, _ = _draw(given.data, name, noise, seed)
            counts = [[example.label for example in learnt].count(label) for label in task.labels]
            if min(counts) < FOLDS:
                continue  # nothing is doubted then
            for way, doubted in _doubted(_services(task, seed, embedder), learnt):
                right = doubted & ~wrong
                parts = right.sum() / (~wrong).sum(), (doubted & wrong).sum() / max(1, wrong.sum())
                rows.setdefault(way, []).append((*parts, (doubted & wrong).sum() / max(1, doubted.sum())))
        for way, found in rows.items():
            false, recall, precision = 100 * np.mean(found, axis=0)
            more = f", wrong ones {recall:3.0f} %, precision {precision:3.0f} %" if noise else ""
            print(f"{name:<12} noise {noise:g} {way:<16} right labels doubted {false:3.0f} %{more}", flush=True)


def _doubted(services: Any, learnt: Sequence[Example]) -> Iterator[tuple[str, np.ndarray]]:
    """(who doubts, which texts) for each C, by cleanlab and by a plain rule, and for learnt weights."""
    names = sorted(services.task.labels)
    labels = np.array([names.index(str(example.label)) for example in learnt])
    places = np.arange(len(labels))
    for c in CLOSENESS:
        shares = out_of_fold(services, learnt, names, c)
        yield f"cleanlab, C={c:g}", np.isin(places, list(issues(labels.tolist(), shares)))
        own = shares[places, labels]
        yield f"twice, C={c:g}", shares.max(axis=1) > 2 * own
    yield "learn", np.array([example.weight < LIGHT for example in cured(services, "learn", learnt, {})])


def _services(task: Any, seed: int, embedder: Embedder) -> Any:
    """What `cured` needs; texts are embedded once."""
    known: dict[tuple[str, ...], Any] = {}

    def embed(texts: Sequence[str]) -> Any:
        key = tuple(texts)
        if key not in known:
            known[key] = embedder.encode(texts)
        return known[key]

    return SimpleNamespace(task=task, seed=seed, memory=SimpleNamespace(embed=embed), bar=lambda what: None)


def _draw(data: Path, name: str, noise: float, seed: int) -> tuple[list[Example], np.ndarray, list[dict[str, str]]]:
    """What is learnt, which of it is labelled wrong, and what scores; a seed draws its own rows."""
    rows, dice = read_rows(data / name / "train.jsonl"), random.Random(seed)
    dice.shuffle(rows)
    labels = list(known_task(name).labels)
    learnt = [_noisy(row, labels, noise, dice) for row in rows[:240]]
    wrong = np.array([example.label != row["label"] for example, row in zip(learnt, rows, strict=False)])
    return learnt, wrong, rows[240:1240]


def _noisy(row: dict[str, str], labels: list[str], noise: float, dice: random.Random) -> Example:
    label = row["label"]
    if dice.random() < noise:
        label = dice.choice([each for each in labels if each != label])
    return Example(text=row["text"], label=label, origin=Origin(stance="typical"))


if __name__ == "__main__":
    main()
