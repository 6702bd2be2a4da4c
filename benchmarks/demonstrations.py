"""Which labelled texts the embedded teacher is best shown: always the same first seeds, or those nearest to the text.

    python benchmarks/demonstrations.py --data DATA --tasks trec6 ag_news sst2 --seeds 0 1 --n 150

One text a label is shown. `first`: the first seed of each label. `seeds`: the nearest of `--shots` seeds a label.
`kept`: the nearest of the seeds and of `--pool` train rows as this teacher labels them after `first`, those it is sure
of (what a run keeps). `gold`: the same rows with their right labels (what a stronger teacher would keep). The rows
that are labelled are others. The prior taken off is the mean of the batch, as in a run; `won` and `lost` are texts
whose label is right or wrong where that of the first arm is not. Answers are kept under `--out`.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks import trial
from benchmarks.data_sets import data_set_task
from benchmarks.teachers.replay import read_rows
from evokd.agents.annotator.agent import Annotator
from evokd.agents.annotator.logprob_labels import calibrate
from evokd.agents.base import Services
from evokd.agents.prompting import one_line
from evokd.graph.setup.services import open_services
from evokd.memory.run_folder import RunFolder
from evokd.tasks.base import Aggregate, Example
from evokd.teacher.base import Prompt

LONGEST = 250
"""Characters of a text that are shown."""

ARMS = ("first", "seeds", "gold", "kept")

THRESHOLD = Annotator().threshold
"""Least confidence of a label that is learnt."""


def nearest(services: Services, text: str, known: Sequence[Example], labels: Sequence[str]) -> list[Example]:
    """Of each label the text that is nearest to this one."""
    cosines = services.memory.embed([example.text for example in known]) @ services.memory.embed([text])[0]
    ranked = [known[i] for i in np.argsort(-cosines, kind="stable")]
    return [next(example for example in ranked if example.label == label) for label in labels]


def rated(
    services: Services, texts: Sequence[str], shown: Sequence[Sequence[Example]], choices: Mapping[str, str]
) -> list[Aggregate | None]:
    """The verdict on each text after the examples shown with it; none where the teacher gave no probabilities."""
    prompts = []
    for text, examples in zip(texts, shown, strict=True):
        said = [f"Text: {one_line(e.text)[:LONGEST]}\nLabel: {choices[str(e.label)]}\n" for e in examples]
        prompts.append(Prompt("\n".join([*said, f"Text: {one_line(text)[:LONGEST]}\nLabel:"])))
    answers = services.teacher.score_choices(prompts, list(choices.values()), role="annotator", cycle=1)
    rows = [[answer[word] for word in choices.values()] if answer else None for answer in answers]
    prior = np.mean([row for row in rows if row is not None], axis=0)
    return [calibrate(services.task, list(choices), row, prior).aggregate for row in rows]


def measure(services: Services, examples: Sequence[Example], given: argparse.Namespace, title: str) -> None:
    """Print what every choice of examples is worth."""
    choices = services.task.choices() or {}
    labels, rest = list(choices), list(examples)
    seeds = [e for label in labels for e in [e for e in rest if e.label == label][: given.shots]]
    rest = [example for example in rest if example not in seeds]
    asked, pool = rest[: given.n], rest[given.n : given.n + given.pool]
    first = [next(e for e in seeds if e.label == label) for label in labels]
    known = {"first": first, "seeds": seeds, "gold": [*seeds, *pool]}
    if "kept" in given.arms:
        labelled = rated(services, [e.text for e in pool], [first] * len(pool), choices)
        sure = [(e, a) for e, a in zip(pool, labelled, strict=True) if a and a.confidence >= THRESHOLD]
        known["kept"] = [*seeds, *(e.model_copy(update={"label": a.label}) for e, a in sure)]
    before: np.ndarray | None = None
    for name in given.arms:
        began = time.monotonic()
        shown = [first if name == "first" else nearest(services, e.text, known[name], labels) for e in asked]
        verdicts = rated(services, [e.text for e in asked], shown, choices)
        right = np.array([v is not None and e.label == v.label for e, v in zip(asked, verdicts, strict=True)])
        confident = np.array([v is not None and v.confidence >= THRESHOLD for v in verdicts])
        told = f"right {right.mean():.3f}, confident {confident.mean():.3f}, of those {right[confident].mean():.3f}"
        if before is None:
            before = right
        else:
            told += f", won {(right & ~before).sum()}, lost {(before & ~right).sum()}"
        spent = f"{time.monotonic() - began:.0f} s"
        print(f"{title} n {len(asked)} {name} of {len(known[name])}: {told}, {spent}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", default=["trec6", "ag_news", "sst2"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--n", type=int, default=150, help="rows that are labelled")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--shots", type=int, default=4, help="seeds of each label")
    parser.add_argument("--pool", type=int, default=200, help="rows that are known beside the seeds")
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    given = parser.parse_args()
    for seed in given.seeds:
        for name in given.tasks:
            words = ["--data", str(given.data), "--task", name, "--teacher", "local", "--seed", str(seed)]
            options = trial.parsed([*words, "--variant", "demonstrations", "--out", str(given.out)])
            task, folder = data_set_task(name), RunFolder((given.out / trial.name_of(options)).resolve())
            config = trial.begun(options, task, folder)
            found = read_rows(given.data / name / "train.jsonl")
            random.Random(f"demonstrations {seed}").shuffle(found)
            examples = [trial.example_of(task, number, row) for number, row in enumerate(found[:2000])]
            with open_services(config, folder) as services:
                measure(services, examples, given, f"{name} seed {seed}")


if __name__ == "__main__":
    main()
