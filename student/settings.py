"""What the user may write under `[student]`."""

from typing import Literal

from pydantic import Field

from ..tasks.base import Frozen

Loss = Literal["cross-entropy", "generalised"]

WIDTH = 384
"""Width of the encoder that the recipes were measured with."""


class Recipe(Frozen):
    """How a network is trained; the names are those of `StudentSettings`."""

    epochs: int
    min_steps: int
    max_steps: int
    batch_size: int
    learning_rate: float
    head_learning_rate: float
    freeze: int = 0
    loss: Loss = "cross-entropy"
    q: float = 0.7

    @property
    def robustness(self) -> float:
        """The q of the loss, as `student.training.losses.generalised_cross_entropy` takes it: 0 for cross-entropy."""
        return self.q if self.loss == "generalised" else 0.0


BY_ENCODER = ("epochs", "min_steps", "max_steps", "batch_size", "learning_rate", "head_learning_rate")
"""Settings of the training that a recipe decides where the user does not; those of one encoder are not another's."""


class StudentSettings(Frozen):
    """The encoder and how it is trained.

    What is left out of the training (`epochs` to `head_learning_rate`) is the recipe of the head that the task asks
    for, measured for one to a few hundred texts per class.
    """

    kind: str = "transformer"
    """`transformer`, or `module:Class` for a part of your own."""
    model: str = "minilm"
    """`minilm` (22 M parameters, comes with the install), or the folder or hub id of any Hugging Face encoder."""
    assistant: str | None = None
    """A larger encoder, named as `model` is: it learns the same texts once, when the loop is over, and the last student
    learns what it says of the pool. The student does not grow. Without a pool it is not used."""
    max_length: int = Field(default=128, ge=8)
    """Word pieces of a row. Of longer texts the beginning is learnt, and all is labelled, in windows; entities are also
    learnt in windows. With several labels a text only the beginning counts."""
    epochs: int | None = Field(default=None, ge=0)
    """Passes over the texts, within `min_steps` and `max_steps`; past `max_steps` at least three passes."""
    min_steps: int | None = Field(default=None, ge=0)
    max_steps: int | None = Field(default=None, ge=1)
    batch_size: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(default=None, gt=0)
    """Of the encoder. Unset: the recipe's, less for an encoder wider than MiniLM."""
    head_learning_rate: float | None = Field(default=None, gt=0)
    freeze: int = Field(default=0, ge=0)
    """Lower layers that are not trained. Four of MiniLM's six make a fit about two and a half times as fast, for topics
    and intents at little cost; it costs points on sentiment, and many on entities."""
    loss: Loss = "cross-entropy"
    """`generalised`: labels that the student cannot believe pull less and less; for teachers that err often."""
    q: float = Field(default=0.7, gt=0, le=1)
    """Of the generalised loss: the larger, the less a label counts that is not believed."""
    threads: int = Field(default=1, ge=1)
    """CPU threads. One is fastest where anything else computes."""
    device: str = "auto"
    """`auto` (a CUDA GPU if there is one), `cpu`, `cuda`, `cuda:1`, `mps`, ..."""

    def recipe(self, own: Recipe, width: int) -> Recipe:
        """A head's own recipe for an encoder of some width, with what the user set.

        A wider encoder takes smaller steps: its learning rate falls with the square of the width, from 1e-4 at 384 to
        2.5e-5 at 768, about what is common for encoders of that size. MPNet learnt 300 texts of SST-2 two points better
        at 3e-5 than at 1e-4 (docs/results/larger-student.md).
        """
        smaller = own.learning_rate * min(1.0, (WIDTH / width) ** 2)
        given = {name: getattr(self, name) for name in Recipe.model_fields}
        own = own.model_copy(update={"learning_rate": smaller})
        return own.model_copy(update={name: value for name, value in given.items() if value is not None})
