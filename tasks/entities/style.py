"""How texts with entities look in reality, as rules for whoever writes more of them."""

from collections.abc import Sequence

from ..base import Example

ENOUGH = 20
"""Texts from which a share is believed."""

USUAL = 2.0
"""Names in a text that has any, where the seeds are too few to tell: 2.2 in CoNLL-2003, 2.0 in MIT Restaurant, 1.5 in
WNUT-17. A teacher that is told "one or two" writes 1.5, and the student learns from a third fewer names."""

DOUBT = 4
"""Seeds that weigh as much as what is usual."""

RAREST = 50
"""A shape that fewer than one in so many texts has is not worth a rule."""

LETTERS_OF_A_ROW = 0.4
"""A table row has so large a share of words without a letter, or more,"""

LOWER_OF_A_ROW = 0.25
"""and at most such a share of words in lower case."""


def rules(seeds: Sequence[Example], texts: Sequence[str]) -> str:
    """Rules on lines of their own: entities in a text, texts in capitals, rows of tables.

    Args:
        seeds: the user's labelled texts; how many entities a text has is told from these alone.
        texts: the user's unlabelled ones.
    """
    lines = [_density(seeds)]
    known = [*(seed.text for seed in seeds), *texts]
    if len(known) >= ENOUGH:
        shapes = [shape(text) for text in known]
        lines += _one_in(shapes.count("capitals"), len(known), "is a headline or line all in capitals")
        row = "looks like a row of a table: names and numbers, few other words"
        lines += _one_in(shapes.count("row"), len(known), row)
    return "\n".join(lines)


def shape(text: str) -> str:
    """`capitals`, `row` or `sentence`."""
    words = text.split()
    lower = sum(word[:1].islower() for word in words)
    bare = sum(not any(char.isalpha() for char in word) for word in words)
    if words and bare >= LETTERS_OF_A_ROW * len(words) and lower <= LOWER_OF_A_ROW * len(words):
        return "row"
    return "capitals" if text.isupper() and sum(char.isalpha() for char in text) > 1 else "sentence"


def _density(seeds: Sequence[Example]) -> str:
    """Of texts that have any: those without are asked for on their own."""
    filled = [len(seed.label) for seed in seeds if seed.label]
    usual = (sum(filled) + DOUBT * USUAL) / (len(filled) + DOUBT)
    return f"Where a text has names: {usual:.1f} on average, one in many texts and twice the average in some."


def _one_in(count: int, total: int, what: str) -> list[str]:
    if count * RAREST < total:
        return []
    every = round(total / count)
    return [f"About one in {every} real texts {what}." if every > 1 else f"Nearly every real text {what}."]
