"""The annotation guidelines of a run: drafted once by the teacher, decided by the seeds, edited by the user."""

import logging

from pydantic import BaseModel, JsonValue, create_model

from ..tasks.base import Abstained, Example, InvalidAnswer
from ..tasks.errors import ConfigError
from ..tasks.files import write_text
from ..tasks.guidelines import Guideline, Guidelines, parse_guidelines
from ..tasks.task import Task
from ..teacher.base import Message, Prompt
from .answer_schemas import with_labels
from .base import Services
from .prompting import About, format_example, one_line, prompt

log = logging.getLogger(__name__)

SHOWN_SEEDS = 40
"""Seeds the teacher may decide guidelines by, the first ones."""


class Drafted(BaseModel):
    """One contested pattern in the teacher's words."""

    pattern: str
    seed: int | None
    """Number of a seed that decides it."""
    text: str
    label: JsonValue


class GuidelineDrafts(BaseModel):
    """What the teacher answers when asked for contested patterns."""

    conventions: list[Drafted]


def drafts_form(task: Task) -> type[GuidelineDrafts]:
    """`GuidelineDrafts` whose labels have the task's own schema; null where a seed decides."""
    drafted = with_labels(Drafted, task, optional=True)
    return create_model("GuidelineDrafts", __base__=GuidelineDrafts, conventions=(list[drafted], ...))  # type: ignore[valid-type]


def read_guidelines(services: Services) -> Guidelines:
    """The run's guidelines; none before they are drafted.

    Raises:
        ConfigError: the user's edit cannot be read, or an answer in it does not fit its text.
    """
    path = services.folder.root / "guidelines.toml"
    return (
        parse_valid_guidelines(path.read_text(encoding="utf-8"), str(path), services.task)
        if path.exists()
        else Guidelines()
    )


def parse_valid_guidelines(text: str, source: str, task: Task) -> Guidelines:
    """The guidelines in a TOML file, every answer read as the teacher's would be.

    Raises:
        ConfigError: it cannot be read, or an answer does not fit its text.
    """
    guidelines = parse_guidelines(text, source)
    for number, each in enumerate(guidelines.guideline, start=1):
        try:
            task.read(each.text, each.answer)
        except ValueError as error:
            raise ConfigError(f"{source}: guideline {number} ({each.pattern}): {error}") from None
    return guidelines


def ensure_guidelines(services: Services, cycle: int) -> None:
    """Draft the guidelines if the task is contested and there are none yet.

    A small model that only continues texts is not asked: it cannot weigh contested patterns.
    """
    path = services.folder.root / "guidelines.toml"
    if path.exists() or not services.task.contested or services.teacher.prompting("analyst") == "completion":
        return
    seeds = services.memory.samples("seed")[:SHOWN_SEEDS]
    request = prompt(
        "guidelines",
        task=services.task.describe(),
        part=services.task.part,
        rule=services.task.rule,
        seeds="\n".join(
            f"({number}) {format_example(services.task, seed)}" for number, seed in enumerate(seeds, start=1)
        ),
    )
    bar = services.bar("drafting the annotation guidelines")
    asked = Prompt((Message(role="user", content=request),), about=About(purpose="guidelines"))
    [answer] = services.teacher.ask([asked], drafts_form(services.task), role="analyst", cycle=cycle, progress=bar)
    if answer.value is None:
        log.warning("No annotation guidelines could be drafted: %s", answer.problem)
        return
    decided = [_decide(each, seeds, services) for each in answer.value.conventions]
    guidelines = Guidelines(guideline=tuple(each for each in decided if each is not None))
    write_text(path, guidelines.toml())
    if unusable := decided.count(None):
        log.warning("%d of %d drafted guidelines do not fit their own example: left out.", unusable, len(decided))


def _decide(drafted: Drafted, seeds: list[Example], services: Services) -> Guideline | None:
    """The guideline with the seed's own label where a seed is named; None where the answer does not fit its text."""
    pattern = one_line(drafted.pattern)
    if not pattern:
        return None
    if drafted.seed is not None and 1 <= drafted.seed <= len(seeds):
        seed = seeds[drafted.seed - 1]
        line = services.task.say(seed.text, seed.label)
        return Guideline(pattern=pattern, text=one_line(seed.text), answer=line, status="gold")
    text = one_line(drafted.text)
    try:
        line = services.task.say(text, services.task.read(text, drafted.label).label)
    except (Abstained, InvalidAnswer):
        return None
    return Guideline(pattern=pattern, text=text, answer=line, status="assumed") if text else None
