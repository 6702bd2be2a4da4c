"""Predictions as clients of Text Embeddings Inference and of Hugging Face's pipelines know them."""

import math

from pydantic import BaseModel

from ....tasks.base import Prediction, Span
from ....tasks.entities.tags import SpanPrediction
from .problems import Problem, invalid

SMALLEST = 1e-12
"""Probability that counts as the least: of zero there is no logarithm, and JSON has no infinity."""


class Score(BaseModel):
    """One label of a text."""

    label: str
    score: float
    chosen: bool | None = None
    """Of several labels: whether the text has it, by the student's own threshold."""


class Entity(BaseModel):
    """One entity of a text, as Hugging Face's token classification pipeline gives it: `text[start:end]` is `word`."""

    entity_group: str
    score: float
    word: str
    start: int
    end: int


class Refusal(BaseModel):
    """Why there are no predictions."""

    error: str
    error_type: str


Answer = list[dict[str, str | float | bool]]


def answer_of(prediction: Prediction, text: str, raw: bool) -> Answer:
    """What is said about one text: entities in its order, or all labels, the most probable first.

    Raises:
        Problem: raw scores of entities are asked for (422), or a score is not a number (424).
    """
    if isinstance(prediction, SpanPrediction):
        if raw:
            raise invalid("raw_scores is for labels; this student finds entities.")
        answer = _entities(prediction, text)
    else:
        answer = _scores(prediction, raw)
    if not all(math.isfinite(each["score"]) for each in answer if isinstance(each["score"], float)):
        raise Problem(424, "backend", "the student's score is not a number.")
    return answer


def _entities(prediction: SpanPrediction, text: str) -> Answer:
    spans = [each for each in prediction.label if isinstance(each, Span)]
    return [
        {
            "entity_group": span.type,
            "score": float(score),
            "word": text[span.start : span.end],
            "start": span.start,
            "end": span.end,
        }
        for span, score in zip(spans, prediction.certainty, strict=True)
    ]


def _scores(prediction: Prediction, raw: bool) -> Answer:
    several = not isinstance(prediction.label, str)
    ranked = sorted(prediction.probabilities.items(), key=lambda each: -each[1])
    rows: Answer = []
    for label, share in ranked:
        row: dict[str, str | float | bool] = {"label": label, "score": _raw(share, several) if raw else float(share)}
        rows.append({**row, "chosen": label in prediction.label} if several else row)
    return rows


def _raw(share: float, several: bool) -> float:
    """The score before the sigmoid, or before the softmax up to a constant, which the softmax takes away."""
    kept = min(max(share, SMALLEST), 1 - SMALLEST) if several else max(share, SMALLEST)
    return math.log(kept) - (math.log1p(-kept) if several else 0.0)
