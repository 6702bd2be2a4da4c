"""How wrong a student is about the right answer: negative log probability in nats."""

import math
from collections.abc import Mapping

SMALLEST_PROBABILITY = 1e-6
"""A right answer that was given less than this counts as given this much: no text outweighs all others."""

WORST = -math.log(SMALLEST_PROBABILITY)
"""The largest negative log probability, 13.8 nats."""


def negative_log_likelihood(shares: Mapping[str, float], right: str, inverse_temperature: float = 1.0) -> float:
    """Surprise at `right`, at most `WORST`; a share that is missing or no number counts as the smallest.

    Args:
        shares: answer -> its probability, of a closed list.
        right: the right answer.
        inverse_temperature: power to which all shares are raised before they are made to sum to one again. Above 1 they
            become sharper, below 1 flatter; it is the inverse of a temperature (Guo et al. 2017, arXiv 1706.04599).
    """
    own = _bounded(shares.get(right, 0.0))
    if inverse_temperature == 1.0:
        return -math.log(own)
    total = (
        sum(_bounded(share) ** inverse_temperature for answer, share in shares.items() if answer != right)
        + own**inverse_temperature
    )
    return min(WORST, math.log(total) - inverse_temperature * math.log(own))


def at_temperature(shares: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Probabilities that sum to one, made flatter by a temperature above 1 and sharper by one below it.

    Their order stays. Of a softmax they become what it gives for its logits divided by the temperature (Guo et al.
    2017, arXiv 1706.04599).
    """
    if temperature == 1:
        return dict(shares)
    logits = {answer: math.log(share) / temperature for answer, share in shares.items() if share > 0}
    most = max(logits.values(), default=0.0)
    weights = {answer: math.exp(logits[answer] - most) if answer in logits else 0.0 for answer in shares}
    total = math.fsum(weights.values())
    return {answer: weight / total for answer, weight in weights.items()}


def _bounded(share: float) -> float:
    # Written so that NaN counts as the smallest and not as a loss that poisons a mean.
    return min(share, 1.0) if share > SMALLEST_PROBABILITY else SMALLEST_PROBABILITY
