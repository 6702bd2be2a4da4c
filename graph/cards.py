"""The cards of an exported student: what its run knows of it, without a path, an address or a key."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import ConfigDict, JsonValue

from ..memory.run_folder import RunFolder
from ..student.serving.cards.data_card import NAME as DATA_CARD
from ..student.serving.cards.data_card import data_card
from ..student.serving.cards.facts import Result, RunFacts, Shape, Texts
from ..student.serving.cards.model_card import NAME as MODEL_CARD
from ..student.serving.cards.model_card import model_card
from ..student.serving.confidence import read_confidence
from ..student.serving.parity import Parity
from ..tasks.base import Example, Source
from ..tasks.errors import ConfigError
from ..tasks.files import write_text
from .config.sections import TeacherSection
from .setup.create import settings_of

PATH = re.compile(r"[/\\~.]|[A-Za-z]:[/\\]|.*[/\\].*[/\\]|.*\.gguf$")
"""What marks the name of a model as a file of the author's machine; those of servers are `name` or `owner/name`."""

EMBEDDED = "SmolLM2-135M-Instruct"

OWN: tuple[Source, ...] = ("gold", "pool")
"""Sources of texts that are the author's."""


class Sample(Example):
    """A row of `samples.jsonl`: an example and what became of it."""

    model_config = ConfigDict(extra="ignore")

    status: str


def write_cards(folder: Path, name: str, parity: Parity, run: RunFolder | None) -> None:
    """Write the model card, and the card of the texts where they are known.

    Args:
        folder: of the exported student.
        name: what it is called where it comes from no run.
        parity: how far its networks agree with torch.
        run: what it comes from.

    Raises:
        ConfigError: a file of the run is damaged.
    """
    shape, facts = Shape.read(folder), facts_of(run) if run else None
    card = model_card(facts.name if facts else name, shape, parity, read_confidence(folder), facts)
    write_text(folder / MODEL_CARD, card)
    if facts:
        write_text(folder / DATA_CARD, data_card(facts, shape))


def facts_of(run: RunFolder) -> RunFacts:
    """What a run knows of its student.

    Raises:
        ConfigError: a file of the run is damaged.
    """
    config = settings_of(run)
    endpoints = [config.teacher, *config.teacher.roles.values()]
    return RunFacts(
        name=config.name,
        description=config.task.description,
        noun=config.task.noun,
        labels=config.task.labels,
        encoder=config.student.model,
        writer=_writer(config.teacher),
        embedded=all(each.kind in (None, "local") and each.model is None for each in endpoints),
        texts=_texts(run),
        result=_result(run.root / "result.json"),
    )


def shared_rows(run: RunFolder) -> Iterator[dict[str, JsonValue]]:
    """The texts that the teacher wrote and the student has learnt, as the data set has them."""
    for sample in _learnt(run):
        if sample.origin.source not in OWN:
            said = sample.model_dump(mode="json", include={"text", "label"})
            origin = sample.origin
            teacher = _shown(origin.teacher) if origin.teacher else None
            yield {**said, "source": origin.source, "teacher": teacher, "confidence": origin.confidence}


def _texts(run: RunFolder) -> Texts:
    learnt = _learnt(run)
    counts = Counter(sample.origin.source for sample in learnt)
    teachers = sorted({_shown(sample.origin.teacher) for sample in learnt if sample.origin.teacher})
    return Texts(sources={source: counts[source] for source in get_args(Source)}, teachers=tuple(teachers))


def _learnt(run: RunFolder) -> list[Sample]:
    """Kept texts; those of the gate where the best student is the last one, which alone learns them."""
    is_last = run.best is not None and run.best.name.startswith("final-")
    rows = run.read_rows(run.root / "samples.jsonl", Sample)
    return [each for each in rows if each.status == "kept" and (is_last or each.split != "gate")]


def _result(path: Path) -> Result | None:
    if not path.exists():
        return None
    try:
        return Result.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        first = " ".join(str(error).splitlines()[:3])
        raise ConfigError(f"{path} cannot be read ({first}). Remove it: `evokd resume` writes it anew.") from None


def _writer(teacher: TeacherSection) -> str:
    """The name of the model that writes texts."""
    own = teacher.roles.get("generator")
    kind = (own and own.kind) or teacher.kind or "local"
    model = (own and own.model) or (teacher.model if kind == teacher.kind else None)
    return _shown(model) if model else EMBEDDED if kind == "local" else kind.rpartition(":")[2]


def _shown(model: str) -> str:
    """The name of a model; of a file of the author's machine no more than that."""
    return re.split(r"[/\\]", model)[-1] if PATH.match(model) else model
