"""Choosing from the user's own unlabelled texts: where the student is unsure, and no two alike."""

import random
from collections.abc import Sequence

import numpy as np

from ..base import Services


def example_texts(pool: Sequence[str]) -> Sequence[str]:
    """The few first texts of the pool that show the generator what texts of the task look like.

    They are never picked, so that no text of the gate can have been in a prompt.
    """
    return pool[: min(8, len(pool) // 10)]


def pick(services: Services, champion: str, count: int, cycle: int) -> list[str]:
    """Up to `count` pool texts: the least sure, and of these such as are spread over what they are about.

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
    candidates = list(services.pool[len(example_texts(services.pool)) :])
    random.Random(services.seed * 1000 + cycle).shuffle(candidates)
    fresh = keep_novel(services, candidates[: max(2000, 4 * count)])
    if len(fresh) <= count:
        return fresh
    return _select_diverse(services, _unsure_first(services, champion, fresh)[: 4 * count], count)


def _unsure_first(services: Services, champion: str, texts: Sequence[str]) -> list[str]:
    predictions = services.students.load(services.folder.root / champion).predict(texts)
    margins = [prediction.margin for prediction in predictions]
    return [texts[i] for i in np.argsort(margins, kind="stable")]


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
