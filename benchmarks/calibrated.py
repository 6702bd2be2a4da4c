"""What a student's probabilities are worth before and after calibration, and what abstaining at 5 % comes to.

    python -m benchmarks.calibrated --data DATA --task trec6 --seeds 0 1 2 --out runs/bench

The student learns recorded texts of a strong teacher (TREC, SST-2, Banking77) or 300 train rows with their gold labels
(AG News), and is calibrated as a run does it: out of fold, and once more on `--dev` train rows that it has not learnt.
It is scored on 1,000 other train rows, so that choices never see a test row; with `--test` on the test file, without
rows that were learnt. `--foreign banking77`: how well texts of another data set are told from those of this one.
Students are kept under `--out`, and a second call scores them only.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np

from benchmarks.data_sets import data_set_task
from benchmarks.teachers.replay import read_rows
from benchmarks.trial import example_of
from benchmarks.worth import read_examples
from evokd.agents.base import Services
from evokd.agents.trainer.agent import Trainer
from evokd.agents.trainer.calibration import calibrate, measure
from evokd.agents.trainer.last_training import last_texts
from evokd.agents.trainer.weight_averaging import average_fits
from evokd.memory.run_folder import RunFolder
from evokd.student.base import Student
from evokd.student.serving.calibration import losses, reliability
from evokd.student.serving.confidence import Confidence, read_confidence
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudents
from evokd.tasks.base import Example, Prediction, unspaced
from evokd.tasks.errors import ConfigError
from evokd.tasks.metrics import mean
from evokd.tasks.task import Task
from evokd.testing import ListMemory, ScriptedTeacher

RECORDED = {"trec6": "AB", "sst2": "A", "banking77": "A"}
"""Files of recorded texts that are learnt."""

LEARNT, SCORED, FOREIGN, DRAWS = 300, 1000, 500, 400
RISK = 0.05


@dataclass(frozen=True)
class Texts:
    """The texts of one data set and seed, none of them in two places."""

    learnt: list[Example]
    dev: list[Example]
    scored: list[Example]


def draw(data: Path, name: str, task: Task, seed: int, dev: int, is_test: bool) -> Texts:
    """Draw them; dev and scored rows are the same for every seed."""
    train = read_examples(data / name / "train.jsonl")
    random.Random(7).shuffle(train)
    held, rest = train[: dev + SCORED], train[dev + SCORED :]
    random.Random(seed).shuffle(rest)
    if name in RECORDED:
        files = [data / "teacher_texts" / name / f"{arm}.jsonl" for arm in RECORDED[name]]
        seeds = {row.label: row for row in reversed(rest)}.values()
        learnt = list(
            {each.id: each for each in [*seeds, *(e for file in files for e in read_examples(file))]}.values()
        )
    else:
        learnt = rest[:LEARNT]
    known = {unspaced(each.text) for each in learnt}
    test = [example_of(task, number, row) for number, row in enumerate(read_rows(data / name / "test.jsonl"))]
    scored = test if is_test else held[dev:]
    return Texts(learnt, [e for e in held[:dev] if unspaced(e.text) not in known],
                 [e for e in scored if unspaced(e.text) not in known])  # fmt: skip


def train(task: Task, learnt: Sequence[Example], folder: Path, seed: int) -> Student:
    """The student of a folder, fitted and calibrated as the end of a run does it, unless it is there."""
    students = TransformerStudents(StudentSettings(), tuple(task.labels), task.head)
    services = Services(task, ListMemory(), students, ScriptedTeacher({}), RunFolder(folder), seed)
    services.memory.remember([example.moved("train") for example in learnt])
    trainer, last, began = Trainer(), folder / "students" / "final-001", time.process_time()
    texts = last_texts(services, trainer)

    def fitted(number: int, which: str) -> Student:
        student = students.new(number)
        student.fit(texts, balance=trainer.balance)
        return student

    is_new = not last.exists()
    average_fits(services, last, [(seed + 1) * 10_000 - 1 - each for each in range(trainer.last_members)], fitted)
    between = time.process_time()
    calibrate(services, last, trainer)
    if is_new:
        spent = between - began, time.process_time() - between
        print(f"  seconds of processor: last training {spent[0]:.0f}, calibration {spent[1]:.0f}", flush=True)
    return students.load(last)


def tell(name: str, task: Task, scored: Sequence[Example], raw: Sequence[Prediction], found: Confidence) -> None:
    """Print what a temperature and a threshold are worth on texts that had no say in either."""
    right = [task.is_right(example.label, said.label) for example, said in zip(scored, raw, strict=True)]
    said = [each.at_temperature(found.temperature) for each in raw]
    sides = []
    for answers, temperature in ((raw, 1.0), (said, found.temperature)):
        figures = reliability([each.probability for each in answers], right)
        loss = losses(task, scored, raw, temperature).mean()
        sides.append(f"ece {figures['ece']:.3f} brier {figures['brier']:.3f} loss {loss:.3f}")
    print(f"  {name:<12} n {len(found.right):>4}  temperature {found.temperature:.2f}  {sides[0]} > {sides[1]}")
    try:
        where = found.abstention(RISK)
    except ConfigError as error:
        print(f"  {'':<12} {error}", flush=True)
        return
    given = [hit for hit, each in zip(right, said, strict=True) if each.probability >= where.threshold]
    wrong = mean([not hit for hit in given]) if given else None
    promised = f"promised {where.answered / where.n:.0%} with {where.wrong / where.answered:.1%} wrong"
    came = f"answered {len(given) / len(right):.0%}, wrong {wrong}"
    print(f"  {'':<12} threshold {where.threshold:.3f}  {promised}; {came}", flush=True)


def tell_draws(task: Task, scored: Sequence[Example], raw: Sequence[Prediction], size: int) -> None:
    """Print what abstaining comes to over many draws of dev rows from the scored ones, on the rows that are left."""
    right = np.array([task.is_right(example.label, said.label) for example, said in zip(scored, raw, strict=True)])
    sure, rng, came = np.array([each.probability for each in raw]), np.random.default_rng(0), []
    for _ in range(DRAWS):
        order = rng.permutation(len(right))
        dev, rest = order[:size], order[size:]
        found = Confidence(confidences=tuple(sure[dev].tolist()), right=tuple(right[dev].tolist()))
        try:
            given = sure[rest] >= found.abstention(RISK).threshold
        except ConfigError:
            continue
        came.append((given.mean(), (~right[rest][given]).mean()))
    answered, wrong = np.mean(came, axis=0) if came else (0.0, 0.0)
    came_out = f"reached {len(came)}, answered {answered:.0%}, wrong {wrong:.3f}"
    print(f"  {'draws':<12} {size} dev rows, {DRAWS} times: {came_out}", flush=True)


def tell_sets(scored: Sequence[Example], raw: Sequence[Prediction], found: Confidence) -> None:
    """Print how often conformal sets hold the right label, and how large they are."""
    for risk in (0.1, 0.05):
        least = found.set_threshold(risk)
        sizes = [max(1, sum(share >= least for share in each.probabilities.values())) for each in raw]
        held = [
            example.label == each.label or each.probabilities[str(example.label)] >= least
            for example, each in zip(scored, raw, strict=True)
        ]
        print(
            f"  {'sets':<12} at {risk:.0%}: hold the right label {mean(held)}, labels a set {np.mean(sizes):.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=[*RECORDED, "ag_news"], required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--dev", type=int, default=200, help="train rows that play the part of the user's dev file")
    parser.add_argument("--foreign", help="data set whose texts are of none of the classes")
    parser.add_argument("--test", action="store_true", help="score the test file, once choices are made")
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    given = parser.parse_args()
    task = data_set_task(given.task)
    for seed in given.seeds:
        texts = draw(given.data, given.task, task, seed, given.dev, given.test)
        where = "test" if given.test else "train"
        print(
            f"{given.task} seed {seed}: {len(texts.learnt)} texts learnt, {len(texts.scored)} {where} rows", flush=True
        )
        folder = (given.out / f"calibrated-{given.task}-s{seed}").resolve()
        student = train(task, texts.learnt, folder, seed)
        raw = student.predict([example.text for example in texts.scored])
        points = mean([task.is_right(e.label, p.label) for e, p in zip(texts.scored, raw, strict=True)])
        print(f"  {task.metric} {points}", flush=True)
        tell("out of fold", task, texts.scored, raw, read_confidence(folder / "students" / "final-001"))
        for size in (100, given.dev):
            answers = list(zip(texts.dev[:size], student.predict([e.text for e in texts.dev[:size]]), strict=True))
            found = measure(task, answers, is_dev=True)
            tell("dev rows", task, texts.scored, raw, found)
            tell_draws(task, texts.scored, raw, size)
        tell_sets(texts.scored, raw, found)
        if given.foreign:
            tell_foreign(given.data / given.foreign, texts, raw, student)


def tell_foreign(data: Path, texts: Texts, raw: Sequence[Prediction], student: Student) -> None:
    """Print how well the probability of the answer tells texts of another data set from this one's."""
    from sklearn.metrics import roc_auc_score

    foreign = [row.text for row in read_examples(data / "train.jsonl")[:FOREIGN]]
    sure = [[each.probability for each in said] for said in (raw, student.predict(foreign))]
    area = roc_auc_score([1] * len(sure[0]) + [0] * len(sure[1]), [*sure[0], *sure[1]])
    print(
        f"  {'foreign':<12} {data.name}, n {len(sure[0])} and {len(sure[1])}: area under the curve {area:.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
