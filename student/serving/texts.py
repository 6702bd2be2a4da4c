"""What users hand in as texts: lists, iterators, columns of pandas, Arrow and `datasets`."""

from collections.abc import Iterable, Iterator, Mapping

from ...tasks.base import clean
from ...tasks.errors import ConfigError

NAMED = 3
"""Places of values that are no text which an error names."""


def each_value(texts: object) -> Iterator[object]:
    """The values of a column, one after the other, as Python has them.

    Raises:
        ConfigError: a single text, a whole table, or nothing that has values.
    """
    columns = getattr(texts, "column_names", getattr(texts, "columns", None))
    if isinstance(texts, Mapping) or columns is not None:
        names = ", ".join(str(name) for name in (texts if columns is None else columns))  # type: ignore[union-attr]
        raise ConfigError(
            f'predict takes one column, not a whole {type(texts).__name__}: predict(table["text"]). '
            f"Its columns: {names[:200] or 'none'}."
        )
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise ConfigError(
            f"predict takes a list of strings, not {texts!r:.60}. Of a single text make one: predict([text])."
        )
    return (value.as_py() if hasattr(value, "as_py") else value for value in texts)  # a scalar of Arrow


def checked(texts: object) -> list[str]:
    """All texts, without halves of characters, which no tokenizer can read.

    Raises:
        ConfigError: some are none (None, NaN, numbers): how many, and where the first are.
    """
    values = list(each_value(texts))
    wrong = [place for place, value in enumerate(values) if not isinstance(value, str)]
    if wrong[1:]:
        first = ", ".join(map(str, wrong[:NAMED])) + (", ..." if wrong[NAMED:] else "")
        raise no_text(wrong[0], values[wrong[0]], f", like {len(wrong)} of {len(values)} values (first at {first})")
    if wrong:
        raise no_text(wrong[0], values[wrong[0]])
    return [clean(value) for value in values if isinstance(value, str)]


def no_text(place: int, value: object, among: str = "") -> ConfigError:
    """What to say of a value that is no text, and of how many others."""
    advice = (
        'Leave such rows out, table["text"].dropna(), or give them a text, .fillna("").'
        if str(value).lower() in ("none", "nan", "nat", "<na>")
        else 'Take the column that holds the texts, or turn it into strings, table["text"].astype(str).'
    )
    kind = type(value).__name__
    return ConfigError(f"text {place} (counted from 0) is {value!r:.60}, a {kind}, not a string{among}. {advice}")
