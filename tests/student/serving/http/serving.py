"""Students of words behind the app, for tests of it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient

from evokd.student.serving.http.app import make_app
from evokd.student.serving.http.limits import Limits
from evokd.student.serving.http.reach import Reach
from evokd.student.serving.http.served import Served
from evokd.tasks.base import Example, Prediction, Span
from evokd.testing import WordLabelsStudent, WordSpansStudent, WordStudent, world


def labels() -> WordStudent:
    """One of four labels."""
    student = WordStudent(list(world.VOCABULARY))
    student.fit([Example(text=text, label=label) for label, text in world.SEEDS.items()])
    return student


def several() -> WordLabelsStudent:
    """Several labels."""
    student = WordLabelsStudent(["price", "speed"])
    student.fit([Example(text="cheap", label=("price",)), Example(text="slow", label=("speed",))])
    return student


def entities() -> WordSpansStudent:
    """Places and persons."""
    student = WordSpansStudent(["LOC", "PER"])
    spans = (Span(start=0, end=4, type="PER"), Span(start=13, end=18, type="LOC"))
    student.fit([Example(text="Anna went to Paris", label=spans)] * 9)
    return student


class Broken(WordStudent):
    """Fails on texts that say so, and is held while its gate is closed."""

    def __init__(self) -> None:
        super().__init__(["a", "b"])
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Fail on `boom`, forget an answer on `lose`, have no number for `nan`."""
        self.batches.append(list(texts))
        self.entered.set()
        self.gate.wait(30)
        if "boom" in texts:
            raise RuntimeError("secret of the model")
        if "nan" in texts:
            nan = float("nan")
            return [Prediction(label="a", probability=nan, probabilities={"a": nan, "b": nan}) for _ in texts]
        return super().predict(texts)[1 if "lose" in texts else 0 :]


@contextmanager
def client(
    model: Any = None, limits: Limits | None = None, token: str | None = None, reach: Reach | None = None
) -> Iterator[TestClient]:
    """A client of a server with that student."""
    served = Served.warmed("small", model or labels(), reach)
    with TestClient(make_app(served, limits or Limits(), token)) as found:
        yield found
