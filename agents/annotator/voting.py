"""Labelling by votes: the same texts asked for several times, each time in another order, by number."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, JsonValue, create_model

from ...tasks.base import Abstained, InvalidAnswer, ParsedLabel
from ...tasks.task import Task
from ...teacher.base import Answer, Message, Prompt
from ..answer_schemas import with_labels
from ..base import Services
from ..generator.lengths import tokens_of
from ..guidelines import read_guidelines
from ..prompting import About, Numbered, chunks, format_example, one_line, prompt, select_seeds
from .logprob_labels import DROPPED, Annotation, problem

PER_CALL, MANY = 20, 30
"""Texts labelled in one call; twice as many where there are more labels than `MANY`, whose list would otherwise be
most of what is paid for."""

LONGEST_LIST = 4000
"""Tokens of the texts labelled in one call, about: many servers have room for 8,000 in all."""


class Marked(BaseModel):
    """The label of one numbered text."""

    id: int
    label: JsonValue


class Labels(BaseModel):
    """The labels of a numbered list of texts."""

    labels: list[Marked]


Group = Sequence[int]
"""Places of the texts that one call is about, in the order of their numbers."""


@dataclass
class Votes:
    """What the votes said of one text."""

    parsed: list[ParsedLabel] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def annotation(self, task: Task) -> Annotation:
        """The annotation: a label if more than half of the votes can be read and none drops the text."""
        repaired = tuple(kind for each in self.parsed for kind in each.repaired)
        unusable = tuple(each for each in self.problems if each != DROPPED)
        if DROPPED in self.problems:
            return Annotation(None, DROPPED, repaired, unusable)
        if len(self.parsed) <= len(self.problems):
            wrong = () if self.parsed else tuple(self.wrong)
            return Annotation(None, self.problems[0], repaired, unusable, wrong)
        return Annotation(task.settle([each.label for each in self.parsed]), "", repaired, unusable)

    def is_open(self) -> bool:
        """Whether the votes disagree, and none drops the text."""
        labels = {repr(each.label) for each in self.parsed}
        return DROPPED not in self.problems and (len(labels) > 1 or bool(self.parsed and self.problems))


def per_call(task: Task, texts: Sequence[str]) -> int:
    """How many of the texts are labelled in one call."""
    most = PER_CALL * (1 + (len(task.labels) > MANY))
    return max(1, min(most, LONGEST_LIST * len(texts) // max(1, sum(map(tokens_of, texts)))))


def labels_schema(task: Task) -> type[Labels]:
    """`Labels` whose JSON schema names the task's own answers."""
    marked = with_labels(Marked, task)
    return create_model("Labels", __base__=Labels, labels=(list[marked], ...))  # type: ignore[valid-type]


def label_by_votes(
    services: Services, texts: Sequence[str], cycle: int, votes: int, tie_break: bool = False
) -> list[Annotation]:
    """Ask `votes` times, with the right to drop a text.

    Args:
        services: the teacher and the task.
        texts: to be labelled.
        cycle: seeds the orders.
        votes: answers per text.
        tie_break: ask once more about texts on which the votes disagree.
    """
    order, size = random.Random(services.seed * 1000 + cycle), per_call(services.task, texts)
    shuffled = [order.sample(range(len(texts)), len(texts)) for _ in range(votes)]
    tallies = [Votes() for _ in texts]
    groups = [(vote, group) for vote in range(votes) for group in chunks(shuffled[vote], size)]
    _ask(services, texts, groups, cycle, tallies)
    disputed = [i for i, tally in enumerate(tallies) if tally.is_open()] if tie_break else []
    if disputed:
        last = chunks(order.sample(disputed, len(disputed)), size)
        _ask(services, texts, [(votes, group) for group in last], cycle, tallies)
    return [tally.annotation(services.task) for tally in tallies]


