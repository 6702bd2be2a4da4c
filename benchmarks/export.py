"""What a student keeps when it leaves: torch, ONNX in float32 and in int8, on the same texts.

    python -m benchmarks.export --data DATA --out FOLDER

Fits a student for each data set on a few hundred rows of the train file, exports it, and scores all three forms on rows
of the test file. The texts that choose a way to int8, and those that judge it, are other rows of the train file. One
thread; milliseconds are those of one text at a time (median) and in batches, of the processor. A student that stands in
FOLDER already is taken as it is.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks.data_sets import data_set_task
from evokd.student.base import Answering
from evokd.student.serving.export import write_student
from evokd.student.serving.onnx import FULL, QUANTIZED, load_onnx
from evokd.student.serving.parity import Trial
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents
from evokd.tasks.base import Example
from evokd.tasks.data.reading import read_examples
from evokd.tasks.task import Task

ROWS = {"trec6": 300, "sst2": 300, "ag_news": 400, "banking77": 900, "conll2003": 600}
"""Train rows that each student learns."""

HEARD, SCORED, TIMED = 700, 1000, 100
"""Most texts to choose and judge by, rows of the test file, and texts that are timed one by one."""


@dataclass(frozen=True)
class Case:
    """One data set, cut up."""

    name: str
    task: Task
    learnt: list[Example]
    heard: list[Example]
    scored: list[Example]

    @classmethod
    def read(cls, data: Path, name: str) -> "Case":
        task = data_set_task(name)
        rows = read_examples(str(data / name / "train.jsonl"), task, "train", base=Path())
        random.Random(7).shuffle(rows)
        test = read_examples(str(data / name / "test.jsonl"), task, "test", base=Path())
        random.Random(7).shuffle(test)
        count = ROWS[name]
        return cls(name, task, rows[:count], rows[count : count + HEARD], test[:SCORED])

    def student(self, folder: Path) -> TransformerStudent:
        factory = TransformerStudents(StudentSettings(device="cpu"), tuple(self.task.labels), self.task.head)
        if not folder.exists():
            made = factory.new(0)
            made.fit(self.learnt)
            made.save(folder)
        return factory.load(folder)

    @property
    def trial(self) -> Trial:
        gold = {example.text: example.label for example in self.heard}
        return Trial.split(list(gold), gold, self.task.points)


def forms(case: Case, out: Path) -> Iterator[tuple[str, Answering, Path]]:
    """The student in each form, and the file that holds its weights."""
    student = case.student(out / "students" / case.name)
    folder = out / "exported" / case.name
    if not (folder / "parity.json").exists():
        parity = write_student(student, folder, case.trial, lambda step: print(f"  {step}", flush=True))
        (folder / "parity.json").write_text(parity.model_dump_json(indent=1))
        print(f"  {parity}", flush=True)
    yield "torch", student, folder / "model.safetensors"
    yield "float32", load_onnx(folder, quantized=False), folder / FULL
    if (folder / QUANTIZED).exists():
        yield "int8", load_onnx(folder, quantized=True), folder / QUANTIZED


def tell(case: Case, out: Path) -> None:
    texts = [example.text for example in case.scored]
    exact = None
    for form, student, weights in forms(case, out):
        began = time.process_time()
        answers = student.predict(texts)
        batched = 1000 * (time.process_time() - began) / len(texts)
        exact = exact or answers
        points = [case.task.points(e.label, a.label) for e, a in zip(case.scored, answers, strict=True)]
        same = sum(a.label == b.label for a, b in zip(exact, answers, strict=True)) / len(texts)
        print(
            f"{case.name:<10} {form:<8} n {len(texts)}  {case.task.metric} "
            f"{sum(p for p, _ in points) / sum(q for _, q in points):.4f}  same {same:.2%}  "
            f"{alone(student, texts):.1f} ms alone  {batched:.1f} ms batched  {weights.stat().st_size / 1e6:.1f} MB",
            flush=True,
        )


def alone(student: Answering, texts: list[str]) -> float:
    """Milliseconds of the processor for one text at a time."""
    taken = []
    for text in texts[:TIMED]:
        began = time.process_time()
        student.predict([text])
        taken.append(1000 * (time.process_time() - began))
    return median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", choices=list(ROWS), default=list(ROWS))
    given = parser.parse_args()
    for name in given.tasks:
        (given.out / "exported").mkdir(parents=True, exist_ok=True)
        tell(Case.read(given.data, name), given.out)


if __name__ == "__main__":
    main()
