"""Spans of a text as tags of its words and back, and what a student says about spans."""

from collections.abc import Sequence

from pydantic import JsonValue

from ..base import Frozen, Prediction, Span

OUTSIDE = "O"

Place = tuple[int, int]
"""Start and end of a word, in characters of the text."""


class Word(Frozen):
    """One word of a text under a student: where it stands, and the probability of every tag."""

    start: int
    end: int
    shares: dict[str, float]


class SpanPrediction(Prediction):
    """A student's spans of one text.

    `label` holds the spans in the order of the text; `probability` is that of the whole tagging, taking words as
    independent; `probabilities` is empty.
    """

    certainty: tuple[float, ...] = ()
    """Probability of each span: of its least sure word."""
    words: tuple[Word, ...] = ()

    @property
    def margin(self) -> float:
        """The least distance between the two most probable tags of a word; 1 for a text without words."""
        ranked = (sorted(word.shares.values(), reverse=True)[:2] for word in self.words)
        return min((first - second for first, second in ranked), default=1.0)

    def row(self, text: str) -> dict[str, JsonValue]:
        """The spans with their text, their offsets in characters and their probability."""
        spans = [span for span in self.label if isinstance(span, Span)]
        return {
            "spans": [
                {**span.model_dump(), "text": text[span.start : span.end], "probability": round(certainty, 4)}
                for span, certainty in zip(spans, self.certainty, strict=True)
            ]
        }


def tags_of(types: Sequence[str]) -> list[str]:
    """The tags of the BIO scheme for these types, outside first."""
    return [OUTSIDE, *(f"{prefix}-{name}" for name in types for prefix in ("B", "I"))]


def encode(spans: Sequence[Span], words: Sequence[Place]) -> list[str]:
    """The tag of each word. A word belongs to the span that covers any part of it, the earlier of two."""
    tags = [OUTSIDE] * len(words)
    for span in sorted(spans, key=lambda each: each.start):
        touched = [i for i, (start, end) in enumerate(words) if start < span.end and end > span.start]
        free = [i for i in touched if tags[i] == OUTSIDE]
        for number, i in enumerate(free):
            tags[i] = f"{'I' if number else 'B'}-{span.type}"
    return tags


def decode(tags: Sequence[str], words: Sequence[Place]) -> list[tuple[Span, list[int]]]:
    """The spans that the tags make, each with the numbers of its words.

    An `I` that continues nothing of its type begins a span, as students write it and as CoNLL's IOB1 does.
    """
    found: list[tuple[str, list[int]]] = []
    before = OUTSIDE
    for i, tag in enumerate(tags):
        prefix, _, name = tag.partition("-")
        if tag == OUTSIDE:
            before = OUTSIDE
            continue
        if prefix == "I" and before == name:
            found[-1][1].append(i)
        else:
            found.append((name, [i]))
        before = name
    return [(Span(start=words[own[0]][0], end=words[own[-1]][1], type=name), own) for name, own in found]
