"""What must vary from text to text, such as the names of entities: how often each was used, and which are worn out."""

from collections import Counter
from collections.abc import Iterable

from agents.base import Services
from tasks.base import Example, normalise

MOST_USES = 6
"""Written texts with a name after which it is worn out."""


EXEMPT = ("gold", "pool", "rewrite")
"""Stances of texts that may repeat names: real ones, and seeds in other words."""


def used(services: Services, cycle: int) -> Counter[str]:
    """Name (normalised) -> in how many texts written before this cycle it stands.

    The user's own texts do not count, nor those of the gate, whose names no prompt may tell. This cycle's are left out
    because a step that runs again finds them in memory.
    """
    counts: Counter[str] = Counter()
    for status in ("kept", "candidate", "shelved"):
        for example in services.memory.samples("train", status):
            if example.origin.stance not in EXEMPT and example.origin.cycle < cycle:
                counts.update(names_in(services, example))
    return counts


def names_in(services: Services, example: Example) -> set[str]:
    """The names in one text, normalised."""
    return {normalise(name) for name in services.task.fillers(example.text, example.label)}


def worn_out(counts: Counter[str], most: int) -> list[str]:
    """The names that were used `most` times or more, the most frequent first; none without a limit (0)."""
    return [name for name, count in counts.most_common() if most and count >= most]


def is_worn(names: Iterable[str], counts: Counter[str], most: int) -> bool:
    """Whether one of the names was used often enough."""
    return bool(most) and any(counts[name] >= most for name in names)
