"""What windows are worth where texts are longer than the student reads, by how their probabilities are put together.

    python -m benchmarks.long_texts --data DATA --seed 0

The student learns 300 train rows of Yelp, the first 128 word pieces of each. Scored on 1,000 other train rows, or with
`--test` on the test file: accuracy and loss in nats, over all texts and over those longer than one window.
"""

import argparse
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np

from benchmarks.worth import read_examples
from evokd.student.codecs.base import compute
from evokd.student.codecs.probabilities import log_softmax, softmax
from evokd.student.codecs.reading import windows
from evokd.student.encoder.reading import reading
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudents

LEARNT, SCORED, LIMIT = 300, 1000, 128

POOLED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the first window alone": lambda logits: softmax(logits[0]),
    "the first and the last": lambda logits: softmax(log_softmax(logits[[0, -1]]).mean(axis=0)),
    "mean of log-probabilities": lambda logits: softmax(log_softmax(logits).mean(axis=0)),
    "mean of probabilities": lambda logits: softmax(logits).mean(axis=0),
}
"""How the logits of a text's windows, shape (windows, labels), become probabilities."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true", help="score the test file, once choices are made")
    given = parser.parse_args()
    rows = read_examples(given.data / "yelp_polarity" / "train.jsonl")
    random.Random(7).shuffle(rows)
    labels = tuple(sorted({str(row.label) for row in rows}))
    student = TransformerStudents(StudentSettings(max_length=LIMIT), labels).new(given.seed)
    student.fit(random.Random(given.seed).sample(rows[SCORED:], LEARNT), balance=True)
    scored = read_examples(given.data / "yelp_polarity" / "test.jsonl") if given.test else rows[:SCORED]
    read = windows(reading(student.tokenizer), [row.text for row in scored], LIMIT)
    logits = np.array(compute(read, student.logits))
    ends = np.cumsum(read.counts)
    texts = [logits[end - count : end] for end, count in zip(ends, read.counts, strict=True)]
    gold, long = np.array([labels.index(str(row.label)) for row in scored]), np.array(read.counts) > 1
    print(f"seed {given.seed}, {'test' if given.test else 'train'} rows: n {len(scored)}, long {long.sum()}")
    for name, pool in POOLED.items():
        shares = np.array([pool(text) for text in texts])
        right, loss = shares.argmax(axis=1) == gold, -np.log(shares[np.arange(len(gold)), gold])
        told = [f"{right[own].mean():.3f} loss {loss[own].mean():.3f}" for own in (long, long | ~long)]
        print(f"  {name:<26} long {told[0]}  all {told[1]}", flush=True)


if __name__ == "__main__":
    main()
