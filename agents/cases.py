"""What the student gets wrong and right among texts it has not learnt: the last batch, or all texts in turn.

The paper analyses the last batch under the student that had not seen it. In a loop that begins with a broad batch, that
student has seen the seeds alone, so its mistakes there say nothing of what is still hard once the batch is learnt; and
later batches have thirty texts. Cross-fitting shows all that is kept to students that have learnt the rest of it.
"""

import math
import random
from typing import Any

from ..tasks.base import Example, Prediction
from ..tasks.task import Points, Task
from .base import Case, Services

LEAST = 24
"""Kept texts below which there is too little to learn from a part of them."""

FOLDS = 3
"""Parts of the kept texts, one fit for each."""


def case_of(task: Task, example: Example, before: Prediction, after: Prediction) -> Case:
    """One text under a student that has not learnt it, and one that has."""
    return Case(
        id=example.id,
        text=example.text,
        label=example.label,
        before=before.label,
        after=after.label,
        before_probability=math.exp(-task.loss(example, before)),
        before_sure=before.probability,
        after_probability=math.exp(-task.loss(example, after)),
        right_before=task.is_right(example.label, before.label),
        right_after=task.is_right(example.label, after.label),
    )


def scored(example: Example, predicted: Prediction, points: Points) -> dict[str, Any]:
    """A held-out text as a row of a file: id, label, what a student says, and what that adds to its score."""
    label, said = (each.model_dump(mode="json", include={"label"})["label"] for each in (example, predicted))
    return {"id": example.id, "label": label, "predicted": said, "points": points}


def last_batch(services: Services, cycle: int) -> list[Case]:
    """The cases of a cycle, or of the last one before it whose batch was not empty."""
    folder = services.folder
    written = (folder.read_rows(folder.cycle(number) / "cases.jsonl", Case) for number in range(cycle, -1, -1))
    return next(filter(None, written), [])


def cross_fit(services: Services, cycle: int) -> list[Case]:
    """Cross-fit: show every kept text to a student that has learnt the seeds and the other folds.

    Args:
        services: students and memory; with fewer than `LEAST` kept texts there are no cases.
        cycle: the one that is about to write; a step that is run again finds its cases.
    """
    kept, path = services.memory.samples("train"), services.folder.cycle(cycle) / "cross_fit_cases.jsonl"
    if len(kept) < LEAST:
        return []
    if known := services.folder.read_rows(path, Case):
        return known
    seeds, order = services.memory.samples("seed"), random.Random(f"{services.seed} {cycle}").sample(kept, len(kept))
    cases = []
    for number in range(FOLDS):
        held = order[number::FOLDS]
        rest = [example for place, example in enumerate(order) if place % FOLDS != number]
        student = services.students.new(services.seed * 10_000 + cycle * 100 + 50 + number)
        bar = services.bar(f"looking for weaknesses, fit {number + 1} of {FOLDS}")
        student.fit([*seeds, *rest], bar, balance=True)
        found = student.predict([example.text for example in held])
        cases += [case_of(services.task, *row) for row in zip(held, found, found, strict=True)]
    services.folder.write_rows(path, cases)
    return cases
