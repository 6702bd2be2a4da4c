"""The vocabulary every folder shares: examples, predictions, errors, lessons, and what a task must answer.

This folder imports nothing of ours. A task object owns all that differs between task kinds, so that no agent, memory
or student ever asks which kind it is working for.
"""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict, JsonValue, model_validator

Label = str
"""What a text is labelled with. One class name today; a task kind with another answer widens this one line."""

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


class Origin(Frozen):
    """Where an example comes from; what the teacher said is data with a source (DESIGN section 5.5)."""

    cycle: int = 0
    stance: Stance = "gold"
    lesson: str | None = None
    """Id of the lesson it was written for."""
    subtype: str | None = None
    """The subtype of its class it was asked for (breadth)."""
    asked: Label | None = None
    """The class the generator was asked for; the annotator never sees it."""
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
    """A student's answer for one text."""

    label: Label
    probability: float
    """Of `label`."""
    probabilities: dict[str, float]
    """Over all labels of the task; sums to one."""


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


class Verdict(Frozen):
    """What several votes about one text come to."""

    label: Label
    confidence: float
    soft: dict[str, float] | None
    votes: dict[str, int] = {}


@runtime_checkable
class Task(Protocol):
    """All that differs between task kinds."""

    kind: str
    description: str
    noun: str
    """What one text is called: "text", "message to a help desk"."""
    metric: str
    """Name of the main score, a key of what `score` returns."""
    head: str
    """Which student head learns it, e.g. `sequence`."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Label name -> description ("" where the user gave none), in the user's order."""

    def describe(self) -> str:
        """The task for a prompt: the description, then each label with its own."""

    def answer_schema(self) -> dict[str, JsonValue]:
        """JSON schema of the teacher's answer about one text."""

    def read(self, text: str, answer: object) -> Label:
        """The label in a teacher's answer.

        Raises:
            Dropped: the teacher gives the text up; quarantine it, do not ask again.
            ValueError: the answer does not fit; the message says why and is shown to the teacher in the repair turn.
        """

    def choices(self) -> Mapping[Label, str] | None:
        """Label -> the word that says it, where an answer is one of a closed list; None where it is not."""

    def settle(self, votes: Sequence[Label]) -> Verdict:
        """The verdict over at least one vote."""

    def settle_soft(self, probabilities: Mapping[str, float]) -> Verdict:
        """The verdict of a probability for each label (token probabilities)."""

    def is_right(self, gold: Label, predicted: Label) -> bool:
        """Whether a prediction counts as correct."""

    def loss(self, example: Example, prediction: Prediction) -> float:
        """How wrong a prediction is, in nats or another scale on which lower is better; the gate compares it."""

    def score(self, gold: Sequence[Label], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Scores in [0, 1] by name, `metric` first."""
