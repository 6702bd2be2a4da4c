"""Breadth before lessons: the subtypes of every class, with topics, listed once before anything is written."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agents.base import Services, one_line, prompt, shown_seeds
from agents.folder import chunks
from tasks.base import Label
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


def outline(services: Services, cycle: int, per_class: int) -> dict[Label, tuple[Subtype, ...]]:
    """Class -> subtypes, from the run folder if they were listed before.

    A class the teacher does not name, or names wrongly, has no subtypes: its texts are then asked for without.
    """
    path = services.folder.root / "outline.jsonl"
    known = services.folder.read_rows(path, ClassOutline)
    if not known:
        known = _ask(services, cycle, chunks(list(services.task.labels), 8), per_class)
        services.folder.write_rows(path, known)
    found = {each.label: tuple(each.subtypes) for each in known}
    return {label: found.get(label, ()) for label in services.task.labels}


def _ask(services: Services, cycle: int, groups: Sequence[Sequence[Label]], per_class: int) -> list[ClassOutline]:
    seeds = "\n".join(f"- {one_line(e.text)} ({e.label})" for e in shown_seeds(services))
    prompts = []
    for group in groups:
        request = prompt(
            "generator_outline", task=services.task.describe(), classes=", ".join(group), count=per_class, seeds=seeds
        )
        prompts.append(Prompt((Message(role="user", content=request),)))
    bar = services.bar("listing the subtypes of every class")
    answers = services.teacher.ask(prompts, Outline, role="generator", cycle=cycle, progress=bar)
    allowed = set(services.task.labels)
    return [
        each for answer in answers if answer.value is not None for each in answer.value.classes if each.label in allowed
    ]
