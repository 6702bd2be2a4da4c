"""The vocabulary every folder shares: examples, labels, predictions, errors, lessons.

This folder imports nothing of ours.
"""

import hashlib
import unicodedata
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from .likelihood import at_temperature
from .wording import harmless, one_line

Split = Literal["seed", "train", "gate", "dev", "test"]
"""`seed` and `train` may be learnt from and shown to the teacher; `dev` and `test` never. `gate` is sent to be
labelled, and learnt by the last student alone, when nothing is left to be decided by it."""

Source = Literal["gold", "typical", "hard", "probe", "rewrite", "pool"]
"""Why a text exists: the user's own, written as typical, as hard, as a new shape, as another wording of a seed, or
taken from the unlabelled pool."""

OneLine = Annotated[str, BeforeValidator(lambda value: one_line(value) if isinstance(value, str) else value)]
"""Words that stand in prompts as one item of a list; line breaks become spaces."""

HELD_OUT: frozenset[Split] = frozenset({"gate", "dev", "test"})


SHOWN, CUT = 2000, " [...]"
"""Most characters of an example that a prompt shows, about 500 tokens, and what stands for the rest."""


def clean(text: str) -> str:
    """The text, as long as before, with a question mark for every half of a character: nothing stores or reads one."""
    return text.encode("utf-8", "replace").decode()


def normalise(text: str) -> str:
    """The form in which two texts count as the same: NFKC, case folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def unspaced(text: str) -> str:
    """The normal form without any white space: tokens joined by spaces are the text they were cut from."""
    return "".join(normalise(text).split())


def bare(text: str) -> str:
    """Letters and digits of the normal form, which punctuation does not change; all of it, where there are none."""
    return "".join(filter(str.isalnum, normalise(text))) or unspaced(text)


def text_id(text: str) -> str:
    """A stable id of a text: 16 hex digits of the SHA-256 of its normalised form."""
    return hashlib.sha256(normalise(text).encode()).hexdigest()[:16]


class Frozen(BaseModel):
    """A value object: immutable, refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(Frozen):
    """A named stretch of a text: `text[start:end]`, counted in characters of the Python string.

    Examples:
        >>> text, span = "Paris met Rome", evokd.Span(start=10, end=14, type="LOC")
        >>> text[span.start : span.end]
        'Rome'
    """

    start: int = Field(ge=0)
    end: int
    type: str

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"a span must end after it starts, not {self.start} to {self.end}")
        return self


Label = str | tuple[Span, ...] | tuple[str, ...]
"""What a text is labelled with: one name of a closed list, spans in the order of the text, or several names.

Examples:
    >>> label: evokd.Label = ("price", "speed")
"""


class Origin(Frozen):
    """Where an example comes from; what the teacher said is data with a source.

    Examples:
        >>> evokd.Origin(cycle=2, source="hard", votes={"food": 2, "money": 1}, confidence=0.67).source
        'hard'
    """

    cycle: int = 0
    source: Source = "gold"
    lesson: str | None = None
    """Id of the lesson it was written for."""
    subtype: str | None = None
    """The subtype of its class it was asked for (breadth)."""
    target_class: str | None = None
    """What the generator was asked for, a key of `Task.target_classes`; the annotator never sees it."""
    teacher: str | None = None
    """Model that labelled it."""
    prompt: str | None = None
    """Hash of the request that wrote it."""
    votes: dict[str, int] = {}
    confidence: float | None = None


class Example(Frozen):
    """One labelled text. Its id is the hash of its normalised text, so the same text is never kept twice.

    Examples:
        >>> one = evokd.Example(text="Soup with bread", label="food", soft={"food": 0.9, "money": 0.1})
        >>> one.id == evokd.Example(text="soup  with BREAD", label="food").id, one.moved("gate").split
        (True, 'gate')
    """

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

    def shown(self) -> Self:
        """The example as prompts show it: of a long text its beginning, a mark, and the spans that are in it."""
        if len(self.text) <= SHOWN:
            return self
        spans = tuple(each for each in self.label if isinstance(each, Span))
        label = tuple(span for span in spans if span.end <= SHOWN) if spans else self.label
        return self.model_copy(update={"text": self.text[:SHOWN] + CUT, "label": label})


