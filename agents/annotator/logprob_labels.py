"""What a model that only continues texts thinks of a text: the probabilities of the label words, or what it writes.

Models that take instructions vote (`agents/annotator/voting.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...tasks.base import Abstained, Aggregate, InvalidAnswer
from ...tasks.errors import StepError
from ...tasks.task import Task
from ...teacher.base import Prompt
from ..base import Services
from ..prompting import About, Numbered, format_example, one_line, select_seeds

DROPPED = "dropped by the teacher"

BLANKS = ("", "N/A", "...", "something", "[MASK]")
"""Texts without content: what a model says about them is its prior, not its judgement."""

ALL_BAD = 40
"""Texts from which on it is no accident that none of them got a usable answer. Batches of lessons are smaller: there
the run ends by its patience."""

ROOM = 3000
"""Characters of demonstrations beyond which each is cut: the embedded model reads about 4,000 in all."""

BALANCED = 5
"""Texts per class from which the mean of a batch is a better prior than what is said of blank texts."""


@dataclass(frozen=True)
class Annotation:
    """What the teacher thinks of one text: a verdict, or the reason why there is none."""

    aggregate: Aggregate | None
    problem: str = ""
    repaired: tuple[str, ...] = ()
    """What had to be repaired to read the answers."""
    unusable: tuple[str, ...] = ()
    """Why single answers could not be used."""
    wrong: tuple[str, ...] = ()
    """Why not one of the answers could be used, as sentences that quote them; empty where one could."""


def problem(error: Abstained | InvalidAnswer) -> str:
    """Why there is no label, as it is counted."""
    return f"no usable answer ({error.kind})" if isinstance(error, InvalidAnswer) else DROPPED


def sentences(error: Abstained | InvalidAnswer) -> tuple[str, ...]:
    """What is wrong with an answer; nothing where the teacher used its right to drop a text."""
    return (str(error),) if isinstance(error, InvalidAnswer) else ()


def check_any_usable(annotations: Sequence[Annotation]) -> None:
    """Stop a run that gets nothing but garbage.

    Raises:
        StepError: not one of `ALL_BAD` texts or more got an answer that can be used.
    """
    if len(annotations) < ALL_BAD or not all(
        annotation.wrong and annotation.aggregate is None for annotation in annotations
    ):
        return
    last = "\n  ".join(annotation.wrong[-1] for annotation in annotations[-3:])
    raise StepError(
        f"not one of {len(annotations)} texts got a label that can be used. "
        f"What was wrong with the last three:\n  {last}\n"
        "`evokd show RUN --prompts --role annotator` has the answers. Try a stronger teacher.model, or clearer labels; "
        "then resume (with --no-cache, if the same model is to be asked again)."
    )


def label_by_completion(services: Services, texts: Sequence[str], cycle: int) -> list[Annotation]:
    """Let a model that continues texts write the label after demonstrations without instructions, once for each."""
    shown = [
        f"Text: {format_example(services.task, example, chr(10) + 'Answer:')}\n" for example in select_seeds(services)
    ]
    prompts = [_continued([*shown, f"Text: {one_line(text)}\nAnswer:"], text) for text in texts]
    bar = services.bar("labelling")
    answers = services.teacher.complete(prompts, role="annotator", cycle=cycle, stop=("\n",), progress=bar)
    annotations = []
    for text, answer in zip(texts, answers, strict=True):
        try:
            reading = services.task.read(text, answer.text.strip())
        except (Abstained, InvalidAnswer) as error:
            annotations.append(Annotation(None, problem(error), wrong=sentences(error)))
        else:
            annotations.append(Annotation(services.task.settle([reading.label]), repaired=reading.repaired))
    return annotations


def label_by_logprobs(
    services: Services, texts: Sequence[str], cycle: int, calibration: Literal["auto", "blank", "batch"]
) -> list[Annotation]:
    """Read the calibrated probability of each label word after demonstrations without instructions.

    The raw probabilities of a small model mostly show which word it likes; dividing by what it says of texts without
    content, or by the batch's mean where classes are balanced, is worth up to 30 points of accuracy. Which of the two
    is better depends on the task (135 M model, one draw of seeds: AG News .78 and .75, TREC .52 and .47, Snips .66 and
    .70, SST-2 .60 and .83). The batch is never far behind, unless most of its texts are of one class: that it takes for
    the teacher's liking (docs/results/embedded-teacher.md).
    """
    choices = services.task.choices()
    if choices is None:
        raise ValueError(f"a {services.task.kind} task has no closed list of answers to rate: use method = 'vote'")
    by_batch = calibration == "batch" or (calibration == "auto" and len(texts) >= BALANCED * len(choices))
    blanks = () if by_batch else BLANKS
    rows = score_labels(services, (*texts, *blanks), choices, cycle)
    basis = [row for row in (rows[len(texts) :] if blanks else rows) if row is not None]
    prior = np.mean(basis, axis=0) if basis else np.zeros(len(choices))
    return [calibrate(services.task, list(choices), row, prior) for row in rows[: len(texts)]]


def score_labels(
    services: Services, texts: Sequence[str], choices: Mapping[str, str], cycle: int
) -> list[list[float] | None]:
    """Log-probabilities of the label words as they are, text by text; None where the server gave none."""
    shown = _demonstrations(services, choices)
    prompts = [_continued([*shown, f"Text: {one_line(text)}\nLabel:"], text) for text in texts]
    bar = services.bar("labelling")
    answers = services.teacher.score_choices(
        prompts, list(choices.values()), role="annotator", cycle=cycle, progress=bar
    )
    return [[answer[word] for word in choices.values()] if answer else None for answer in answers]


def _continued(lines: Sequence[str], text: str) -> Prompt:
    """The prompt whose next word is the label of the text."""
    about = About(purpose="labels", count=1, texts=[Numbered(id=1, text=one_line(text))])
    return Prompt("\n".join(lines), about=about)


def calibrate(task: Task, labels: Sequence[str], row: list[float] | None, prior: np.ndarray) -> Annotation:
    """The verdict that log-probabilities of the label words give, once the prior is taken off."""
    if row is None:
        return Annotation(None, "the server gave no probabilities")
    logits = np.array(row) - prior
    weights = np.exp(logits - logits.max())
    probabilities = (weights / weights.sum()).tolist()
    return Annotation(task.settle_soft(dict(zip(labels, probabilities, strict=True))))


def _demonstrations(services: Services, choices: Mapping[str, str]) -> list[str]:
    """The first seed of each label; only their beginnings, where they are longer than a small model reads."""
    seeds = services.memory.samples("seed")
    found = {label: next((e for e in seeds if services.task.fits(label, e.label)), None) for label in choices}
    shown = {label: one_line(example.text) for label, example in found.items() if example}
    most = ROOM // (1 + len(shown)) if sum(map(len, shown.values())) > ROOM else ROOM
    return [f"Text: {text[:most]}\nLabel: {choices[label]}\n" for label, text in shown.items()]
