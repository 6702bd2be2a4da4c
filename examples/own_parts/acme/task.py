"""A task kind: classification whose labels the teacher may also give as a number of stars."""

from evokd import ParsedLabel
from evokd.tasks.kinds.classification import Classification


class Stars(Classification):
    """One of the labels, or its place in the list."""

    kind = "acme.task:Stars"

    def read(self, text: str, answer: object) -> ParsedLabel:
        """A number of stars counts from one, the first label."""
        names = list(self.labels)
        if isinstance(answer, int) and 1 <= answer <= len(names) and not isinstance(answer, bool):
            return ParsedLabel(label=names[answer - 1], repaired=("stars",))
        return super().read(text, answer)
