"""Named entities: one text, any number of spans of a closed list of types, none included."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from pydantic import JsonValue

from ..base import Abstained, Aggregate, Example, Label, ParsedLabel, Prediction, Span
from ..data.conll import write_conll
from ..entities import scoring as scores
from ..entities import style as style_rules
from ..entities.alignment import align, say_spans
from ..entities.cells import read_cell
from ..entities.scoring import of_predictions, spans_of
from ..entities.tags import SpanPrediction, encode
from ..entities.types import DROP, NONE, Types
from ..likelihood import WORST, negative_log_likelihood
from ..task import Points
from ..wording import describe_labels
from .label_names import loosen, words_for
from .target_classes import share_beside_none

NONE_SHARE = 0.2
"""Share of texts without an entity where too few seeds are there to tell: that of news, of which teachers left alone
write 3 to 6 % (measured)."""


class Ner:
    """The task of finding the entities in a text, each with a type of a list of at least one.

    Args:
        description: what the texts and the entities are, for the teacher.
        labels: entity type -> description ("" where there is none), in the order they are to be shown.
        say: entity type -> the word that says it to a small teacher, where the name itself does not.
        noun: what one text is called, for a small teacher.
    """

    kind = "ner"
    metric = "f1"
    head = "token"
    columns = (("text", "spans"), ("text", "entities"), ("text", "label"), ("tokens", "tags"), ("tokens", "ner_tags"))
    contested = True
    part = "entity type"
    coverage = 2 / 3
    per_lesson = 6
    max_difficulty = 1.0
    rule = (
        "Give the entities of each text as a list of their type and their exact words in the text, an empty list if "
        "there is none. Quote a name that stands there several times as often as it counts. Only where the same words "
        "have two types, or not every mention counts, give instead the whole text with each entity marked like "
        '[TYPE: words]. Use "drop" for a text that is unclear.'
    )

    def __init__(
        self, description: str, labels: Mapping[str, str], say: Mapping[str, str] | None = None, noun: str = "text"
    ):
        self._types = Types(list(labels))
        self.description = description.strip()
        self.noun = noun
        self._labels = MappingProxyType(dict(labels))
        self._words = MappingProxyType(words_for(list(labels), say or {}))

    @property
    def labels(self) -> Mapping[str, str]:
        """Entity type -> description, in the user's order."""
        return self._labels

    def describe(self) -> str:
        """The description, then one line for each entity type."""
        return describe_labels(
            self.description, "A text has any number of entities, or none. Entity types:", self._labels
        )

    def target_classes(self, seeds: Sequence[Example]) -> Mapping[str, float]:
        """The entity types in equal shares of what `none` leaves."""
        return share_beside_none(self._labels, NONE, NONE_SHARE, seeds)

    def wanted(self, target_class: str) -> str:
        """Texts with an entity of the type, others beside it as it happens, or without any."""
        if target_class == NONE:
            return "without a single entity of these types"
        return f'with at least one entity of the type "{target_class}", alone or with others'

    def style_rules(self, seeds: Sequence[Example], texts: Sequence[str]) -> str:
        """How many entities real texts have, and how many are in capitals or rows of a table."""
        return style_rules.rules(seeds, texts)

    def answer_schema(self) -> dict[str, JsonValue]:
        """A list of types and quoted words, or a string: the text with inline marks, or `drop`."""
        entity: dict[str, JsonValue] = {
            "type": "object",
            "properties": {"type": {"type": "string", "enum": list(self._labels)}, "text": {"type": "string"}},
            "required": ["type", "text"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "array", "items": entity}, {"type": "string"}]}

    def read(self, text: str, answer: object) -> ParsedLabel:
        """The spans of what is quoted or marked; see `tasks/entities/alignment.py`.

        Raises:
            Abstained: the answer is `drop`.
            InvalidAnswer: it has no certain reading.
        """
        only = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
        if isinstance(only, str) and len(only) < 20 and loosen(only) == DROP:
            raise Abstained("the text is unclear")
        found = align(text, answer, self._types)
        return ParsedLabel(label=found.spans, repaired=found.repaired)

    def gold(self, text: str, cell: object) -> Label:
        """The spans of a row: offsets, tags of the words between single spaces, quotes, or a line in the form of `say`.

        Raises:
            ValueError: it is none of these, or does not fit the text.
        """
        return read_cell(text, cell, self._types)

    def say(self, text: str, label: Label) -> str:
        """`ORG Bank of Greece | LOC Athens`, or the text with inline marks where that is not enough, or `none`."""
        return say_spans(text, spans_of(label), self._types)

    def names(self, label: Label) -> tuple[str, ...]:
        """The entity types in the order of the text."""
        return tuple(dict.fromkeys(span.type for span in spans_of(label)))

    def fits(self, target_class: str, label: Label) -> bool:
        """Whether the type that was asked for is there, or no entity is."""
        return not label if target_class == NONE else target_class in self.names(label)

    def stand_in(self, target_class: str | None) -> Label:
        """No entity."""
        return ()

    def mentions(self, text: str, label: Label) -> tuple[str, ...]:
        """The entities' words, with single spaces."""
        return tuple(" ".join(text[span.start : span.end].split()) for span in spans_of(label))

    def exports(self, examples: Sequence[Example]) -> Mapping[str, Iterable[str]]:
        """`samples.conll`: a token and its tag on each line."""
        return {"samples.conll": write_conll(examples)}

    @property
    def words(self) -> Mapping[str, str]:
        """Entity type -> word, and for texts without an entity."""
        return {**self._words, NONE: "nothing"}

    def choices(self) -> None:
        """Spans are no closed list."""
        return None

    def settle(self, votes: Sequence[Label]) -> Aggregate:
        """Every span that more than half of the votes have; the confidence is that of the most disputed span.

        Raises:
            ValueError: no vote, or one of another kind of task.
        """
        if not votes:
            raise ValueError("There is no vote to settle.")
        ballots = [spans_of(vote) for vote in votes]
        counts = Counter(span for ballot in ballots for span in set(ballot))
        shares = {span: count / len(ballots) for span, count in counts.items()}
        label = sorted((span for span, share in shares.items() if share > 0.5), key=lambda span: span.start)
        confidence = min((max(share, 1 - share) for share in shares.values()), default=1.0)
        said = Counter(_told(ballot) for ballot in ballots)
        return Aggregate(label=tuple(label), confidence=confidence, soft=None, votes=dict(said))

    def settle_soft(self, probabilities: Mapping[str, float]) -> Aggregate:
        """Refuse: there is no closed list of answers to have probabilities.

        Raises:
            ValueError: always.
        """
        raise ValueError("Entities are no closed list of answers, so there are no probabilities to settle.")

    def is_right(self, gold: Label, predicted: Label) -> bool:
        """Whether both have the same spans."""
        return set(spans_of(gold)) == set(spans_of(predicted))

    def mistakes(self, gold: Label, predicted: Label) -> tuple[tuple[str, str], ...]:
        """`ORG`, `LOC` for another type; `ORG`, `ORG, other boundary`; `ORG`, `nothing`; `nothing`, `ORG`."""
        return scores.mistakes(spans_of(gold), spans_of(predicted))

    def loss(self, example: Example, prediction: Prediction, inverse_temperature: float = 1.0) -> float:
        """Surprise at the tags of all words, words taken as independent.

        A prediction without words counts as wrong about every entity of the example.
        """
        gold = spans_of(example.label)
        words = prediction.words if isinstance(prediction, SpanPrediction) else ()
        if not words:
            return WORST * len(gold)
        tags = encode(gold, [(word.start, word.end) for word in words])
        return math.fsum(
            negative_log_likelihood(word.shares, tag, inverse_temperature)
            for word, tag in zip(words, tags, strict=True)
        )

    def points(self, gold: Label, predicted: Label) -> Points:
        """Strict micro F1, by type and place: twice the spans in both, and the spans in either counted each time."""
        return scores.points(spans_of(gold), spans_of(predicted))

    def score(self, gold: Sequence[Label], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Strict micro F1, then precision, recall, F1 of places and of types, missed, spurious, F1 of each type.

        Raises:
            ValueError: no example, or not one prediction for each.
        """
        if not gold or len(gold) != len(predictions):
            raise ValueError(f"Scoring needs one prediction for each example, got {len(predictions)} for {len(gold)}.")
        return scores.score([spans_of(label) for label in gold], of_predictions(predictions), list(self._labels))


def _told(spans: Sequence[Span]) -> str:
    """Spans without their text, as the name of an answer."""
    return " | ".join(f"{span.type} {span.start}-{span.end}" for span in spans) or NONE
