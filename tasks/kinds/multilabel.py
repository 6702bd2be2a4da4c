"""One text, any number of labels of a closed list, none included."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from pydantic import JsonValue

from ..base import Abstained, Aggregate, BadCell, Example, InvalidAnswer, Label, ParsedLabel, Prediction
from ..errors import ConfigError
from ..likelihood import negative_log_likelihood
from ..task import Points
from ..wording import describe_labels
from .label_lists import names_in_cell
from .label_names import (
    LISTED,
    NOTHING,
    as_name,
    by_loose_name,
    check_names,
    cut,
    first_of,
    fold,
    hint,
    loosen,
    named_in_data,
    words_for,
)
from .target_classes import ENOUGH_SEEDS, share_beside_none

DROP, NONE = "drop", "none"
"""What the teacher answers to give a text up, and where no label fits."""

OTHER = "something else"
"""What a model that continues texts says where no label fits."""

NONE_SHARE = 0.15
"""Share of texts without a label to write where too few seeds are there to tell."""

ALSO = 0.3
"""Probability among the choices from which a label is given beside the most probable one."""


class MultiLabel:
    """The task of giving a text all labels that fit, of a list of at least two.

    Args:
        description: what the labels are about, for the teacher.
        labels: label name -> description ("" where there is none), in the order they are to be shown.
        say: label name -> the word that says it to a small teacher, where the name itself does not.
        noun: what one text is called, for a small teacher.
    """

    kind = "multilabel"
    metric = "micro_f1"
    head = "multilabel"
    columns: tuple[tuple[str, str], ...] = (("text", "labels"), ("text", "label"))
    contested = False
    part = "label"
    coverage = 0.0
    per_lesson: int | None = None
    max_difficulty = 1.0
    rule = 'Give every label that fits as a list, an empty list if none does. Use "drop" for a text that is unclear.'

    def __init__(
        self, description: str, labels: Mapping[str, str], say: Mapping[str, str] | None = None, noun: str = "text"
    ):
        if len(labels) < 2:
            raise ConfigError(f"A multi-label task needs at least two labels, got {len(labels)}: {list(labels)}.")
        check_names(list(labels), {DROP, NONE, NOTHING, OTHER})
        if wrong := [name for name in labels if "," in name]:
            raise ConfigError(f"Label {wrong[0]!r} has a comma in it, which separates labels. Rename it.")
        self.description = description.strip()
        self.noun = noun
        self._labels = MappingProxyType(dict(labels))
        self._words = MappingProxyType(words_for(list(labels), say or {}))
        self._loose = by_loose_name([*labels, DROP, NONE])
        self._folded = by_loose_name([*labels, NONE], fold)

    @property
    def labels(self) -> Mapping[str, str]:
        """Label name -> description, in the user's order."""
        return self._labels

    def describe(self) -> str:
        """The description, then one line for each label."""
        return describe_labels(self.description, "A text has every label that fits, or none. Labels:", self._labels)

    def target_classes(self, seeds: Sequence[Example]) -> Mapping[str, float]:
        """The labels in equal shares of what `none` leaves."""
        return share_beside_none(self._labels, NONE, NONE_SHARE, seeds)

    def wanted(self, target_class: str) -> str:
        """Texts that have one label, others beside it as it happens, or none of them."""
        return (
            "that have none of the labels"
            if target_class == NONE
            else f'that have the label "{target_class}", alone or with others'
        )

    def style_rules(self, seeds: Sequence[Example], texts: Sequence[str]) -> str:
        """How many labels real texts have at once."""
        if len(seeds) < ENOUGH_SEEDS:
            return "Of real texts about one in three has two or more of the labels."
        several = sum(len(seed.label) > 1 for seed in seeds)
        return f"Of real texts {several} in {len(seeds)} have two or more of the labels."

    def answer_schema(self) -> dict[str, JsonValue]:
        """A list of labels, empty where none fits; `drop` in it gives the text up."""
        return {"type": "array", "items": {"type": "string", "enum": [*self._labels, DROP]}}

    def read(self, text: str, answer: object) -> ParsedLabel:
        """The labels that are named, in the user's order; a line of names with commas is taken too.

        Raises:
            Abstained: `drop` is among them.
            InvalidAnswer: one is no label, or `none` stands beside another.
        """
        if isinstance(answer, str) and answer.strip() == "[]":
            answer = []  # as a spreadsheet writes an empty list
        if isinstance(answer, str):
            if not answer.strip(" ,"):
                raise InvalidAnswer("empty", "The answer is empty. Answer with an empty list if no label fits.")
            answer = [part for part in answer.split(",") if part.strip()]
        if not isinstance(answer, Sequence):
            raise InvalidAnswer(
                "not a list", f"{cut(answer)} is not a list of labels. Answer with a list, empty if none fits."
            )
        found = [self._named(each) for each in answer]
        names = {name for name, _ in found}
        if DROP in names:
            raise Abstained
        if NONE in names and len(names) > 1:
            raise InvalidAnswer("contradiction", f"{cut(answer)} names labels and none at once. Give one or the other.")
        label = tuple(name for name in self._labels if name in names)
        return ParsedLabel(label=label, repaired=("spelling",) if any(loose for _, loose in found) else ())

    def gold(self, text: str, cell: object) -> Label:
        """The labels of a row: a list, or a line of names with `,`, `;` or `|` between; empty or `none` for no label.

        Raises:
            BadCell: it is neither; the message lists the labels.
        """
        known = (*self._labels, NONE)
        found = names_in_cell(cell, len(self._labels), lambda each: named_in_data(each, known, self._folded))
        wrong = next((each for each, name in found if name is None), None)
        if wrong is not None:
            listed = first_of([repr(name) for name in self._labels], LISTED)
            raise BadCell(f"is {cut(cell, 60)}, which is not a list of: {listed}", hint(wrong, self._labels))
        names = {name for _, name in found}
        if NONE in names and len(names) > 1:
            raise BadCell(f"is {cut(cell, 60)}, which names labels and none at once")
        return tuple(name for name in self._labels if name in names)

    def say(self, text: str, label: Label) -> str:
        """The names with commas, or `none`."""
        return ", ".join(self.names(label)) or NONE

    def names(self, label: Label) -> tuple[str, ...]:
        """The labels themselves."""
        return tuple(str(name) for name in label)

    def fits(self, target_class: str, label: Label) -> bool:
        """Whether the label that was asked for is there, or none is."""
        return not label if target_class == NONE else target_class in self.names(label)

    def stand_in(self, target_class: str | None) -> Label:
        """What was asked for."""
        return (target_class,) if target_class is not None and target_class in self._labels else ()

    def mentions(self, text: str, label: Label) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def exports(self, examples: Sequence[Example]) -> Mapping[str, Iterable[str]]:
        """Nothing."""
        return {}

    @property
    def words(self) -> Mapping[str, str]:
        """Label -> word, and for texts without a label."""
        return {**self._words, NONE: OTHER}

    def choices(self) -> Mapping[str, str]:
        """Label, or `none`, -> the word that says it."""
        return self.words

    def settle(self, votes: Sequence[Label]) -> Aggregate:
        """Every label that more than half of the votes give; the confidence is that of the most disputed label.

        Raises:
            ValueError: no vote.
        """
        if not votes:
            raise ValueError("There is no vote to settle.")
        shares = {name: sum(name in self.names(vote) for vote in votes) / len(votes) for name in self._labels}
        counts = Counter(self.say("", vote) for vote in votes)
        confidence = min(max(share, 1 - share) for share in shares.values())
        label = tuple(name for name, share in shares.items() if share > 0.5)
        return Aggregate(
            label=label, confidence=confidence, soft=shares if confidence < 1 else None, votes=dict(counts)
        )

    def settle_soft(self, probabilities: Mapping[str, float]) -> Aggregate:
        """The most probable label and every other above 0.3; what these have together is the confidence.

        No label where `none` is the most probable answer.

        Raises:
            ValueError: a negative or non-finite number, or nothing above zero.
        """
        if not all(math.isfinite(p) and p >= 0 for p in probabilities.values()):
            raise ValueError(f"Probabilities must be finite and not negative, got {cut(dict(probabilities))}.")
        total = math.fsum(probabilities.values())
        if total <= 0:
            raise ValueError("No label has a probability above zero.")
        shares = {name: probabilities.get(name, 0.0) / total for name in (*self._labels, NONE)}
        top = max(shares, key=lambda name: shares[name])
        if top == NONE:
            return Aggregate(label=(), confidence=shares[NONE], soft=None)
        label = tuple(name for name in self._labels if name == top or shares[name] >= ALSO)
        return Aggregate(label=label, confidence=sum(shares[name] for name in label), soft=None)

    def is_right(self, gold: Label, predicted: Label) -> bool:
        """Whether both have the same labels."""
        return set(gold) == set(predicted)

    def mistakes(self, gold: Label, predicted: Label) -> tuple[tuple[str, str], ...]:
        """Labels that were not seen, and labels seen that are not there."""
        right, said = self.names(gold), self.names(predicted)
        missed = [(name, NOTHING) for name in right if name not in said]
        return (*missed, *((NOTHING, name) for name in said if name not in right))

    def loss(self, example: Example, prediction: Prediction, inverse_temperature: float = 1.0) -> float:
        """Surprise at the whole answer, labels taken as independent."""
        right = self.names(example.label)
        said = {name: prediction.probabilities.get(name, 0.0) for name in self._labels}
        return math.fsum(
            negative_log_likelihood({"yes": p, "no": 1 - p}, "yes" if name in right else "no", inverse_temperature)
            for name, p in said.items()
        )

    def points(self, gold: Label, predicted: Label) -> Points:
        """Micro F1: twice the labels in both, and the labels in either counted each time."""
        right, said = set(gold), set(predicted)
        return (2.0 * len(right & said), float(len(right) + len(said)))

    def score(self, gold: Sequence[Label], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Micro and macro F1, the share of texts right as a whole, and the F1 of every label.

        Raises:
            ValueError: no example, or not one prediction for each.
        """
        if not gold or len(gold) != len(predictions):
            raise ValueError(f"Scoring needs one prediction for each example, got {len(predictions)} for {len(gold)}.")
        from sklearn.metrics import f1_score

        right = [[name in self.names(label) for name in self._labels] for label in gold]
        said = [[name in self.names(p.label) for name in self._labels] for p in predictions]
        each = f1_score(right, said, average=None, zero_division=0.0)
        exact = sum(self.is_right(g, p.label) for g, p in zip(gold, predictions, strict=True)) / len(gold)
        return {
            "micro_f1": float(f1_score(right, said, average="micro", zero_division=1.0)),
            "macro_f1": float(each.mean()),
            "exact": exact,
            **{f"f1 {name}": float(value) for name, value in zip(self._labels, each, strict=True)},
        }

    def _named(self, answer: object) -> tuple[str, bool]:
        """The label, `drop` or `none` that an item means, and whether it had to be found loosely."""
        name = as_name(answer)
        if isinstance(name, str):
            if name in self._labels or name in (DROP, NONE):
                return name, False
            found = self._loose.get(loosen(name), [])
            if len(found) == 1:
                return found[0], True
        allowed = f"{first_of(list(self._labels), LISTED)}, {DROP}"
        raise InvalidAnswer("unknown label", f"{cut(answer)} is not one of the labels. Use only: {allowed}.")
