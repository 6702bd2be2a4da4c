"""Memory as files: every text with its label, source, votes and fate, readable without us; and where they lie."""

from typing import get_args

import numpy as np

from ...memory.base import Status, Vectors
from ...tasks.base import Split
from ...tasks.files import write_text
from ..base import Services

MAPPED = 2000
"""Most texts of the map."""


def export_samples(services: Services) -> None:
    """Write `samples.jsonl`: seeds, training texts of every status, and the gate. The user's own dev set stays out.

    What is learnt is also written in the other forms that the task's field knows.
    """
    memory, rows = services.memory, []
    splits: tuple[Split, ...] = ("seed", "train", "gate")
    for split in splits:
        for status in get_args(Status) if split == "train" else ("kept",):
            reasons = memory.reasons(status)
            rows += [
                {**example.model_dump(mode="json"), "status": status, "reason": reasons.get(example.id, "")}
                for example in memory.samples(split, status)
            ]
    services.folder.write_rows(services.folder.root / "samples.jsonl", rows)
    learnt = [*memory.samples("seed"), *memory.samples("train")]
    for name, lines in services.task.exports(learnt).items():
        write_text(services.folder.root / name, "".join(f"{line}\n" for line in lines))


def export_map(services: Services) -> None:
    """Write `map.jsonl`: where texts lie by their vectors, in the plane that keeps most of their distances (PCA).

    Held-out texts are on it too: a place tells nothing of their words, and only the report reads it.
    """
    memory = services.memory
    texts = {
        example.id: example.text
        for split in get_args(Split)
        for status in (get_args(Status) if split == "train" else ("kept",))
        for example in memory.samples(split, status)
    }
    shown = sorted(texts)[:MAPPED]  # ids are hashes: the first of them are a fair sample, and nearly the same each time
    places = flattened(memory.embed([texts[each] for each in shown]))
    rows = [
        {"id": id_, "x": round(float(x), 4), "y": round(float(y), 4)} for id_, (x, y) in zip(shown, places, strict=True)
    ]
    services.folder.write_rows(services.folder.root / "map.jsonl", rows)


def flattened(vectors: Vectors) -> Vectors:
    """Coordinates along the two directions in which vectors differ most, shape (texts, 2)."""
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # by size, the largest last
    axes = directions[:, [-1, -2]]
    # An axis may point either way; fixed, so that the map does not turn over from cycle to cycle.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return np.asarray(centred @ axes, dtype=np.float32)
