"""Which texts are too hard for the student: those that it is sure are something else.

A small student learns from them that cues mean the reverse of what they mean. They do the harm that lesson batches can
do; the rest of such a batch is worth as much as typical texts, or more (docs/results/texts-by-use.md). A larger
student, or this one when it has learnt more, can use them.
"""

from collections.abc import Sequence

from ...tasks.base import Example
from ..base import Services

BEYOND = 0.1
"""Share of the texts for lessons too hard above which the other texts teach the student nothing either. It was 0 to
7 % on TREC, AG News and classes that resemble each other, where lessons help or do no harm, and 13 to 37 % on SST-2,
where they take away what plain texts gave (docs/results/recorded-teacher.md)."""


def are_too_hard(far: int, aimed: int) -> bool:
    """Whether lessons as a whole are too hard: more than `BEYOND` of their texts are."""
    return far > max(1, BEYOND * aimed)


def split_by_difficulty(
    services: Services, student: str, examples: Sequence[Example], sure: float
) -> tuple[list[Example], list[Example]]:
    """The examples that the student can learn, and those that are too hard for it, each in their order.

    Args:
        services: the task and the students.
        student: folder of a student that was not trained on them, relative to the run folder.
        examples: labelled texts.
        sure: probability of a wrong answer above which a text is too hard; from 1 on, none is.
    """
    if not examples or sure >= 1.0:
        return list(examples), []
    predictions = services.students.load(services.folder.root / student).predict([each.text for each in examples])
    near: list[Example] = []
    far: list[Example] = []
    for example, prediction in zip(examples, predictions, strict=True):
        wrong = not services.task.is_right(example.label, prediction.label)
        (far if wrong and prediction.probability > sure else near).append(example)
    return near, far