def _ask(
    services: Services,
    texts: Sequence[str],
    groups: Sequence[tuple[int, Group]],
    cycle: int,
    tallies: list[Votes],
) -> None:
    """Ask about the groups, once more about labels that do not fit, and add the answers to the tallies.

    A list without any usable answer is asked about in halves: one text that a server refuses, or a list too long for a
    model, must not cost the whole list.
    """
    seeds = "\n".join(f"- {format_example(services.task, example)}" for example in select_seeds(services))
    prompts = [_number_texts(services, [texts[i] for i in group], vote, seeds) for vote, group in groups]
    answers = _answers(services, prompts, cycle, "labelling")
    again: list[tuple[Prompt, Group, dict[int, InvalidAnswer]]] = []
    halves: list[tuple[int, Group]] = []
    for request, (vote, group), answer in zip(prompts, groups, answers, strict=True):
        if answer.value is None and len(group) > 1:
            halves += [(vote, half) for half in chunks(group, -(-len(group) // 2))]
            continue
        invalid = _read(services, texts, dict(enumerate(group, start=1)), answer, tallies)
        if invalid and answer.value is not None:
            again.append((_repair(request, answer.text, invalid), group, invalid))
        else:
            _give_up(dict(enumerate(group, start=1)), invalid, tallies)
    answers = _answers(services, [request for request, _, _ in again], cycle, "labelling once more what does not fit")
    for (_, group, invalid), answer in zip(again, answers, strict=True):
        places = {number: group[number - 1] for number in invalid}
        _give_up(places, _read(services, texts, places, answer, tallies), tallies)
    if halves:
        _ask(services, texts, halves, cycle, tallies)


def _answers(services: Services, prompts: Sequence[Prompt], cycle: int, what: str) -> Sequence[Answer[Labels]]:
    if not prompts:
        return []
    form, bar = labels_schema(services.task), services.bar(what)
    return services.teacher.ask(prompts, form, role="annotator", cycle=cycle, progress=bar)


def _read(
    services: Services, texts: Sequence[str], places: Mapping[int, int], answer: Answer[Labels], tallies: list[Votes]
) -> dict[int, InvalidAnswer]:
    """Add the labels that fit to the tallies; returns number -> why its label does not fit."""
    if answer.value is None:
        return dict.fromkeys(places, InvalidAnswer("no label", answer.problem or "There was no answer."))
    marked, invalid = answer.value.labels, dict[int, InvalidAnswer]()
    for number, i in places.items():
        try:
            tallies[i].parsed.append(services.task.read(texts[i], _label_of(number, marked)))
        except Abstained:
            tallies[i].problems.append(DROPPED)
        except InvalidAnswer as error:
            invalid[number] = error
    return invalid


def _label_of(number: int, marked: Sequence[Marked]) -> JsonValue:
    """What the list says of one number; a list that says nothing, or two things, is a slip and no label."""
    found = [each.label for each in marked if each.id == number]
    if not found:
        raise InvalidAnswer("no label", "There is no label for this number.")
    if any(label != found[0] for label in found):
        raise InvalidAnswer("two labels", f"There are {len(found)} different labels for this number. Give one.")
    return found[0]


def _give_up(places: Mapping[int, int], invalid: Mapping[int, InvalidAnswer], tallies: list[Votes]) -> None:
    for number, each in invalid.items():
        tallies[places[number]].problems.append(problem(each))
        tallies[places[number]].wrong.append(str(each))


def _number_texts(services: Services, texts: Sequence[str], vote: int, seeds: str) -> Prompt:
    numbered = [Numbered(id=number, text=one_line(text)) for number, text in enumerate(texts, start=1)]
    request = prompt(
        "annotator/label",
        task=services.task.describe(),
        guidelines=read_guidelines(services).told(),
        seeds=seeds,
        rule=services.task.rule,
        texts="\n".join(f"[{each['id']}] {each['text']}" for each in numbered),
        count=len(texts),
    )
    about = About(purpose="labels", count=len(texts), texts=numbered)
    return Prompt((Message(role="user", content=request),), sample=vote, about=about)


def _repair(request: Prompt, answer: str, invalid: Mapping[int, InvalidAnswer]) -> Prompt:
    """The same conversation, told what does not fit."""
    assert not isinstance(request.body, str)
    told = prompt("annotator/repair", problems="\n".join(f"[{n}] {invalid}" for n, invalid in invalid.items()))
    messages = (Message(role="assistant", content=answer), Message(role="user", content=told))
    left = [each for each in request.about["texts"] if each["id"] in invalid]
    about = About(purpose="labels", count=len(left), texts=left)
    return Prompt((*request.body, *messages), request.sample, about=about)
