"""Every class counts the same when a student learns, however many texts it happens to have.

Texts are asked for in equal numbers; what breaks that are lessons, which are about a few classes, and texts that were
refused. Neither says how often a class occurs, and with many classes a student believes it: of 77 with five texts each,
90 more for half of them cost five points (docs/results.md, "Many classes").
"""

from collections import Counter
from collections.abc import Sequence

from tasks.base import Example

MOST = 5.0
"""Times the mean that a text counts, at most: of a class with a single text, nobody knows whether it is typical."""


def balanced(examples: Sequence[Example]) -> list[Example]:
    """The examples with weights that make every class count the same; as they are where one has no single class.

    Args:
        examples: with weights of their own, perhaps.
    """
    if not all(isinstance(example.label, str) for example in examples):
        return list(examples)
    mass: Counter[str] = Counter()
    for example in examples:
        mass[str(example.label)] += example.weight  # type: ignore[assignment]
    mean = sum(mass.values()) / max(1, len(mass))
    return [
        example.model_copy(update={"weight": example.weight * min(MOST, mean / mass[str(example.label)])})
        if mass[str(example.label)]
        else example
        for example in examples
    ]
