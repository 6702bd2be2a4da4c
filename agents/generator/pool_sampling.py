"""Choosing from the user's own unlabelled texts: at random to judge by, where the student is unsure to learn from."""

import random
from collections.abc import Sequence
from typing import get_args

import numpy as np

from ...memory.base import Status
from ...tasks.base import Split, text_id
from ..base import Services

PER_WRITTEN = 4
"""Texts of the pool in a batch for each that would be written: a label takes a fraction of the tokens of a text."""

CLOSEST = 4
"""Least sure texts that each picked one is chosen from: the very least sure are alike, and often of no class."""


def example_texts(pool: Sequence[str]) -> Sequence[str]:
    """The few first texts of the pool that show the generator what texts of the task look like.

    They are never picked, so that no text of the gate can have been in a prompt.
    """
    return pool[: min(8, len(pool) // 10)]


def count_unseen(services: Services) -> int:
    """Texts of the pool that can be picked, as far as their ids say: near duplicates are found when they are picked."""
    splits: tuple[Split, ...] = ("seed", "train", "gate", "dev")
    known = {
        example.id
        for split in splits
        for status in (get_args(Status) if split == "train" else ("kept",))
        for example in services.memory.samples(split, status)
    }
    return len({text_id(text) for text in _pickable(services)} - known)


def draw_gate(services: Services, count: int) -> list[str]:
    """Up to `count` texts of the pool at random, to be held out; fewer where some are near known ones."""
    candidates = _pickable(services)
    random.Random(f"{services.seed} gate").shuffle(candidates)
    return keep_novel(services, candidates[: 2 * count])[:count]


def has_enough_for_gate(services: Services, count: int) -> bool:
    """Whether the pool has a gate of `count` texts and at least as many to label besides."""
    return 0 < 2 * count <= len(_pickable(services))


def pick(services: Services, champion: str, count: int, cycle: int) -> list[str]:
    """Up to `count` pool texts: the least sure, of each predicted class in turn, and of these such as are unlike.

    Only this choice was better than a random one on every task under label noise; picking what the student seems to
    get wrong collects the teacher's mistakes instead.

    Args:
        services: memory, students and the pool itself.
        champion: folder of the student, relative to the run folder.
        count: how many to pick.
        cycle: seeds the random subset that is looked at when the pool is large.
    """
    if count <= 0:
        return []
    candidates = _pickable(services)
    random.Random(services.seed * 1000 + cycle).shuffle(candidates)
    fresh = keep_novel(services, candidates[: max(2000, CLOSEST * count)])
    if len(fresh) <= count:
        return fresh
    groups = _least_sure(services, champion, fresh, CLOSEST * count)
    sizes = share_in_turn([len(group) for group in groups], count)
    return [
        text
        for group, size in zip(groups, sizes, strict=True)
        if size
        for text in _select_diverse(services, group, size)
    ]


def _pickable(services: Services) -> list[str]:
    return list(services.pool[len(example_texts(services.pool)) :])


def _least_sure(services: Services, champion: str, texts: Sequence[str], count: int) -> list[list[str]]:
    """The `count` least sure texts by predicted class, least sure first; in one group where a text has no one class."""
    predictions = services.students.load(services.folder.root / champion).predict(texts)
    margins = [prediction.margin for prediction in predictions]
    groups: dict[str, list[str]] = {}
    for i in np.argsort(margins, kind="stable")[:count]:
        label = predictions[i].label
        groups.setdefault(label if isinstance(label, str) else "", []).append(texts[i])
    return list(groups.values())


def share_in_turn(sizes: Sequence[int], count: int) -> list[int]:
    """How many of each group are taken if each gives one in turn until there are `count`, or all are empty."""
    taken = [0] * len(sizes)
    while count > 0 and (able := [place for place, size in enumerate(sizes) if taken[place] < size]):
        for place in able[:count]:
            taken[place] += 1
        count -= len(able)
    return taken


def keep_novel(services: Services, texts: Sequence[str]) -> list[str]:
    """Keep the texts that are near no known text, held-out ones included."""
    return [text for text, refusal in zip(texts, services.memory.novel(texts), strict=True) if refusal is None]


def _select_diverse(services: Services, texts: list[str], count: int) -> list[str]:
    """Farthest-point selection on the embeddings, starting from the first text."""
    vectors = services.memory.embed(texts)
    nearest = vectors @ vectors[0]
    chosen = [0]
    while len(chosen) < min(count, len(texts)):
        nearest[chosen] = np.inf
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
    return [texts[i] for i in sorted(chosen)]
