"""Whether the teacher labels the user's own examples as the user does: the one thing known for certain about a task.

Each half of the examples is labelled by the run's own annotator, who is shown the other half alone. So a run's figures
can be a little better: there all examples are shown.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from ..agents.annotator.agent import Annotator
from ..agents.base import Services
from ..agents.prompting import one_line
from ..graph.config.run_config import RunConfig, agents
from ..tasks.base import Example
from ..tasks.errors import EvoKDError
from .connection_test import teacher_of_plan

MOST = 40
"""Examples asked about; four calls of two votes on twenty."""

SHOWN = 5
"""Examples told about which they differ."""

FEW = 0.7
"""Share of the examples below which one should look at descriptions and teacher before money is spent."""


@dataclass(frozen=True)
class TeacherAgreement:
    """What the teacher said of the user's own examples."""

    asked: int
    right: int
    calls: int
    others: tuple[str, ...] = ()
    """Where they differ, a sentence for each example."""
    problem: str = ""
    """Why it ended early; empty where it did not."""

    @property
    def notes(self) -> list[str]:
        """What was heard."""
        if not self.asked:
            return []
        said = (
            f"Asked about each half of your own examples with the other half in view ({self.calls} calls), the teacher "
            f"labels {self.right} of {self.asked} as you do."
        )
        rest = len(self.others) - SHOWN
        return [said, *(f"  {each}" for each in self.others[:SHOWN]), *([f"  and {rest} more."] if rest > 0 else [])]

    @property
    def doubts(self) -> list[str]:
        """What should be looked at before money is spent."""
        if self.problem:
            return [f"the teacher could not be heard on your examples: {self.problem}"]
        if self.right >= FEW * self.asked:
            return []
        return [
            f"the teacher labels {self.right} of {self.asked} of your own examples as you do: say in task.description "
            "and the labels' descriptions what decides, correct examples that are wrong, or take a stronger model; a "
            "student of wrong labels can be worse than one of your examples alone"
        ]


def measure_agreement(config: RunConfig, services: Services, folder: Path) -> TeacherAgreement | None:
    """Ask; None where there is nothing to compare, or an annotator of the user's own.

    Args:
        config: the run's config.
        services: with the examples in memory; its teacher is not asked.
        folder: made for what a teacher writes down.
    """
    annotator, seeds = agents(config).get("annotator"), services.memory.samples("seed")
    if not isinstance(annotator, Annotator) or len(seeds) < 2:
        return None
    seeds = sorted(seeds, key=lambda each: (services.task.names(each.label), each.id))[:: -(-len(seeds) // MOST)]
    teacher = teacher_of_plan(config, folder)
    asking, found = replace(services, teacher=teacher), TeacherAgreement(0, 0, 0)
    try:
        for half in (seeds[::2], seeds[1::2]):
            found = _with_half(found, half, annotator, asking)
    except EvoKDError as error:
        found = replace(found, problem=str(error))
    finally:
        calls = int(teacher.spent(0).get("calls", 0))
        teacher.close()
    return replace(found, calls=calls)


def _with_half(
    found: TeacherAgreement, half: list[Example], annotator: Annotator, services: Services
) -> TeacherAgreement:
    task, memory, ids = services.task, services.memory, [example.id for example in half]
    memory.mark(ids, "shelved")  # not shown to the teacher meanwhile
    try:
        annotations = annotator.label([example.text for example in half], services, 0)
    finally:
        memory.mark(ids, "kept")
    others = []
    for example, annotation in zip(half, annotations, strict=True):
        if annotation.aggregate is None or not task.is_right(example.label, annotation.aggregate.label):
            said = (
                task.say(example.text, annotation.aggregate.label)
                if annotation.aggregate
                else f"no label ({annotation.problem})"
            )
            own = task.say(example.text, example.label)
            others.append(f"{one_line(example.text)!r:.120}: yours is {own}, the teacher's {said}")
    return TeacherAgreement(found.asked + len(half), found.right + len(half) - len(others), 0, (*found.others, *others))