class Prediction(Frozen):
    """A student's answer for one text. Task kinds with richer answers extend it.

    Examples:
        >>> said = evokd.Prediction(label="food", probability=0.75, probabilities={"food": 0.75, "money": 0.25})
        >>> said.margin, said.row("soup")["label"]
        (0.5, 'food')
    """

    label: Label
    probability: float
    """Of `label`."""
    probabilities: dict[str, float]
    """Of every label of the task; of a closed list they sum to one."""
    abstained: bool = False
    """Whether it is too unsure for the risk that `abstain` allows: `label` is then a guess, not an answer."""
    possible: tuple[str, ...] = ()
    """Where `sets` was asked for: labels that hold the right one as often as was asked, the most probable first."""

    @property
    def margin(self) -> float:
        """How sure the student is: the distance between the two most probable answers, 0 to 1."""
        ranked = sorted(self.probabilities.values(), reverse=True)
        return ranked[0] - ranked[1]

    def at_temperature(self, temperature: float) -> Self:
        """The same answer with its probabilities at a temperature (`tasks.likelihood.at_temperature`)."""
        shares = at_temperature(self.probabilities, temperature)
        return self.model_copy(
            update={"probabilities": shares, "probability": shares.get(str(self.label), self.probability)}
        )

    def row(self, text: str) -> dict[str, JsonValue]:
        """What `predict` prints for the text; of one that it abstains on the label is null, and a `guess` is told."""
        label: JsonValue = self.label if isinstance(self.label, str) else [str(each) for each in self.label]
        return {
            **({"label": None, "guess": label} if self.abstained else {"label": label}),
            "probability": round(self.probability, 4),
            "probabilities": {name: round(p, 4) for name, p in self.probabilities.items()},
            **({"possible": list(self.possible)} if self.possible else {}),
        }


class ErrorCase(Frozen):
    """A text the champion had never seen and got wrong (the paper's D_wrong).

    Examples:
        >>> example = evokd.Example(text="the team got a loan", label="money")
        >>> evokd.ErrorCase(example=example, predicted="sports", probability=0.8, cycle=1).fixed_in is None
        True
    """

    example: Example
    predicted: Label
    probability: float
    cycle: int
    fixed_in: int | None = None
    """The cycle whose student gets it right, if any."""


class Lesson(Frozen):
    """A named pattern of failure, what to write about it, and what that brought.

    Examples:
        >>> advice = {"pattern": "money in sport", "advice": "write about loans of clubs"}
        >>> evokd.Lesson(id="2-loans", name="loans", cycle=2, evidence=("0f3a",), **advice).kind
        'lesson'
    """

    id: str
    name: OneLine
    pattern: OneLine
    advice: OneLine
    kind: Literal["lesson", "probe"] = "lesson"
    evidence: tuple[str, ...] = ()
    """Ids of the cases it cites; a lesson without a real case is refused."""
    cycle: int = 0
    effect: dict[str, float] = {}
    """`before` / `after` main score on the texts written for it, `samples`, `too_hard`, and `kept` (1 or 0)."""


class Abstained(ValueError):
    """The teacher said `drop`: the text is put aside, and asking again would be a mistake.

    Examples:
        >>> str(evokd.Abstained())
        'two classes fit or none'
    """

    def __init__(self, reason: str = "two classes fit or none"):
        super().__init__(reason)


class InvalidAnswer(ValueError):
    """A teacher's answer does not fit the text or the task; `kind` is what is counted, the message says why.

    The message is one line: it is an item of the list that the teacher is asked to correct.

    Examples:
        >>> error = evokd.InvalidAnswer("unknown label", "'weather' is not one of the labels.")
        >>> error.kind, str(error)
        ('unknown label', "'weather' is not one of the labels.")
    """

    def __init__(self, kind: str, message: str):
        super().__init__(harmless(one_line(message)))
        self.kind = kind


class BadCell(ValueError):
    """A cell of the user's data cannot be read; `hint` says what helps, once for all rows."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


class ParsedLabel(Frozen):
    """The label in a teacher's answer, and what had to be repaired to read it (kinds of repair, counted).

    Examples:
        >>> evokd.ParsedLabel(label="food", repaired=("upper case",)).label
        'food'
    """

    label: Label
    repaired: tuple[str, ...] = ()


class Aggregate(Frozen):
    """What several votes about one text come to.

    Examples:
        >>> from evokd.testing import world
        >>> found = world.task().settle(["food", "food", "money"])
        >>> found.label, round(found.confidence, 2), found.votes
        ('food', 0.67, {'food': 2, 'money': 1})
    """

    label: Label
    confidence: float
    soft: dict[str, float] | None
    votes: dict[str, int] = {}
