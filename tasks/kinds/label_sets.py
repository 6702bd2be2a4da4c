"""What a student says about a text that may have several labels."""

from ..base import Prediction


class LabelsPrediction(Prediction):
    """A student's labels of one text.

    `label` holds the names in the task's order; `probability` is that of the whole answer, taking labels as
    independent; `probabilities` has that of every label, each between 0 and 1.
    """

    @property
    def margin(self) -> float:
        """How sure the least sure label is: the distance between having it and not, 0 to 1."""
        return min((abs(2 * each - 1) for each in self.probabilities.values()), default=1.0)
