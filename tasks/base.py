"""The vocabulary every folder shares: examples, predictions, errors, lessons, and what a task must answer.

This folder imports nothing of ours. A task object owns all that differs between task kinds, so that no agent, memory
or student ever asks which kind it is working for.
"""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

Split = Literal["seed", "train", "gate", "dev", "test"]
"""`seed` and `train` may be learnt from and shown to the teacher; `gate`, `dev` and `test` never (DESIGN section 5)."""

Stance = Literal["gold", "typical", "hard", "probe", "pool"]
"""Why a text exists: the user's own, written as typical, as hard, as a new shape, or taken from the unlabelled pool."""

HELD_OUT: frozenset[Split] = frozenset({"gate", "dev", "test"})


def normalise(text: str) -> str:
    """The form in which two texts count as the same: NFKC, case folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def text_id(text: str) -> str:
    """A stable id of a text: 16 hex digits of the SHA-256 of its normalised form."""
    return hashlib.sha256(normalise(text).encode()).hexdigest()[:16]


class Frozen(BaseModel):
    """A value object: immutable, refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(Frozen):
    """A named stretch of a text: `text[start:end]`, counted in characters of the Python string."""

    start: int = Field(ge=0)
    end: int
    type: str

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"a span must end after it starts, not {self.start} to {self.end}")
        return self


Label = str | tuple[Span, ...] | tuple[str, ...]
"""What a text is labelled with: one name of a closed list, spans in the order of the text, or several names."""


class Origin(Frozen):
    """Where an example comes from; what the teacher said is data with a source (DESIGN section 5.5)."""

    cycle: int = 0
    stance: Stance = "gold"
    lesson: str | None = None
    """Id of the lesson it was written for."""
    subtype: str | None = None
    """The subtype of its class it was asked for (breadth)."""
    asked: str | None = None
    """What the generator was asked for, a key of `Task.facets`; the annotator never sees it."""
    teacher: str | None = None
    """Model that labelled it."""
    prompt: str | None = None
    """Hash of the request that wrote it."""
    votes: dict[str, int] = {}
    confidence: float | None = None


class Example(Frozen):
    """One labelled text. Its id is the hash of its normalised text, so the same text is never kept twice."""

    id: str = ""
    """Filled in; give it only for a text that has one of its own."""
    text: str
    label: Label
    soft: dict[str, float] | None = None
    """Probability of every label as the teacher sees it (all labels, zeros too), or none where it is sure."""
    split: Split = "train"
    origin: Origin = Origin()

    @model_validator(mode="before")
    @classmethod
    def _fill_id(cls, data: object) -> object:
        if isinstance(data, dict) and not data.get("id") and isinstance(data.get("text"), str):
            return {**data, "id": text_id(data["text"])}
        return data

    def moved(self, split: Split) -> Self:
        """The same example in another split."""
        return self.model_copy(update={"split": split})


class Prediction(Frozen):
    """A student's answer for one text. Task kinds with richer answers extend it."""

    label: Label
    probability: float
    """Of `label`."""
    probabilities: dict[str, float]
    """Of every label of the task; of a closed list they sum to one."""

    @property
    def margin(self) -> float:
        """How sure the student is: the distance between the two most probable answers, 0 to 1."""
        ranked = sorted(self.probabilities.values(), reverse=True)
        return ranked[0] - ranked[1]

    def row(self, text: str) -> dict[str, JsonValue]:
        """What `predict` prints for the text."""
        return {
            "label": self.label if isinstance(self.label, str) else [str(each) for each in self.label],
            "probability": round(self.probability, 4),
            "probabilities": {name: round(p, 4) for name, p in self.probabilities.items()},
        }


class ErrorCase(Frozen):
    """A text the champion had never seen and got wrong (the paper's D_wrong)."""

    example: Example
    predicted: Label
    probability: float
    cycle: int
    fixed_in: int | None = None
    """The cycle whose student gets it right, if any."""


class Lesson(Frozen):
    """A named pattern of failure, what to write about it, and what that brought."""

    id: str
    name: str
    pattern: str
    advice: str
    kind: Literal["lesson", "probe"] = "lesson"
    evidence: tuple[str, ...] = ()
    """Ids of the cases it cites; a lesson without a real case is refused."""
    cycle: int = 0
    effect: dict[str, float] = {}
    """`before` / `after` accuracy on the texts written for it, `samples`, and `kept` (1 or 0)."""


class Dropped(ValueError):
    """The teacher said `drop`: the text is put aside, and asking again would be a mistake."""

    def __init__(self, reason: str = "two classes fit or none"):
        super().__init__(reason)


