"""What a student says about a text that may have several labels."""

import math
from typing import Self

from pydantic import JsonValue

from ..base import Prediction
from ..likelihood import at_temperature


class LabelsPrediction(Prediction):
    """A student's labels of one text.

    `label` holds the names in the task's order; `probability` is that of the whole answer, taking labels as
    independent; `probabilities` has that of every label, each between 0 and 1.
    """

    cut: bool = False
    """Whether the text is longer than the student reads: what comes after that was left out."""

    @property
    def margin(self) -> float:
        """How sure the least sure label is: the distance between having it and not, 0 to 1."""
        return min((abs(2 * each - 1) for each in self.probabilities.values()), default=1.0)

    def at_temperature(self, temperature: float) -> Self:
        """The same labels, the probability of each at a temperature.

        A threshold moves as the probabilities do: a label given from .3 on is given from what .3 becomes.
        """
        shares = {
            name: at_temperature({"yes": each, "no": 1 - each}, temperature)["yes"]
            for name, each in self.probabilities.items()
        }
        sides = (share if name in self.label else 1 - share for name, share in shares.items())
        return self.model_copy(update={"probabilities": shares, "probability": math.prod(sides)})

    def row(self, text: str) -> dict[str, JsonValue]:
        """The labels with the probability of each, and whether the text was cut."""
        return {**super().row(text), **({"cut": True} if self.cut else {})}
