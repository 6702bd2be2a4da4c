"""Two ways to learn what a teacher thinks of a text: several answers, or the probabilities of the label words."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, JsonValue, WithJsonSchema, create_model

from agents.base import Services, one_line, prompt, said, shown_seeds
from agents.conventions import read_card
from agents.folder import chunks
from tasks.base import Dropped, Misfit, Reading, Verdict
from tasks.task import Task
from teacher.base import Message, Prompt

DROPPED = "dropped by the teacher"

PER_CALL = 20
"""Texts labelled in one call."""

BLANKS = ("", "N/A", "...", "something", "[MASK]")
"""Texts without content: what a model says about them is its prior, not its judgement."""

BALANCED = 5
"""Texts per class from which the mean of a batch is a better prior than what is said of blank texts."""


@dataclass(frozen=True)
class Opinion:
    """What the teacher thinks of one text: a verdict, or the reason why there is none."""

    verdict: Verdict | None
    problem: str = ""
    repaired: tuple[str, ...] = ()
    """What had to be repaired to read the answers."""


class Marked(BaseModel):
    """The label of one numbered text."""

    id: int
    label: JsonValue


class Labels(BaseModel):
    """The labels of a numbered list of texts."""

    labels: list[Marked]


def labels_schema(task: Task) -> type[Labels]:
    """`Labels` whose JSON schema names the task's own answers.

    Validation stays loose on purpose: an answer that does not fit spoils one text, not the whole list.
    """
    answer = Annotated[JsonValue, WithJsonSchema(task.answer_schema())]
    marked = create_model("Marked", __base__=Marked, label=(answer, ...))
    return create_model("Labels", __base__=Labels, labels=(list[marked], ...))  # type: ignore[valid-type]


def by_votes(services: Services, texts: Sequence[str], cycle: int, votes: int) -> list[Opinion]:
    """Ask `votes` times, each time in another order, by number, with the right to drop a text."""
    order = random.Random(services.seed * 1000 + cycle)
    shuffled = [order.sample(range(len(texts)), len(texts)) for _ in range(votes)]
    ballots = [(vote, group) for vote in range(votes) for group in chunks(shuffled[vote], PER_CALL)]
    prompts = [_numbered(services, [texts[i] for i in group], vote) for vote, group in ballots]
    bar = services.bar("labelling")
    answers = services.teacher.ask(prompts, labels_schema(services.task), role="annotator", cycle=cycle, progress=bar)
    readings: list[list[Reading]] = [[] for _ in texts]
    problems: list[list[str]] = [[] for _ in texts]
    for (_, group), answer in zip(ballots, answers, strict=True):
        marked = answer.value.labels if answer.value else []
        for number, i in enumerate(group, start=1):
            try:
                readings[i].append(services.task.read(texts[i], _label_of(number, marked)))
            except (Dropped, Misfit) as error:
                problems[i].append(_problem(error))
    return [_settled(services, readings[i], problems[i]) for i in range(len(texts))]


def _label_of(number: int, marked: Sequence[Marked]) -> JsonValue:
    """What the list says of one number; a list that says nothing, or two things, is a slip and no label."""
    said = [each.label for each in marked if each.id == number]
    if not said or any(label != said[0] for label in said):
        raise Misfit("no label" if not said else "two labels", f"{len(said)} labels for text {number}")
    return said[0]


def _problem(error: Dropped | Misfit) -> str:
    """Why there is no label, as it is counted."""
    return f"no usable answer ({error.kind})" if isinstance(error, Misfit) else DROPPED


def _settled(services: Services, readings: Sequence[Reading], problems: Sequence[str]) -> Opinion:
    repaired = tuple(kind for reading in readings for kind in reading.repaired)
    if not readings or DROPPED in problems:
        return Opinion(None, DROPPED if DROPPED in problems else problems[0], repaired)
    return Opinion(services.task.settle([reading.label for reading in readings]), repaired=repaired)


def _numbered(services: Services, texts: Sequence[str], vote: int) -> Prompt:
    listed = "\n".join(f"[{number}] {one_line(text)}" for number, text in enumerate(texts, start=1))
    request = prompt(
        "annotator",
        task=services.task.describe(),
        conventions=read_card(services.folder).told(),
        seeds="\n".join(f"- {said(services.task, example)}" for example in shown_seeds(services)),
        rule=services.task.rule,
        texts=listed,
        count=len(texts),
    )
    return Prompt((Message(role="user", content=request),), sample=vote)


def by_completion(services: Services, texts: Sequence[str], cycle: int) -> list[Opinion]:
    """Let a model that continues texts write the label after demonstrations without instructions, once for each."""
    shown = [f"Text: {said(services.task, example, chr(10) + 'Answer:')}\n" for example in shown_seeds(services)]
    prompts = [Prompt("\n".join([*shown, f"Text: {one_line(text)}\nAnswer:"])) for text in texts]
    bar = services.bar("labelling")
    answers = services.teacher.complete(prompts, role="annotator", cycle=cycle, stop=("\n",), progress=bar)
    opinions = []
    for text, answer in zip(texts, answers, strict=True):
        try:
            reading = services.task.read(text, answer.text.strip())
        except (Dropped, Misfit) as error:
            opinions.append(Opinion(None, _problem(error)))
        else:
            opinions.append(Opinion(services.task.settle([reading.label]), repaired=reading.repaired))
    return opinions


def by_rating(
    services: Services, texts: Sequence[str], cycle: int, calibration: Literal["auto", "blank", "batch"]
) -> list[Opinion]:
    """Read the calibrated probability of each label word after demonstrations without instructions.

    The raw probabilities of a small model mostly show which word it likes; dividing by what it says of texts without
    content, or by the batch's mean where classes are balanced, is worth up to 30 points of accuracy. Which of the two
    is better depends on the task (135 M model, one draw of seeds: AG News .78 and .75, TREC .52 and .47, Snips .66 and
    .70, SST-2 .60 and .83), but the batch is never far behind.
    """
    choices = services.task.choices()
    if choices is None:
        raise ValueError(f"a {services.task.kind} task has no closed list of answers to rate: use method = 'vote'")
    by_batch = calibration == "batch" or (calibration == "auto" and len(texts) >= BALANCED * len(choices))
    blanks = () if by_batch else BLANKS
    prompts = [Prompt(_demonstrations(services, choices, text)) for text in (*texts, *blanks)]
    bar = services.bar("labelling")
    rated = services.teacher.rate(prompts, list(choices.values()), role="annotator", cycle=cycle, progress=bar)
    rows = [[each[word] for word in choices.values()] if each else None for each in rated]
    basis = [row for row in (rows[len(texts) :] if blanks else rows) if row is not None]
    prior = np.mean(basis, axis=0) if basis else np.zeros(len(choices))
    return [_opinion(services, list(choices), row, prior) for row in rows[: len(texts)]]


def _opinion(services: Services, labels: list[str], row: list[float] | None, prior: np.ndarray) -> Opinion:
    if row is None:
        return Opinion(None, "the server gave no probabilities")
    logits = np.array(row) - prior
    weights = np.exp(logits - logits.max())
    probabilities = (weights / weights.sum()).tolist()
    return Opinion(services.task.settle_soft(dict(zip(labels, probabilities, strict=True))))


def _demonstrations(services: Services, choices: Mapping[str, str], text: str) -> str:
    seeds = services.memory.samples("seed")
    shown = {label: next(e for e in seeds if label in services.task.names(e.label)) for label in choices}
    blocks = [f"Text: {one_line(example.text)}\nLabel: {choices[label]}\n" for label, example in shown.items()]
    return "\n".join([*blocks, f"Text: {one_line(text)}\nLabel:"])
