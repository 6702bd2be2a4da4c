"""The student that is served, and what clients may know of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ....tasks.base import Prediction
from ....tasks.entities.tags import SpanPrediction
from .limits import Limits
from .reach import Reach


class Model(Protocol):
    """What can be served: any finished student, of torch or of ONNX."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text, in order."""


@dataclass(frozen=True)
class Served:
    """A student under a name, after a first prediction that shows what it is."""

    name: str
    model: Model
    first: Prediction
    labels: tuple[str, ...]
    reach: Reach | None
    """None where a text is read whole (entities), or where the student does not say."""

    @classmethod
    def warmed(cls, name: str, model: Model, reach: Reach | None = None) -> "Served":
        """Ask the model once, so that the first client does not wait for what is done only once."""
        [first] = model.predict(["The first text."])
        labels = getattr(model, "labels", None) or first.probabilities
        return cls(name, model, first, tuple(labels), reach)

    def info(self, limits: Limits) -> dict[str, object]:
        """What `/info` says, with the keys of Text Embeddings Inference."""
        names = {str(number): label for number, label in enumerate(self.labels)}
        kind = "token_classifier" if isinstance(self.first, SpanPrediction) else "classifier"
        return {
            "model_id": self.name,
            "model_type": {kind: {"id2label": names, "label2id": {label: int(n) for n, label in names.items()}}},
            "max_input_length": self.reach.tokens if self.reach else None,
            "max_client_batch_size": limits.texts,
            "auto_truncate": True,
        }
