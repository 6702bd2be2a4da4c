"""Lessons that failed: the analyst is told of them, and refused where it proposes them a third time."""

from collections.abc import Sequence

import numpy as np

from ...tasks.base import Lesson
from ..base import Services
from ..prompting import one_line, prompt

ALIKE = 0.7
"""Cosine of two lessons' names and patterns above which they count as the same (docs/results/search-in-memory.md)."""

CHANCES = 2
"""Batches in which a lesson may bring nothing."""


def find_failed_lessons(services: Services) -> list[Lesson]:
    """Lessons whose batch was shelved, or whose texts were all out of the student's reach.

    One of which no text came through has not been tried.
    """
    tried = [each for each in services.memory.lessons() if each.effect]
    tried = [each for each in tried if each.effect["samples"] or each.effect["too_hard"]]
    return [lesson for lesson in tried if not _succeeded(lesson.effect)]


def describe_failed_lessons(services: Services) -> str:
    """The part of the analyst's prompt that lists the failed lessons; empty where there are none."""
    lines = [f"- {one_line(lesson.name)}: {one_line(lesson.pattern)}" for lesson in find_failed_lessons(services)[-10:]]
    return prompt("analyst/failed_lessons", lessons="\n".join(lines)) if lines else ""


def find_repeated_failures(services: Services, lessons: Sequence[Lesson]) -> list[Lesson]:
    """The new lessons that are like `CHANCES` or more failed ones."""
    past = find_failed_lessons(services)
    if not lessons or len(past) < CHANCES:
        return []
    near = (
        services.memory.embed([_to_text(each) for each in lessons])
        @ services.memory.embed([_to_text(e) for e in past]).T
    )
    cycles = np.array([each.cycle for each in past])
    return [each for each, row in zip(lessons, near, strict=True) if len(set(cycles[row > ALIKE])) >= CHANCES]


def _succeeded(effect: dict[str, float]) -> bool:
    return bool(effect["kept"] and effect["samples"])


def _to_text(lesson: Lesson) -> str:
    return f"{lesson.name}: {lesson.pattern}"
