"""What a task must answer: all that differs between task kinds.

Because a task object owns it, no agent, memory or student ever asks which kind it is working for.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from pydantic import JsonValue

from .base import Aggregate, Example, Label, ParsedLabel, Prediction

Points = tuple[float, float]
"""What one example adds to the numerator and the denominator of the main score: (1 or 0, 1) for accuracy,
(2 tp, 2 tp + fp + fn) for micro F1. The score of many is the ratio of the sums."""


@runtime_checkable
class Task(Protocol):
    """All that differs between task kinds.

    Examples:
        >>> from evokd.testing import world
        >>> task: evokd.Task = world.task()
        >>> task.read("soup with bread", "food").label, task.points("food", "money"), task.metric
        ('food', (0.0, 1.0), 'accuracy')
    """

    kind: str
    description: str
    noun: str
    """What one text is called: "text", "message to a help desk"."""
    part: str
    """What one label is called: "class", "label", "entity type"."""
    metric: str
    """Name of the main score, the ratio of the sums of `points`; also the first key of what `score` returns."""
    head: str
    """Which head of ours learns it: `sequence`, `multilabel`, `token`."""
    columns: tuple[tuple[str, str], ...]
    """Pairs of columns a row of data may have, (text, label); the first pair that is there is read."""
    contested: bool
    """Whether careful annotators would disagree on what counts, so that annotation guidelines are drafted first."""
    coverage: float
    """Share of a lesson batch that is written in breadth all the same (facts measured per kind)."""
    per_lesson: int | None
    """Most texts for one lesson, None for no limit."""
    max_difficulty: float
    """Probability of a wrong answer above which a text written for a lesson is out of the student's reach; 1: never."""
    rule: str
    """How to answer, for the annotator: the form of a label, and when to drop a text."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Label name -> description ("" where the user gave none), in the user's order."""

    def describe(self) -> str:
        """The task for a prompt: the description, then each label with its own."""

    def target_classes(self, seeds: Sequence[Example]) -> Mapping[str, float]:
        """What breadth is spread over -> its share of the texts: the labels, and `none` where a text may have none."""

    def wanted(self, target_class: str) -> str:
        """What texts are asked for by a key of `target_classes`, after "typical texts": `of the class "x"`."""

    def style_rules(self, seeds: Sequence[Example], texts: Sequence[str]) -> str:
        """How real texts look beyond length and topic (density, shapes), as rules for the writer; "" if nothing."""

    def answer_schema(self) -> dict[str, JsonValue]:
        """JSON schema of the teacher's answer about one text."""

    def read(self, text: str, answer: object) -> ParsedLabel:
        """The label in a teacher's answer, a JSON value or a line in the form of `say`.

        Raises:
            Abstained: the teacher gives the text up; quarantine it, do not ask again.
            InvalidAnswer: the answer does not fit; the message says why and is shown to the teacher, who is asked once
                more.
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

    def fits(self, target_class: str, label: Label) -> bool:
        """Whether a text with this label is what was asked for by a key of `target_classes`."""

    def stand_in(self, target_class: str | None) -> Label:
        """The label kept with a text that could not be labelled and goes to quarantine."""

    def mentions(self, text: str, label: Label) -> tuple[str, ...]:
        """What must vary from text to text beyond the wording: names of entities; nothing for most kinds."""

    @property
    def words(self) -> Mapping[str, str]:
        """Key of `target_classes` -> the word that says it to a model which continues texts."""

    def exports(self, examples: Sequence[Example]) -> Mapping[str, Iterable[str]]:
        """File name -> lines: other forms in which the field keeps such examples; none for most kinds."""

    def choices(self) -> Mapping[str, str] | None:
        """Label, or `none`, -> the word that says it, where an answer is one of a closed list; None where it is not."""

    def settle(self, votes: Sequence[Label]) -> Aggregate:
        """The verdict over at least one vote."""

    def settle_soft(self, probabilities: Mapping[str, float]) -> Aggregate:
        """The verdict of a probability for each choice (token probabilities)."""

    def is_right(self, gold: Label, predicted: Label) -> bool:
        """Whether a prediction is correct as a whole."""

    def mistakes(self, gold: Label, predicted: Label) -> tuple[tuple[str, str], ...]:
        """How a prediction is wrong, as pairs (what is there, what was said); empty if it is right."""

    def loss(self, example: Example, prediction: Prediction, inverse_temperature: float = 1.0) -> float:
        """How wrong a prediction is: negative log probability of the example's label in nats.

        Args:
            example: with the right label.
            prediction: of the student.
            inverse_temperature: power to which its probabilities are raised first (`negative_log_likelihood`): the gate
                finds the one that suits each student, so that being too sure or not sure enough is not taken for being
                wrong.
        """

    def points(self, gold: Label, predicted: Label) -> Points:
        """What one example adds to the main score."""

    def score(self, gold: Sequence[Label], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Scores in [0, 1] by name, `metric` first, with a breakdown where the kind has one."""
