"""What a wrong answer costs a student that learns, and how much of it where the label itself may be wrong."""

import torch


def generalised_cross_entropy(excess: torch.Tensor, q: float) -> torch.Tensor:
    """The generalised cross-entropy of single decisions (Zhang & Sabuncu 2018, arXiv 1805.07836).

    Theirs is (1 - p^q) / q for a label with the probability p: no decision costs more than 1 / q, so that labels which
    the student cannot believe pull less and less. Here p is exp(-excess), which is theirs for a hard label; for a soft
    one the best answer is still the soft label itself, where the mean of theirs over the labels would sharpen it.

    Args:
        excess: by how many nats the cross-entropy is above that of the best answer, of any shape.
        q: 0 leaves it as it is (cross-entropy), 1 gives one minus the probability (mean absolute error).
    """
    return -torch.expm1(-q * excess) / q if q else excess


def entropy(shares: torch.Tensor) -> torch.Tensor:
    """What each probability adds to the entropy of its distribution, in nats."""
    return -torch.xlogy(shares, shares)
