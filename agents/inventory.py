"""What must vary from text to text, such as the names of entities: how often each was used, and which are worn out."""

from collections import Counter
from collections.abc import Iterable

from agents.base import Services
from tasks.base import Example, normalise

MOST_USES = 6
"""Written texts with a name after which it is worn out."""


def used(services: Services) -> Counter[str]:
    """Name (normalised) -> in how many of the written texts it stands; the user's own texts do not count."""
    counts: Counter[str] = Counter()
    for status in ("kept", "candidate", "shelved"):
        for example in services.memory.samples("train", status):
            if example.origin.stance not in ("gold", "pool"):
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
