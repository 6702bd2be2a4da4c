"""Which new texts are really new: an exact comparison of every text with every other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .base import Vectors

BLOCK = 1024
"""New texts compared at once; bounds the matrix of cosines (1024 x 100 000 is 400 MB)."""


@dataclass(frozen=True)
class Contents:
    """All texts of a collection: the set of their keys, and their unit vectors (texts, dim)."""

    keys: frozenset[str]
    vectors: Vectors


def refusals(
    keys: Sequence[str], vectors: Vectors, held_out: Contents, samples: Contents, threshold: float
) -> list[str | None]:
    """For each new text None, `held-out` or `duplicate`.

    A text found new is one that the later ones of the same call are compared with; a refused one is not, since it
    will never be written, and refusing its neighbours for it would only lose room.

    Args:
        keys: the key of each new text.
        vectors: their unit vectors, (texts, dim).
        held_out: what may never be written again.
        samples: what need not be written again.
        threshold: a larger cosine is the same text.
    """
    near_held_out = _near(keys, vectors, held_out, threshold)
    near_samples = _near(keys, vectors, samples, threshold)
    accepted_keys: set[str] = set()
    accepted: list[int] = []
    reasons: list[str | None] = []
    for i, key in enumerate(keys):
        if near_held_out[i]:
            reasons.append("held-out")
        elif near_samples[i] or key in accepted_keys or _any_above(vectors[accepted] @ vectors[i], threshold):
            reasons.append("duplicate")
        else:
            accepted.append(i)
            accepted_keys.add(key)
            reasons.append(None)
    return reasons


def _near(keys: Sequence[str], vectors: Vectors, known: Contents, threshold: float) -> list[bool]:
    near = [key in known.keys for key in keys]
    if len(known.vectors):
        for start in range(0, len(keys), BLOCK):
            largest = (vectors[start : start + BLOCK] @ known.vectors.T).max(axis=1)
            for i, cosine in enumerate(largest, start=start):
                near[i] = near[i] or bool(cosine > threshold)
    return near


def _any_above(cosines: Vectors, threshold: float) -> bool:
    return bool(np.any(cosines > threshold))
