"""Every class counts the same when a student learns, however many texts it happens to have.

Texts are asked for in equal numbers; what breaks that are lessons, which are about a few classes, and texts that were
refused. Neither says how often a class occurs, but a student believes that it does: with four and seven classes of 5 to
50 texts that cost ten points and more, with 77 of five or seven texts up to five (docs/results.md, "Many classes").
"""

from collections import defaultdict
from collections.abc import Sequence

from tasks.base import Example

MOST = 5.0
"""By how much the weight of a text is raised, at most: a single text of a class need not be a typical one."""


def balanced(examples: Sequence[Example]) -> list[Example]:
    """The examples with weights that make every class count the same; as they are where one has no single class.

    Args:
        examples: with weights of their own, perhaps.
    """
    if not all(isinstance(example.label, str) for example in examples):
        return list(examples)
    mass: defaultdict[str, float] = defaultdict(float)
    for example in examples:
        mass[str(example.label)] += example.weight
    mean = sum(mass.values()) / max(1, len(mass))
    return [
        example.model_copy(update={"weight": example.weight * min(MOST, mean / mass[str(example.label)])})
        if mass[str(example.label)]
        else example
        for example in examples
    ]
