"""Breadth before lessons: the subtypes of every class, with topics, listed once before anything is written."""

import logging
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, field_validator

from ...tasks.base import OneLine
from ...tasks.kinds.label_names import by_loose_name, loosen
from ...teacher.base import Message, Prompt
from ..base import Services
from ..prompting import About, chunks, format_example, prompt, select_seeds

log = logging.getLogger(__name__)


class Subtype(BaseModel):
    """A kind of text within a class, and what such texts may be about; a teacher may add what it likes."""

    model_config = ConfigDict(frozen=True)

    name: OneLine
    topics: tuple[OneLine, ...] = ()


class ClassSubtypes(BaseModel):
    """The subtypes of one class."""

    label: str
    subtypes: list[Subtype]


class Taxonomy(BaseModel):
    """What the generator answers when asked for subtypes."""

    classes: list[ClassSubtypes]

    @field_validator("classes")
    @classmethod
    def _some(cls, classes: list[ClassSubtypes]) -> list[ClassSubtypes]:
        if not classes:  # said here and not in the schema, where some servers refuse it
            raise ValueError("name at least one class")
        return classes


def ensure_taxonomy(
    services: Services, cycle: int, target_classes: Sequence[str], each: int
) -> dict[str, tuple[Subtype, ...]]:
    """Target class -> subtypes, from the run folder if they were listed before.

    A target class the teacher does not name, or names wrongly, has no subtypes: its texts are then asked for without.

    Args:
        services: the teacher and the run folder.
        cycle: the ledger's.
        target_classes: what breadth is spread over.
        each: subtypes of a target class.
    """
    path = services.folder.root / "taxonomy.jsonl"
    known = services.folder.read_rows(path, ClassSubtypes)
    if not known:
        known = _ask(services, cycle, chunks(target_classes, 8), each)
        services.folder.write_rows(path, known)
    found = {each.label: tuple(each.subtypes) for each in known}
    return {target_class: found.get(target_class, ()) for target_class in target_classes}


def _ask(services: Services, cycle: int, groups: Sequence[Sequence[str]], each: int) -> list[ClassSubtypes]:
    task, shown, prompts = services.task, select_seeds(services), []
    for group in groups:
        own = [seed for seed in shown if any(task.fits(target_class, seed.label) for target_class in group)]
        request = prompt(
            "generator/taxonomy",
            task=services.task.describe(),
            part=services.task.part,
            target_classes="\n".join(
                f'- "{target_class}": texts {services.task.wanted(target_class)}' for target_class in group
            ),
            count=each,
            seeds="\n".join(f"- {format_example(task, example)}" for example in own or shown),
        )
        about = About(purpose="taxonomy", count=each, target_classes=list(group))
        prompts.append(Prompt((Message(role="user", content=request),), about=about))
    bar = services.bar("listing the subtypes of every class")
    answers = services.teacher.ask(prompts, Taxonomy, role="generator", cycle=cycle, progress=bar)
    for answer in answers:
        if answer.value is None:
            log.warning("Subtypes could not be listed, so texts are asked for without: %s", answer.problem)
    target_classes = [target_class for group in groups for target_class in group]
    meant = {**by_loose_name(target_classes), **{target_class: [target_class] for target_class in target_classes}}
    classes = [found for answer in answers if answer.value is not None for found in answer.value.classes]
    found = {each.label: each for each in classes}  # of a class that several answers name, the last
    named = [(meant.get(label) or meant.get(loosen(label), []), each) for label, each in found.items()]
    return [each.model_copy(update={"label": names[0]}) for names, each in named if len(names) == 1]
