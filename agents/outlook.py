"""What going on would bring, and what would help more: told to the person after every cycle, and kept as a result."""

from dataclasses import dataclass

from .base import Figures, Services
from .generator.pool_sampling import count_unseen
from .policy import NAMES, Choice

DISPUTED = 0.1
"""Share of the held-out texts on which a teacher's answers differ, above which its labels are what limits the student.
A strong teacher differs from itself on 1 to 2 %."""

AGREED = 0.95
"""Share of the held-out texts on which the student says what the teacher says, above which a larger student has next to
nothing to gain."""


@dataclass(frozen=True)
class Standing:
    """What is known of a run beside what its batches brought."""

    pool_left: int | None
    """Texts of the pool that nobody has looked at; None where there is no pool."""
    agreement: float | None
    """The champion's main score on the gate; None where nothing is held out."""
    disputed: float
    """Share of the gate's texts on which the teacher's answers differed."""


def measure_standing(services: Services, scores: dict[str, Figures]) -> Standing:
    """From the pool, the gate's votes and the champion's `scores` by split."""
    gate = services.memory.samples("gate")
    return Standing(
        pool_left=count_unseen(services) if services.pool else None,
        agreement=scores.get("gate", {}).get("value"),
        disputed=sum(len(example.origin.votes) > 1 for example in gate) / max(1, len(gate)),
    )


def describe_outlook(choice: Choice, standing: Standing) -> str:
    """What is left to gain from each way of going on; and, where that or the pool is at an end, what would help."""
    said = []
    if choice.left:
        said.append(f"More cycles may bring something yet, by {_listed([NAMES[arm] for arm in choice.left])}.")
    if choice.spent:
        spent = _listed([f"{NAMES[arm]} ({why})" for arm, why in choice.spent.items()])
        said.append(f"There is nothing left to gain from {spent}.")
    if not choice.left or not standing.pool_left:
        said.append(f"What would help is {_help(standing)}.")
    return " ".join(said)


def _help(standing: Standing) -> str:
    """What the person could do, by what limits the student most."""
    if standing.pool_left is None:
        return "texts of yours without labels: a few hundred of them as data.pool"
    if standing.disputed > DISPUTED:
        return (
            f"ten answers of yours: the teacher gives different labels to {standing.disputed:.0%} of the held-out "
            "texts. Add examples with the labels you want to data.seeds"
        )
    if standing.agreement is not None and standing.agreement >= AGREED:
        return (
            f"ten answers of yours: the student labels {standing.agreement:.0%} of the held-out texts as the teacher "
            "does, and only you can say where the teacher is wrong. Add such examples to data.seeds"
        )
    if standing.pool_left == 0:
        return "more of your texts without labels in data.pool, or a larger student (student.model)"
    return "a larger student: another encoder as student.model"


def _listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