class Misfit(ValueError):
    """A teacher's answer does not fit the text or the task; `kind` is what is counted, the message helps repair it."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


class Reading(Frozen):
    """The label in a teacher's answer, and what had to be repaired to read it (kinds of repair, counted)."""

    label: Label
    repaired: tuple[str, ...] = ()


class Verdict(Frozen):
    """What several votes about one text come to."""

    label: Label
    confidence: float
    soft: dict[str, float] | None
    votes: dict[str, int] = {}


Points = tuple[float, float]
"""What one example adds to the numerator and the denominator of the main score: (1 or 0, 1) for accuracy,
(2 tp, 2 tp + fp + fn) for micro F1. The score of many is the ratio of the sums."""


@runtime_checkable
class Task(Protocol):
    """All that differs between task kinds."""

    kind: str
    description: str
    noun: str
    """What one text is called: "text", "message to a help desk"."""
    part: str
    """What one label is called: "class", "label", "entity type"."""
    metric: str
    """Name of the main score, the ratio of the sums of `points`; also the first key of what `score` returns."""
    head: str
    """Which student head learns it: `sequence`, `multilabel`, `token`, or `module:Class`."""
    columns: tuple[tuple[str, str], ...]
    """Pairs of columns a row of data may have, (text, label); the first pair that is there is read."""
    contested: bool
    """Whether careful annotators would disagree on what counts, so that a convention card is drafted first."""
    coverage: float
    """Share of a lesson batch that is written in breadth all the same (facts measured per kind)."""
    per_lesson: int | None
    """Most texts for one lesson, None for no limit."""
    rule: str
    """How to answer, for the annotator: the form of a label, and when to drop a text."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Label name -> description ("" where the user gave none), in the user's order."""

    def describe(self) -> str:
        """The task for a prompt: the description, then each label with its own."""

    def facets(self, seeds: Sequence[Example]) -> Mapping[str, float]:
        """What breadth is spread over -> its share of the texts: the labels, and `none` where a text may have none."""

    def wanted(self, facet: str) -> str:
        """What texts are asked for by a key of `facets`, after "typical texts": `of the class "x"`."""

    def register(self, seeds: Sequence[Example], texts: Sequence[str]) -> str:
        """How real texts look beyond length and topic (density, shapes), as rules for the writer; "" if nothing."""

    def answer_schema(self) -> dict[str, JsonValue]:
        """JSON schema of the teacher's answer about one text."""

    def read(self, text: str, answer: object) -> Reading:
        """The label in a teacher's answer, a JSON value or a line in the form of `say`.

        Raises:
            Dropped: the teacher gives the text up; quarantine it, do not ask again.
            Misfit: the answer does not fit; the message says why and is shown to the teacher in the repair turn.
        """

    def gold(self, text: str, cell: object) -> Label:
        """The label in a cell of the user's data.

        Raises:
            ValueError: it is none; the message goes on after the column's name: "is 'x', which is not one of: ...".
        """

    def say(self, text: str, label: Label) -> str:
        """A label in a prompt, on one line; `read` takes it back."""

    def names(self, label: Label) -> tuple[str, ...]:
        """The names of the task's labels that a label holds, each once."""

    def fits(self, facet: str, label: Label) -> bool:
        """Whether a text with this label is what was asked for by a key of `facets`."""

    def stand_in(self, facet: str | None) -> Label:
        """The label kept with a text that could not be labelled and goes to quarantine."""

    def fillers(self, text: str, label: Label) -> tuple[str, ...]:
        """What must vary from text to text beyond the wording: names of entities; nothing for most kinds."""

    @property
    def words(self) -> Mapping[str, str]:
        """Key of `facets` -> the word that says it to a model which continues texts."""

    def choices(self) -> Mapping[str, str] | None:
        """Label -> the word that says it, where an answer is one of a closed list; None where it is not."""

    def settle(self, votes: Sequence[Label]) -> Verdict:
        """The verdict over at least one vote."""

    def settle_soft(self, probabilities: Mapping[str, float]) -> Verdict:
        """The verdict of a probability for each choice (token probabilities)."""

    def is_right(self, gold: Label, predicted: Label) -> bool:
        """Whether a prediction is correct as a whole."""

    def mistakes(self, gold: Label, predicted: Label) -> tuple[tuple[str, str], ...]:
        """How a prediction is wrong, as pairs (what is there, what was said); empty if it is right."""

    def loss(self, example: Example, prediction: Prediction) -> float:
        """How wrong a prediction is: negative log probability of the example's label in nats; the gate compares it."""

    def points(self, gold: Label, predicted: Label) -> Points:
        """What one example adds to the main score."""

    def score(self, gold: Sequence[Label], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Scores in [0, 1] by name, `metric` first, with a breakdown where the kind has one."""
