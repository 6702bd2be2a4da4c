"""Whether an exported student says the same: two sets of predictions, compared on texts that had no say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ...tasks.base import Frozen, Label, Prediction, text_id

CLOSE = 1e-4
"""Most that a logit in float32 may differ from torch's."""

AGREEING = 0.995
"""Share of texts on which int8 must give torch's answer."""

LOST = 0.005
"""Most that the score may fall under int8."""

CHOSEN = 0.9975
"""Share of agreement for which a way to int8 is chosen: stricter, as it is judged on other texts once."""

ENOUGH = 100
"""Texts below which agreement of 99.5 % cannot be told from 98 %."""

MOST_CHOOSING, MOST_JUDGING = 500, 1000

Score = tuple[float, float]


@dataclass(frozen=True)
class Trial:
    """Texts to choose a way to int8 by, others to judge it by, and the labels that are known."""

    choosing: list[str]
    judging: list[str]
    gold: Mapping[str, Label]
    """Text -> its label."""
    points: Callable[[Label, Label], tuple[float, float]]
    """What an answer adds to numerator and denominator of the score, as `Task.points` has it."""

    @classmethod
    def split(
        cls, texts: Sequence[str], gold: Mapping[str, Label], points: Callable[[Label, Label], tuple[float, float]]
    ) -> Self:
        """A quarter of the distinct texts to choose by, the others to judge by, in the order of their hashes."""
        ordered = [text for _, text in sorted({text_id(text): text for text in texts}.items())]
        count = min(len(ordered) // 4, MOST_CHOOSING)
        return cls(ordered[:count], ordered[count : count + MOST_JUDGING], gold, points)

    def score(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> float | None:
        """The score on the texts whose label is known, None if there are none."""
        pairs = zip(texts, predictions, strict=True)
        found = [self.points(self.gold[text], said.label) for text, said in pairs if text in self.gold]
        whole = sum(size for _, size in found)
        return sum(got for got, _ in found) / whole if whole else None


class Comparison(Frozen):
    """A student under another runtime or in other numbers, against itself under torch."""

    texts: int
    labelled: int
    """Of the texts, those whose label is known."""
    agreement: float
    """Share of the texts with the same answer."""
    score: float | None
    score_torch: float | None

    @property
    def is_faithful(self) -> bool:
        """Whether it may take the place of the student."""
        lost = (self.score_torch or 0.0) - (self.score or 0.0)
        return self.agreement >= AGREEING and lost <= LOST

    def __str__(self) -> str:
        """The figures in words."""
        told = f"agrees with torch on {self.agreement:.2%} of {self.texts} texts"
        if self.score is None or self.score_torch is None:
            return told
        return f"{told}, score {self.score:.4f} against {self.score_torch:.4f} ({self.labelled} with a label)"


class Quantised(Frozen):
    """What became of the network in int8."""

    way: str
    """How it was made."""
    chosen_by: Comparison
    judged: Comparison | None = None
    """On texts that had no say; None where no way came so far."""
    megabytes: float


class Parity(Frozen):
    """What `parity.json` says of an exported student.

    Examples:
        >>> parity = evokd.Parity(difference=2e-6, texts=300, megabytes=98.0, refused="no layer can be quantised")
        >>> parity.int8 is None
        True
    """

    difference: float
    """Largest difference of a logit between float32 under ONNX Runtime and torch."""
    texts: int
    """Texts on which it was measured, beside rows of 1 and 64 texts and of every extreme of length."""
    megabytes: float
    """Of the network in float32."""
    int8: Quantised | None = None
    """The last way to int8 that was tried."""
    refused: str = ""
    """Why there is no network in int8; empty where there is one."""


def compare(trial: Trial, texts: Sequence[str], torch: Sequence[Prediction], other: Sequence[Prediction]) -> Comparison:
    """Count on how many texts two runtimes give the same answer, and score both."""
    same = sum(a.label == b.label for a, b in zip(torch, other, strict=True))
    return Comparison(
        texts=len(texts),
        labelled=sum(text in trial.gold for text in texts),
        agreement=same / len(texts) if texts else 1.0,
        score=trial.score(texts, other),
        score_torch=trial.score(texts, torch),
    )
