"""The path is the best of all that make sense."""

from itertools import product

import numpy as np
import pytest

from evokd.student.codecs.viterbi import best_path
from evokd.tasks.entities.tags import tags_of

TAGS = tags_of(["PER", "LOC"])


def makes_sense(path: tuple[int, ...]) -> bool:
    tags = [TAGS[tag] for tag in path]
    return all(
        not tag.startswith("I-") or before[1:] == tag[1:] or before == f"B-{tag[2:]}"
        for before, tag in zip(["O", *tags], tags, strict=False)
    )


@pytest.mark.parametrize("words", [1, 2, 4])
@pytest.mark.parametrize("peak", [0.3, 3.0])
def test_it_is_the_best_of_all_that_make_sense(words: int, peak: float) -> None:
    rng = np.random.default_rng(words)
    for _ in range(20):
        shares = rng.dirichlet(np.full(len(TAGS), peak), size=words)
        legal = [path for path in product(range(len(TAGS)), repeat=words) if makes_sense(path)]
        best = max(legal, key=lambda path: np.prod([shares[i, tag] for i, tag in enumerate(path)]))
        assert best_path(shares, TAGS) == list(best)


def test_impossible_tags_do_not_break_it() -> None:
    shares = np.array([[0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]])
    path = best_path(shares, TAGS)
    assert makes_sense(tuple(path)) and TAGS[path[1]] == "I-PER"
