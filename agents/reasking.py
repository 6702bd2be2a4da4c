"""A second hearing for fresh labels that the champion, who has not seen the texts, is sure are wrong.

Either the student has a gap there or the teacher erred, and errors are more frequent among such texts than among all:
in a trial with 20 % wrong labels, 31 % of those that a student disagreed with. More answers tell the two apart for
the price of a few texts. Texts of the gate are left alone: a student may have no say in what it is judged by.
"""

from collections.abc import Sequence
from dataclasses import replace

from agents.base import Draft, Services, State
from agents.labelling import Opinion
from agents.reach import parted
from agents.voting import by_more_votes
from tasks.base import Example

CONTRADICTED = "contradicted"
"""Reason of the quarantine."""


def reheard(
    services: Services, state: State, drafts: Sequence[Draft], opinions: Sequence[Opinion], sure: float, votes: int
) -> tuple[list[Opinion], dict[str, int]]:
    """The opinions after a second hearing where there was one, and how many were asked again and relabelled.

    A text that is asked about again is kept with the label of a majority, in which the first label, however many votes
    it had, is one; without a majority it has no verdict.

    Args:
        services: task, students and teacher.
        state: its champion is the one that may contradict.
        drafts: of this cycle.
        opinions: one for each.
        sure: probability of another label above which the champion contradicts.
        votes: more answers for each such text.
    """
    opinions = list(opinions)
    places = _contradicted(services, state["champion"], drafts, opinions, sure)
    if not places:
        return opinions, {}
    before = [verdict.label for i in places if (verdict := opinions[i].verdict)]
    again = by_more_votes(services, [drafts[i].text for i in places], before, state["cycle"], votes)
    changed = 0
    for i, label, opinion in zip(places, before, again, strict=True):
        verdict = opinion.verdict
        if verdict and verdict.confidence <= 0.5:
            opinion = replace(opinion, verdict=None, problem=CONTRADICTED)
        changed += bool(opinion.verdict and not services.task.is_right(label, opinion.verdict.label))
        repaired, unusable = opinions[i].repaired + opinion.repaired, opinions[i].unusable + opinion.unusable
        opinions[i] = replace(opinion, repaired=repaired, unusable=unusable)
    return opinions, {"asked again": len(places)} | ({"relabelled": changed} if changed else {})


def _contradicted(
    services: Services, champion: str, drafts: Sequence[Draft], opinions: Sequence[Opinion], sure: float
) -> list[int]:
    """Places of the labels of which the champion is sure that they are others."""
    labelled = {
        i: Example(text=draft.text, label=opinion.verdict.label)
        for i, (draft, opinion) in enumerate(zip(drafts, opinions, strict=True))
        if opinion.verdict and draft.split == "train"
    }
    _, far = parted(services, champion, list(labelled.values()), sure)
    doubted = {example.id for example in far}
    return [i for i, example in labelled.items() if example.id in doubted]
