"""Probabilities of logits, in double precision."""

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities along the last axis."""
    lower = np.asarray(logits, dtype=np.float64)
    lower = lower - lower.max(axis=-1, keepdims=True)
    found: np.ndarray = lower - np.log(np.exp(lower).sum(axis=-1, keepdims=True))
    return found


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis; they sum to one."""
    lower = np.asarray(logits, dtype=np.float64)
    shares = np.exp(lower - lower.max(axis=-1, keepdims=True))
    found: np.ndarray = shares / shares.sum(axis=-1, keepdims=True)
    return found


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """The probability of each alone, without overflow."""
    found: np.ndarray = np.exp(-np.logaddexp(0.0, -np.asarray(logits, dtype=np.float64)))
    return found
