"""The convention card of a run: drafted once by the teacher, decided by the seeds, kept where the user can edit it."""

import logging

from pydantic import BaseModel, JsonValue, create_model

from ..tasks.base import Dropped, Example, Misfit
from ..tasks.errors import ConfigError
from ..tasks.files import write_text
from ..tasks.guidelines import Card, Convention, parse_card
from ..tasks.task import Task
from ..teacher.base import Message, Prompt
from .answer_schemas import with_labels
from .base import Services
from .prompting import one_line, prompt, said

log = logging.getLogger(__name__)

SHOWN_SEEDS = 40
"""Seeds the teacher may decide conventions by, the first ones."""


class Drafted(BaseModel):
    """One contested pattern in the teacher's words."""

    pattern: str
    seed: int | None
    """Number of a seed that decides it."""
    text: str
    label: JsonValue


class Drafts(BaseModel):
    """What the teacher answers when asked for contested patterns."""

    conventions: list[Drafted]


def drafts_form(task: Task) -> type[Drafts]:
    """`Drafts` whose labels have the task's own schema; null where a seed decides."""
    drafted = with_labels(Drafted, task, optional=True)
    return create_model("Drafts", __base__=Drafts, conventions=(list[drafted], ...))  # type: ignore[valid-type]


def read_card(services: Services) -> Card:
    """The run's card; an empty one before it is drafted.

    Raises:
        ConfigError: the user's edit cannot be read, or an answer in it does not fit its text.
    """
    path = services.folder.root / "conventions.toml"
    return checked(path.read_text(encoding="utf-8"), str(path), services.task) if path.exists() else Card()


def checked(text: str, source: str, task: Task) -> Card:
    """The card in a TOML file, every answer read as the teacher's would be.

    Raises:
        ConfigError: it cannot be read, or an answer does not fit its text.
    """
    card = parse_card(text, source)
    for number, each in enumerate(card.convention, start=1):
        try:
            task.read(each.text, each.answer)
        except ValueError as error:
            raise ConfigError(f"{source}: convention {number} ({each.pattern}): {error}") from None
    return card


def ensure_card(services: Services, cycle: int) -> None:
    """Draft the card if the task is contested and there is none yet.

    A small model that only continues texts is not asked: it cannot weigh conventions.
    """
    path = services.folder.root / "conventions.toml"
    if path.exists() or not services.task.contested or services.teacher.prompting("analyst") == "plain":
        return
    seeds = services.memory.samples("seed")[:SHOWN_SEEDS]
    request = prompt(
        "guidelines",
        task=services.task.describe(),
        part=services.task.part,
        rule=services.task.rule,
        seeds="\n".join(f"({number}) {said(services.task, seed)}" for number, seed in enumerate(seeds, start=1)),
    )
    bar = services.bar("drafting the convention card")
    messages = (Message(role="user", content=request),)
    [answer] = services.teacher.ask(
        [Prompt(messages)], drafts_form(services.task), role="analyst", cycle=cycle, progress=bar
    )
    if answer.value is None:
        log.warning("No convention card could be drafted: %s", answer.problem)
        return
    decided = [_decided(each, seeds, services) for each in answer.value.conventions]
    card = Card(convention=tuple(each for each in decided if each is not None))
    write_text(path, card.toml())
    if unusable := decided.count(None):
        log.warning("%d of %d drafted conventions do not fit their own example: left out.", unusable, len(decided))


def _decided(drafted: Drafted, seeds: list[Example], services: Services) -> Convention | None:
    """The convention with the seed's own label where a seed is named; None where the answer does not fit its text."""
    pattern = one_line(drafted.pattern)
    if not pattern:
        return None
    if drafted.seed is not None and 1 <= drafted.seed <= len(seeds):
        seed = seeds[drafted.seed - 1]
        line = services.task.say(seed.text, seed.label)
        return Convention(pattern=pattern, text=one_line(seed.text), answer=line, status="gold")
    text = one_line(drafted.text)
    try:
        line = services.task.say(text, services.task.read(text, drafted.label).label)
    except (Dropped, Misfit):
        return None
    return Convention(pattern=pattern, text=text, answer=line, status="assumed") if text else None
