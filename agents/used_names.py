"""What must vary from text to text, such as the names of entities: how often each was used, and which are worn out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..tasks.base import Example, normalise
from .base import Services

MOST_USES = 6
"""Written texts with a name after which it is worn out, where there are few."""

SHARE = 0.03
"""Of all written texts: real ones repeat U.S. and London, too."""

EXEMPT = ("gold", "pool", "rewrite")
"""Sources of texts that may repeat names: real ones, and seeds in other words."""


@dataclass
class Used:
    """Name (normalised) -> in how many written texts it stands, and how many there are."""

    counts: Counter[str] = field(default_factory=Counter)
    texts: int = 0

    def add(self, names: Iterable[str]) -> None:
        """Count one more text."""
        self.counts.update(names)
        self.texts += 1

    def worn_out(self) -> list[str]:
        """The names that were used too often, the most frequent first."""
        return [name for name, _ in self.counts.most_common() if self.is_worn([name])]

    def is_worn(self, names: Iterable[str]) -> bool:
        """Whether one of the names was used `MOST_USES` times, or in `SHARE` of the texts if that is more."""
        return any(self.counts[name] >= max(MOST_USES, SHARE * self.texts) for name in names)


def used(services: Services, cycle: int) -> Used:
    """What was used in texts written before this cycle.

    The user's own texts do not count, nor those of the gate, whose names no prompt may tell. This cycle's are left out
    because a step that runs again finds them in memory.
    """
    found = Used()
    for status in ("kept", "candidate", "shelved"):
        for example in services.memory.samples("train", status):
            if example.origin.source not in EXEMPT and example.origin.cycle < cycle:
                found.add(names_in(services, example))
    return found


def names_in(services: Services, example: Example) -> set[str]:
    """The names in one text, normalised; not words in lower case (nearby, italian): a type may have only a few."""
    mentions = services.task.mentions(example.text, example.label)
    return {normalise(name) for name in mentions if not name.islower()}
