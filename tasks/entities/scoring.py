"""How right spans are: strictly by type and place, and where the errors lie."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..base import Label, Prediction, Span
from ..task import Points

NOTHING = "nothing"
SHIFTED = ", other boundary"

Spans = tuple[Span, ...]


class Counts(NamedTuple):
    """What a scheme counts: right ones, gold ones and predictions that nothing touches, and all of both sides."""

    correct: int = 0
    missed: int = 0
    spurious: int = 0
    gold: int = 0
    said: int = 0

    @classmethod
    def of(cls, result: Any) -> "Counts":
        """The counts in a result of nervaluate."""
        return cls(result.correct, result.missed, result.spurious, result.possible, result.actual)


def spans_of(label: Label) -> Spans:
    """The spans that a label is.

    Raises:
        ValueError: it is a label of another kind of task.
    """
    spans = tuple(each for each in label if isinstance(each, Span))
    if isinstance(label, str) or len(spans) != len(label):
        raise ValueError(f"{str(label)[:80]!r} is not a tuple of spans.")
    return spans


def points(gold: Spans, predicted: Spans) -> Points:
    """Strict micro F1: 2 tp, and 2 tp + fp + fn."""
    right = len(set(gold) & set(predicted))
    return 2.0 * right, float(len(gold) + len(predicted))


def mistakes(gold: Spans, predicted: Spans) -> tuple[tuple[str, str], ...]:
    """Each wrong span once, as (what is there, what was said): beside its gold span where they touch."""
    missed = [span for span in gold if span not in predicted]
    spurious = [span for span in predicted if span not in gold]
    pairs: list[tuple[str, str]] = []
    for span in tuple(missed):
        touching = [other for other in spurious if other.start < span.end and span.start < other.end]
        if touching:
            said = max(touching, key=lambda other: (_is_same_place(span, other), span.type == other.type))
            pairs.append((span.type, said.type if _is_same_place(span, said) else said.type + SHIFTED))
            missed.remove(span)
            spurious.remove(said)
    return (*pairs, *((span.type, NOTHING) for span in missed), *((NOTHING, span.type) for span in spurious))


def score(gold: Sequence[Spans], predicted: Sequence[Spans], types: Sequence[str]) -> dict[str, float]:
    """Strict micro F1 first, then where the errors lie; all in [0, 1], counted by nervaluate (SemEval 2013, 9.1).

    `f1_boundary` asks for the place alone, `f1_type` for the type of spans that touch; `missed` is the share of gold
    spans that no prediction touches, `spurious` that of predictions that touch no gold span. F1, precision and recall
    are 1 where there is nothing to find and nothing was said. A type that occurs in neither has no score.
    """
    strict, exact, typed, by_type = _counted(gold, predicted, types)
    return {
        "f1": _f1(strict),
        "precision": _ratio(strict.correct, strict.said, empty=float(not strict.gold)),
        "recall": _ratio(strict.correct, strict.gold, empty=float(not strict.said)),
        "f1_boundary": _f1(exact),
        "f1_type": _f1(typed),
        "missed": _ratio(strict.missed, strict.gold, empty=0.0),
        "spurious": _ratio(strict.spurious, strict.said, empty=0.0),
        **{key: value for name in types if name in by_type for key, value in _of_type(name, by_type[name]).items()},
    }


def _of_type(name: str, counts: Counts) -> dict[str, float]:
    return {
        f"f1 {name}": _f1(counts),
        f"precision {name}": _ratio(counts.correct, counts.said, empty=float(not counts.gold)),
        f"recall {name}": _ratio(counts.correct, counts.gold, empty=float(not counts.said)),
    }


def of_predictions(predictions: Sequence[Prediction]) -> list[Spans]:
    """The predicted spans."""
    return [spans_of(prediction.label) for prediction in predictions]


def _counted(
    gold: Sequence[Spans], predicted: Sequence[Spans], types: Sequence[str]
) -> tuple[Counts, Counts, Counts, dict[str, Counts]]:
    """Counts of the strict, the boundary and the type scheme, and the strict ones of each type."""
    from nervaluate import Evaluator  # type: ignore[import-untyped, unused-ignore]

    pairs = [(g, p) for g, p in zip(gold, predicted, strict=True) if g or p]
    if not pairs:
        return Counts(), Counts(), Counts(), {}
    true, said = ([[_entity(span) for span in spans] for spans in side] for side in zip(*pairs, strict=True))
    counted = Evaluator(true, said, tags=list(types), loader="dict").evaluate()
    overall = {name: Counts.of(result) for name, result in counted["overall"].items()}
    each = {name: Counts.of(schemes["strict"]) for name, schemes in counted["entities"].items()}
    return overall["strict"], overall["exact"], overall["ent_type"], each


def _entity(span: Span) -> dict[str, object]:
    # nervaluate names the last character of a span, not the one after it.
    return {"label": span.type, "start": span.start, "end": span.end - 1}


def _f1(counts: Counts) -> float:
    return _ratio(2 * counts.correct, counts.gold + counts.said, empty=1.0)


def _ratio(top: int, bottom: int, empty: float) -> float:
    return top / bottom if bottom else empty


def _is_same_place(a: Span, b: Span) -> bool:
    return (a.start, a.end) == (b.start, b.end)
