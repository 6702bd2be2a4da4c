"""Breadth before lessons: the subtypes of every class, with topics, listed once before anything is written."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agents.base import Services, prompt, said, shown_seeds
from agents.folder import chunks
from teacher.base import Message, Prompt


class Subtype(BaseModel):
    """A kind of text within a class, and what such texts may be about; a teacher may add what it likes."""

    model_config = ConfigDict(frozen=True)

    name: str
    topics: tuple[str, ...] = ()


class ClassOutline(BaseModel):
    """The subtypes of one class."""

    label: str
    subtypes: list[Subtype]


class Outline(BaseModel):
    """What the generator answers when asked for subtypes."""

    classes: list[ClassOutline] = Field(min_length=1)


def outline(services: Services, cycle: int, facets: Sequence[str], each: int) -> dict[str, tuple[Subtype, ...]]:
    """Facet -> subtypes, from the run folder if they were listed before.

    A facet the teacher does not name, or names wrongly, has no subtypes: its texts are then asked for without.

    Args:
        services: the teacher and the run folder.
        cycle: the ledger's.
        facets: what breadth is spread over.
        each: subtypes of a facet.
    """
    path = services.folder.root / "outline.jsonl"
    known = services.folder.read_rows(path, ClassOutline)
    if not known:
        known = _ask(services, cycle, chunks(facets, 8), each)
        services.folder.write_rows(path, known)
    found = {each.label: tuple(each.subtypes) for each in known}
    return {facet: found.get(facet, ()) for facet in facets}


def _ask(services: Services, cycle: int, groups: Sequence[Sequence[str]], each: int) -> list[ClassOutline]:
    seeds = "\n".join(f"- {said(services.task, example)}" for example in shown_seeds(services))
    prompts = []
    for group in groups:
        request = prompt(
            "generator_outline",
            task=services.task.describe(),
            part=services.task.part,
            facets="\n".join(f'- "{facet}": texts {services.task.wanted(facet)}' for facet in group),
            count=each,
            seeds=seeds,
        )
        prompts.append(Prompt((Message(role="user", content=request),)))
    bar = services.bar("listing the subtypes of every class")
    answers = services.teacher.ask(prompts, Outline, role="generator", cycle=cycle, progress=bar)
    allowed = {facet for group in groups for facet in group}
    classes = [found for answer in answers if answer.value is not None for found in answer.value.classes]
    return [found for found in classes if found.label in allowed]
