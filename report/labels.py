"""Single labels in words and figures."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..tasks.task import Points

NONE = "none"
"""What the label of a text is called that has none."""


def items(label: Any) -> set[tuple[str, Any]]:
    """A label of any kind as (name, place) pairs: one name, several names, or spans."""
    if isinstance(label, str):
        return {(label, None)}
    return {(each, None) if isinstance(each, str) else (each["type"], (each["start"], each["end"])) for each in label}


def names(label: Any) -> set[str]:
    """The names in a label, each once."""
    return {name for name, _ in items(label)}


def label_points(pairs: Iterable[tuple[Any, Any]]) -> dict[str, list[Points]]:
    """What every text that has a label, or got it, adds to its F1, from (gold, predicted); spans by exact places."""
    found: dict[str, list[Points]] = {}
    for gold, predicted in pairs:
        there, said = items(gold), items(predicted)
        right, both = Counter(name for name, _ in there & said), Counter(name for name, _ in [*there, *said])
        for name, count in both.items():
            found.setdefault(name, []).append((2.0 * right[name], float(count)))
    return found


def label_f1(pairs: Iterable[tuple[Any, Any]]) -> dict[str, float]:
    """F1 of every label over (gold, predicted) pairs."""
    found = label_points(pairs)
    return {name: sum(top for top, _ in each) / sum(bottom for _, bottom in each) for name, each in found.items()}


def told(label: Any, text: str) -> str:
    """A label of any kind in words: its name, its names, or each entity with its type."""
    if isinstance(label, str):
        return label
    each = (one if isinstance(one, str) else f"“{text[one['start'] : one['end']]}” {one['type']}" for one in label)
    return ", ".join(each) or NONE


def slips(label: Any, said: Any) -> tuple[list[str], list[str]]:
    """The names that an answer misses, and those that it says wrongly; an entity twice where it stands twice."""
    right, answered = items(label), items(said)
    return sorted(name for name, _ in right - answered), sorted(name for name, _ in answered - right)
