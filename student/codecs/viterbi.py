"""The most probable tags of a sentence that make sense one after the other."""

from collections.abc import Sequence
from functools import cache

import numpy as np


@cache
def _legal(tags: tuple[str, ...]) -> np.ndarray:
    """Whether the tag of a row may stand before that of a column."""
    return np.array([[not tag.startswith("I-") or before[2:] == tag[2:] for tag in tags] for before in tags])


def best_path(shares: np.ndarray, tags: Sequence[str]) -> list[int]:
    """The most probable sequence in which every inner tag continues a span of its type (Viterbi).

    Args:
        shares: probability of every tag of every word, shape (words, tags), words taken as independent.
        tags: their names.
    """
    legal = _legal(tuple(tags))
    best = shares.argmax(axis=1)
    first = not tags[best[0]].startswith("I-")
    if first and legal[best[:-1], best[1:]].all():  # nearly always: then it is the best of all
        return [int(tag) for tag in best]
    logs = np.log(np.maximum(shares, 1e-300))
    steps = np.where(legal, 0.0, -np.inf)
    score = logs[0] + np.array([-np.inf if tag.startswith("I-") else 0.0 for tag in tags])
    came = np.zeros(shares.shape, dtype=int)
    for word in range(1, len(shares)):
        through = score[:, None] + steps
        came[word] = through.argmax(axis=0)
        score = through.max(axis=0) + logs[word]
    path = [int(score.argmax())]
    for word in range(len(shares) - 1, 0, -1):
        path.append(int(came[word, path[-1]]))
    return path[::-1]
