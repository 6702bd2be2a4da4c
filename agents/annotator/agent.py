"""The annotator: a blind second look. It labels drafts knowing neither lesson, source nor the class asked for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from ...tasks.base import Abstained, Aggregate, Example, InvalidAnswer
from ...tasks.task import Task
from ...teacher.base import Prompting
from ..base import Draft, Services, State
from ..batch_stats import add_stats
from ..drafts import read_all_drafts
from ..used_names import EXEMPT, count_used_names, names_in
from .logprob_labels import Annotation, check_any_usable, label_by_completion, label_by_logprobs, problem, sentences
from .voting import label_by_votes


@dataclass(frozen=True)
class Annotator:
    """Labels in a separate conversation (the paper's separate labelling), by token probabilities or by votes."""

    method: Literal["auto", "logprobs", "vote"] = "auto"
    """`logprobs`: token probabilities of the label words, calibrated; `vote`: several answers. `auto`: vote where the
    model takes instructions; where it continues texts, score a closed list of answers and let it write open ones
    once."""
    votes: PositiveInt = 2
    """Answers per text, each in another order of the texts. One more about texts on which they are not at one, where an
    answer has parts, spans or labels (two that differ in one of many would lose the text), and of the pool: to leave
    out what is hard to label would make held-out texts too easy."""
    quarantine: bool = True
    """Keep back what is labelled in doubt: not confident (`threshold`), with a name used too often, or, by a teacher
    that continues texts, not as the class it was written for. Off: all that can be read is learnt (the paper)."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.6
    """Least confidence of a label that is learnt."""
    calibration: Literal["auto", "blank", "batch"] = "auto"
    """For `logprobs`: against the batch's mean, which takes its classes to be balanced, as written texts are; or
    against texts without content, for a pool of which most texts are of one class. `auto`: the batch where it has five
    texts or more per class."""

    def __call__(self, state: State, services: Services) -> State:
        """Label this cycle's drafts; what cannot be labelled goes to quarantine with the reason.

        Raises:
            StepError: no answer at all could be used.
        """
        cycle = state["cycle"]
        drafts = read_all_drafts(services, cycle)
        annotations = self._annotations(drafts, services, cycle)
        model = services.teacher.model("annotator")
        accepted: list[Example] = []
        refused: dict[str, list[Example]] = {}
        names = count_used_names(services, cycle)
        for draft, annotation in zip(drafts, annotations, strict=True):
            example = _make_example(draft, annotation.aggregate, cycle, model, services.task)
            own = set() if draft.source in EXEMPT else names_in(services, example)
            reason = self._refusal(draft, annotation, services)
            if not reason and self.quarantine and names.is_overused(own):
                reason = "a name used too often"
            if reason:
                refused.setdefault(reason, []).append(example.moved("train"))
            else:
                accepted.append(example)
                if draft.split == "train" and draft.source not in EXEMPT:
                    names.add(own)
        services.memory.remember(examples=accepted, status="candidate")
        for reason, examples in refused.items():
            services.memory.remember(examples=examples, status="quarantined", reason=reason)
        batch = [example for example in accepted if example.split == "train"]
        stats = add_stats(
            state.get("stats", {}),
            accepted=len(batch),
            held_out=len(accepted) - len(batch),
            quarantined={reason: len(examples) for reason, examples in refused.items()},
            repaired=dict(Counter(kind for annotation in annotations for kind in annotation.repaired)),
            unusable=dict(Counter(kind for annotation in annotations for kind in annotation.unusable)),
        )
        return State(batch=[example.id for example in batch], stats=stats)

    def _annotations(self, drafts: Sequence[Draft], services: Services, cycle: int) -> list[Annotation]:
        asked = {
            real: iter(self.label(_unlabelled(drafts, real), services, cycle, tie_break=real)) for real in (False, True)
        }
        annotations = [
            next(asked[draft.source == "pool"]) if draft.label is None else _read_own_label(draft, services)
            for draft in drafts
        ]
        check_any_usable(annotations)
        return annotations

    def label(self, texts: Sequence[str], services: Services, cycle: int, tie_break: bool = False) -> list[Annotation]:
        """What the teacher thinks of texts that come without an answer of its own.

        Args:
            texts: to be labelled.
            services: the teacher and the task.
            cycle: seeds the orders of the texts.
            tie_break: ask once more about texts on which the votes differ, whatever the task.
        """
        if not texts:
            return []
        if self._votes(services.teacher.prompting("annotator")):
            tie_break = tie_break or services.task.head != "sequence"
            return label_by_votes(services, texts, cycle, self.votes, tie_break)
        if self.method == "auto" and services.task.choices() is None:
            return label_by_completion(services, texts, cycle)
        return label_by_logprobs(services, texts, cycle, self.calibration)

    def _votes(self, prompting: Prompting) -> bool:
        return self.method == "vote" or (self.method == "auto" and prompting == "instruct")

    def _refusal(self, draft: Draft, annotation: Annotation, services: Services) -> str:
        aggregate = annotation.aggregate
        if aggregate is None:
            return annotation.problem
        if not self.quarantine:
            return ""
        if aggregate.confidence < self.threshold:
            return "not confident"
        weak = (
            services.teacher.prompting("annotator") == "completion"
        )  # a strong one's second look is better than its plan
        if weak and draft.target_class is not None and not services.task.fits(draft.target_class, aggregate.label):
            return "not what was asked for"
        return ""


def _unlabelled(drafts: Sequence[Draft], real: bool) -> list[str]:
    """Texts that nobody has labelled: those of the pool (`real`), or those that were written."""
    return [draft.text for draft in drafts if draft.label is None and (draft.source == "pool") is real]


def _read_own_label(draft: Draft, services: Services) -> Annotation:
    try:
        reading = services.task.read(draft.text, draft.label)
    except (Abstained, InvalidAnswer) as error:
        return Annotation(None, problem(error), wrong=sentences(error))
    return Annotation(services.task.settle([reading.label]), repaired=reading.repaired)


def _make_example(draft: Draft, aggregate: Aggregate | None, cycle: int, model: str, task: Task) -> Example:
    origin = draft.origin(cycle).model_copy(
        update={
            "teacher": model,
            "votes": aggregate.votes if aggregate else {},
            "confidence": aggregate.confidence if aggregate else None,
        }
    )
    label = aggregate.label if aggregate else task.stand_in(draft.target_class)
    soft = aggregate.soft if aggregate else None
    return Example(text=draft.text, label=label, soft=soft, split=draft.split, origin=origin)
