"""One text, one class of a closed list."""

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
from .label_names import (
    LISTED,
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

DROP = "drop"
"""What the teacher answers where two classes fit or none."""


class Classification:
    """The task of giving a text one of at least two labels.

    Args:
        description: what the classes are about, for the teacher.
        labels: label name -> description ("" where there is none), in the order it is to be shown.
        say: label name -> the word that says it to a small teacher, where the name itself does not.
        noun: what one text is called, for a small teacher: "message to a help desk".
    """

    kind = "classification"
    metric = "accuracy"
    head = "sequence"
    columns: tuple[tuple[str, str], ...] = (("text", "label"),)
    contested = False
    part = "class"
    coverage = 0.0
    per_lesson: int | None = None
    max_difficulty = 0.7
    rule = (
        'Use "drop" for a text that fits two classes equally well, or none of them. Where one class is for everything '
        "else, it fits what fits no other."
    )

    def __init__(
        self, description: str, labels: Mapping[str, str], say: Mapping[str, str] | None = None, noun: str = "text"
    ):
        if len(labels) < 2:
            raise ConfigError(f"A classification task needs at least two labels, got {len(labels)}: {list(labels)}.")
        check_names(list(labels), {DROP})
        self.description = description.strip()
        self.noun = noun
        self._labels = MappingProxyType(dict(labels))
        self._words = MappingProxyType(words_for(list(labels), say or {}))
        self._loose = by_loose_name([*labels, DROP])
        self._folded = by_loose_name(list(labels), fold)

    @property
    def labels(self) -> Mapping[str, str]:
        """Label name -> description, in the user's order."""
        return self._labels

    def describe(self) -> str:
        """The description, then one line for each label."""
        return describe_labels(self.description, "Labels:", self._labels)

    def answer_schema(self) -> dict[str, JsonValue]:
        """A string: one of the labels, or `drop`."""
        return {"type": "string", "enum": [*self._labels, DROP]}

    def target_classes(self, seeds: Sequence[Example]) -> Mapping[str, float]:
        """The labels in equal shares."""
        return dict.fromkeys(self._labels, 1 / len(self._labels))

    def wanted(self, target_class: str) -> str:
        """Texts of one class."""
        return f'of the class "{target_class}"'

    def style_rules(self, seeds: Sequence[Example], texts: Sequence[str]) -> str:
        """Nothing beyond length and topic."""
        return ""

    def read(self, text: str, answer: object) -> ParsedLabel:
        """The label that is named exactly, else the only one that is equal when both are loosened.

        Raises:
            Abstained: the answer is `drop`.
            InvalidAnswer: the answer names no label, or the loose match fits several.
        """
        name = as_name(answer)
        if isinstance(name, str):
            if name in self._labels:
                return ParsedLabel(label=name)
            found = self._loose.get(loosen(name), [])
            if found == [DROP]:
                raise Abstained
            if len(found) == 1:
                return ParsedLabel(label=found[0], repaired=("spelling",))
        allowed = f"{first_of(list(self._labels), LISTED)}, {DROP}"
        raise InvalidAnswer(
            "unknown label", f"{cut(answer)} is not one of the labels. Answer with exactly one of: {allowed}."
        )

    def gold(self, text: str, cell: object) -> Label:
        """The label of a row, equal but for case, white space and Unicode's forms; also as a list of one.

        Numbers and truth values count where they are said as a label is (stars: 1 to 5).

        Raises:
            BadCell: it is not one of the task; the message lists those.
        """
        only = cell[0] if isinstance(cell, list | tuple) and len(cell) == 1 else cell
        found = named_in_data(only, self._labels, self._folded)
        if found is None:
            # Told in the user's words; those of `read` are for the teacher, who may also drop a text.
            listed = first_of([repr(label) for label in self._labels], LISTED)
            raise BadCell(f"is {cut(cell, 60)}, which is not one of: {listed}", hint(only, self._labels))
        return found

    def say(self, text: str, label: Label) -> str:
        """The name itself."""
        return str(label)

    def names(self, label: Label) -> tuple[str, ...]:
        """The one name."""
        return (str(label),)

    def fits(self, target_class: str, label: Label) -> bool:
        """Whether it is the label that was asked for."""
        return target_class == label

    def stand_in(self, target_class: str | None) -> Label:
        """The label that was asked for, or the first."""
        return target_class if target_class is not None and target_class in self._labels else next(iter(self._labels))

    def mentions(self, text: str, label: Label) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def exports(self, examples: Sequence[Example]) -> Mapping[str, Iterable[str]]:
        """Nothing."""
        return {}

    @property
    def words(self) -> Mapping[str, str]:
        """Label -> word."""
        return self._words

    def choices(self) -> Mapping[str, str]:
        """Label -> the word that says it: the user's, or the name in lower-case words (PlayMusic -> play music)."""
        return self._words

    def settle(self, votes: Sequence[Label]) -> Aggregate:
        """The majority; its share is the confidence, so that a tie is never above one half.

        Of tied labels the one voted first is taken, which keeps the verdict the same when a node runs again.

        Raises:
            ValueError: no vote, or a vote for something that is not a label.
        """
        if not votes:
            raise ValueError("There is no vote to settle.")
        self._refuse_unknown([str(vote) for vote in votes])
        counts = Counter(str(vote) for vote in votes)
        label, most = counts.most_common(1)[0]
        soft = None if most == len(votes) else {name: counts[name] / len(votes) for name in self._labels}
        return Aggregate(label=label, confidence=most / len(votes), soft=soft, votes=dict(counts))

    def settle_soft(self, probabilities: Mapping[str, float]) -> Aggregate:
        """The most probable label after normalising; labels left out count as impossible.

        Raises:
            ValueError: a name that is not a label, a negative or non-finite number, or nothing above zero.
        """
        self._refuse_unknown(probabilities)
        if not all(math.isfinite(p) and p >= 0 for p in probabilities.values()):
            raise ValueError(f"Probabilities must be finite and not negative, got {cut(dict(probabilities))}.")
        total = math.fsum(probabilities.values())
        if total <= 0:
            raise ValueError("No label has a probability above zero.")
        soft = {name: probabilities.get(name, 0.0) / total for name in self._labels}
        label = max(soft, key=lambda name: soft[name])
        return Aggregate(label=label, confidence=soft[label], soft=soft if soft[label] < 1 else None)

    def is_right(self, gold: Label, predicted: Label) -> bool:
        """Whether both are the same label."""
        return gold == predicted

    def mistakes(self, gold: Label, predicted: Label) -> tuple[tuple[str, str], ...]:
        """The label that is right and the one it was taken for."""
        return () if gold == predicted else ((str(gold), str(predicted)),)

    def loss(self, example: Example, prediction: Prediction, inverse_temperature: float = 1.0) -> float:
        """Surprise at the example's hard label.

        The hard label also where there is a soft one: the gate asks whether the student is right, not whether it
        doubts as the teacher does.
        """
        return negative_log_likelihood(prediction.probabilities, str(example.label), inverse_temperature)

    def points(self, gold: Label, predicted: Label) -> Points:
        """Accuracy: one of one, or none of one."""
        return (float(gold == predicted), 1.0)

    def score(self, gold: Sequence[Label], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Accuracy and macro F1 (the unweighted mean over the labels in gold or predictions).

        Raises:
            ValueError: no example, or not one prediction for each.
        """
        if not gold or len(gold) != len(predictions):
            raise ValueError(f"Scoring needs one prediction for each example, got {len(predictions)} for {len(gold)}.")
        from sklearn.metrics import accuracy_score, f1_score

        predicted = [prediction.label for prediction in predictions]
        return {
            "accuracy": float(accuracy_score(gold, predicted)),
            "macro_f1": float(f1_score(gold, predicted, average="macro", zero_division=0.0)),
        }

    def _refuse_unknown(self, names: Sequence[str] | Mapping[str, float]) -> None:
        for name in names:
            if name not in self._labels:
                raise ValueError(f"{cut(name)} is not one of the labels: {', '.join(self._labels)}.")
