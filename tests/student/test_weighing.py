"""Learnt weights: wrong labels lose theirs, right ones do not, and the same seed says the same."""

import numpy as np
import pytest

from student.weighing import ROUNDS, learnt_weights


def clouds(wrong: int, count: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors around three centres, one-hot labels of which the first `wrong` are another's, and which those are."""
    dice = np.random.default_rng(0)
    true = np.arange(count) % 3
    vectors = np.eye(3, 40)[true] + 0.08 * dice.normal(size=(count, 40))
    said = np.where(np.arange(count) < wrong, (true + 1) % 3, true)
    return vectors, np.eye(3)[said], np.arange(count) < wrong


def test_wrong_labels_lose_their_weight() -> None:
    vectors, targets, wrong = clouds(15)
    weights = learnt_weights(vectors, targets, seed=0)
    assert weights.shape == (90,) and (weights >= 0).all() and (weights <= 2).all()
    assert weights[wrong].max() < 0.5 < weights[~wrong].min()


def test_right_labels_keep_theirs() -> None:
    vectors, targets, _ = clouds(0)
    weights = learnt_weights(vectors, targets, seed=0)
    assert weights.min() > 0.5


def test_soft_labels_are_taken_as_they_are() -> None:
    vectors, targets, wrong = clouds(15)
    weights = learnt_weights(vectors, 0.8 * targets + 0.2 / 3, seed=0)
    assert weights[wrong].mean() < weights[~wrong].mean() - 0.5


def test_the_scale_and_the_place_of_the_vectors_do_not_matter() -> None:
    vectors, targets, _ = clouds(15)
    moved = learnt_weights(100 * vectors + 7, targets, seed=0)
    assert moved == pytest.approx(learnt_weights(vectors, targets, seed=0), abs=0.02)


def test_the_seed_decides_and_progress_ends() -> None:
    vectors, targets, _ = clouds(15)
    seen: list[tuple[int, int]] = []
    one = learnt_weights(vectors, targets, 1, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (ROUNDS, ROUNDS)
    assert (one == learnt_weights(vectors, targets, 1)).all() and (one != learnt_weights(vectors, targets, 2)).any()
