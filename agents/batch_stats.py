"""What became of a cycle's batch, counted by the roles: the fields that steer the loop.

Words for people are made of them in `report/` alone.
"""

from typing import Any, Unpack, cast

from typing_extensions import TypedDict  # pydantic, and so the input form of LangGraph Studio, needs it before 3.12


class BatchStats(TypedDict, total=False):
    """Numbers of texts, unless a field says otherwise. A field that nobody counted is absent.

    Examples:
        >>> evokd.BatchStats(drafted=8, quarantined={"not confident": 2})
        {'drafted': 8, 'quarantined': {'not confident': 2}}
    """

    drafted: int
    """New texts without a label."""
    refused: dict[str, int]
    """Drafts that were too near a text that is known, by what it is near."""
    accepted: int
    """Training texts that got a label."""
    held_out: int
    """Texts that got a label and are held out for the gate."""
    quarantined: dict[str, int]
    """Texts that are kept back, by the reason."""
    repaired: dict[str, int]
    """Answers that had to be repaired to be read, by the kind of slip."""
    unusable: dict[str, int]
    """Answers that could not be used, by the kind of slip."""
    for_lessons: int
    """Texts that were written for a lesson, before those too hard are taken out."""
    too_hard: int
    """Of these, the texts that the student is not ready for."""
    no_longer_too_hard: int
    """Texts of earlier cycles that the student is ready for by now."""
    trained_on: int
    """Texts that the challenger learnt: all that is kept, and the batch."""
    lessons_refused: dict[str, int]
    """Lessons that are not written for, by the reason."""
    analysis_failed: int
    """Analyses without a usable answer; lessons were then derived from the confusions."""
    other: dict[str, int]
    """What a role of the user's own counts, under names that it chooses."""


def add_stats(stats: BatchStats, **more: Unpack[BatchStats]) -> BatchStats:
    """The stats with `more` added, number by number; the given ones stay as they are.

    Examples:
        >>> evokd.add_stats({"drafted": 8}, accepted=6, quarantined={"not confident": 2})
        {'drafted': 8, 'accepted': 6, 'quarantined': {'not confident': 2}}

    Args:
        stats: of the cycle so far (`state.get("stats", {})`).
        more: fields of `BatchStats`; other stats are merged in by `**other`.

    Raises:
        ValueError: `more` has a field that is unknown or of the wrong form.
    """
    check_stats(more)
    total: dict[str, Any] = dict(stats)
    added: dict[str, Any] = dict(more)
    for field, value in added.items():
        total[field] = _add_groups(total.get(field, {}), value) if field in GROUPS else total.get(field, 0) + value
    return cast(BatchStats, total)


def check_stats(stats: object) -> None:
    """Refuse what is no `BatchStats`: a typing mistake in a field would otherwise steer nothing, without a word.

    Raises:
        ValueError: what is wrong, in one line.
    """
    if not isinstance(stats, dict):
        raise ValueError(f"stats must be a dict with the fields of BatchStats, not {stats!r:.80}.")
    for field, value in stats.items():
        if field not in BatchStats.__annotations__:
            raise ValueError(
                f"stats has no field {field!r}: count things of your own as stats['other'][{field!r}]. "
                f"Fields: {', '.join(BatchStats.__annotations__)}."
            )
        if field not in GROUPS and not _is_number(value):
            raise ValueError(f"stats[{field!r}] must be a whole number, not {value!r:.80}.")
        if field in GROUPS and not _is_group(value):
            raise ValueError(f"stats[{field!r}] must be a dict of name to whole number, not {value!r:.80}.")


def has_no_drafts(stats: BatchStats) -> bool:
    """Whether new texts were asked for and none came; false where nobody counted them, as in cycle 0."""
    return stats.get("drafted") == 0


def _add_groups(group: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return group | {name: group.get(name, 0) + number for name, number in more.items()}


def _is_number(value: object) -> bool:
    return type(value) is int  # neither True nor a number of NumPy's, which no checkpoint can hold


def _is_group(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(n, str) and _is_number(v) for n, v in value.items())


GROUPS = frozenset(name for name, form in BatchStats.__annotations__.items() if form is not int)
"""The fields that are numbers by name."""
