"""Every class counts the same when a student learns, however many texts it happens to have.

Texts are asked for in equal numbers; what breaks that are lessons, which are about a few classes, and texts that were
refused. Neither says how often a class occurs, but a student believes that it does: with four and seven classes of 5 to
50 texts that cost ten points and more, with 77 of five or seven texts up to five (docs/results/many-classes.md).
"""

from collections import Counter
from collections.abc import Sequence

from ...tasks.base import Example

MOST = 5.0
"""By how much the weight of a class is raised, at most: a single text of a class need not be a typical one."""


def class_weights(examples: Sequence[Example]) -> list[float]:
    """How much each example counts so that every class counts the same; 1.0 for all where one has no single class."""
    labels = [example.label for example in examples]
    if not all(isinstance(label, str) for label in labels):
        return [1.0] * len(labels)
    counts = Counter(labels)
    mean = len(labels) / max(1, len(counts))
    return [min(MOST, mean / counts[label]) for label in labels]
