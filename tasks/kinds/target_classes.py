"""In what shares texts are written for the labels of a task whose texts may have none."""

from collections.abc import Iterable, Mapping, Sequence

from ..base import Example

ENOUGH_SEEDS = 20
"""Seeds from which what they show of real texts is believed: the share without a label, and how many have several."""


def share_beside_none(
    labels: Iterable[str], none: str, otherwise: float, seeds: Sequence[Example]
) -> Mapping[str, float]:
    """The labels in equal shares of what `none` leaves, and then `none`.

    Args:
        labels: their names.
        none: the name for no label.
        otherwise: share of texts without a label, 0 to 1, where there are too few seeds to tell.
        seeds: the user's examples.
    """
    names = list(labels)
    empty = sum(not seed.label for seed in seeds) / len(seeds) if len(seeds) >= ENOUGH_SEEDS else otherwise
    return {**dict.fromkeys(names, (1 - empty) / len(names)), none: empty}
