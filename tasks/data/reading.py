"""The user's examples and texts, read whole or refused whole: one error names every bad row."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base import SHOWN, BadCell, Example, Label, Split, text_id, unspaced
from ..errors import ConfigError
from ..kinds.label_names import first_of
from ..task import Task
from . import exports
from .problems import LISTED, Problems, Row, shown
from .rows import rows

log = logging.getLogger(__name__)

Columns = tuple[str, ...]
"""What is read of a row: the column of the text, and that of the label."""

DEFAULT = (("text", "label"),)


OTHER_NAMES = "Columns of other names are named under [data]: text = ..., label = ..."

HUB_SPLIT: dict[Split, str] = {
    "seed": "train",
    "train": "train",
    "gate": "validation",
    "dev": "validation",
    "test": "test",
}
"""The split of a Hugging Face data set that is read where the source names none."""


def read_examples(
    source: str, task: Task, split: Split, *, text: str | None = None, label: str | None = None, base: Path
) -> list[Example]:
    """Read labelled examples, in the order of the source; a row that stands there twice is kept once.

    A text with two labels is refused among seeds, where one of them would teach the wrong thing. Elsewhere, as public
    test files have a few, it is left out and told.

    Args:
        source: a .jsonl, .csv, .tsv, .parquet or CoNLL file, or `hf:org/name`, with
            `:split` or `:configuration:split` after it.
        task: says which labels there are, and in which columns they may be.
        split: what the examples are for.
        text: the column of the text, a string or a list of tokens; None for the first of the task's that is there.
        label: the column of the label; None likewise.
        base: the folder that a relative path starts from.

    Raises:
        ConfigError: the source cannot be read, is empty, or has bad rows (the first ten are named).
    """
    problems = Problems(source)
    pairs = _distinct([(text or one, label or other) for one, other in task.columns])
    kept: dict[str, tuple[str, Example]] = {}
    disputed, repeated, out = Problems(source), 0, Counter[str]()
    undecided: set[str] = set()
    for place, values in rows(source, base, problems, HUB_SPLIT[split]):
        if reason := exports.left_out(values, pairs):
            out[reason] += 1
            continue
        example = _example((place, values), task, split, pairs, problems)
        if example is None:
            continue
        first_place, first = kept.setdefault(example.id, (place, example))
        if first.label != example.label:
            said, again = (task.say(each.text, each.label) for each in (first, example))
            both = f"{shown(said)} at {first_place}, {shown(again)} here"
            told = f"the same text has two labels ({both}): {shown(example.text)}"
            (problems if split == "seed" else disputed).add(place, told)
            undecided.add(example.id)
        elif first_place != place:
            repeated += 1
    problems.refuse()
    found = [example for _, example in kept.values() if example.id not in undecided]
    if not found:
        disputed.refuse()
        raise ConfigError(f"{source}: has no rows. Give at least one with {_columns(pairs)}.")
    if disputed.found:
        log.warning("%s. Texts with two labels, left out: %d.", disputed.told(), len(undecided))
    _tell_repeated(source, repeated)
    _tell_left_out(source, out)
    if split == "seed":
        _tell_long(source, found)
    return found


def read_texts(
    source: str, task: Task | None = None, *, text: str | None = None, base: Path, each_once: bool = True
) -> list[str]:
    """Read unlabelled texts (the pool), each once unless told otherwise, in the order of the source.

    Args:
        source: as for `read_examples`.
        task: names the columns the text may be in; without one it is `text`.
        text: the column of the text; None for the first of the task's that is there.
        base: the folder that a relative path starts from.
        each_once: leave out a text that was there before.

    Raises:
        ConfigError: as for `read_examples`.
    """
    problems = Problems(source)
    pairs = _distinct([(text or one,) for one, _ in (task.columns if task else DEFAULT)])
    kept: list[str] = []
    seen, repeated, out = set[str](), 0, Counter[str]()
    for place, values in rows(source, base, problems):
        try:
            values = exports.unwrapped(values)
            (column,) = _present(values, pairs)
            if values[column] == [] and each_once:
                out[exports.NO_TOKENS] += 1
                continue
            found = _text(values, column)
        except ValueError as error:
            problems.add(place, str(error), getattr(error, "hint", ""))
            continue
        if each_once and text_id(found) in seen:
            repeated += 1
            continue
        seen.add(text_id(found))
        kept.append(found)
    problems.refuse()
    if not kept:
        raise ConfigError(f"{source}: has no rows. Give at least one with {_columns(pairs)}.")
    _tell_repeated(source, repeated)
    _tell_left_out(source, out)
    return kept


def check_seeds(examples: Sequence[Example], task: Task) -> None:
    """Refuse seeds that leave a label without an example.

    Raises:
        ConfigError: names the labels.
    """
    there = {name for example in examples for name in task.names(example.label)}
    missing = [name for name in task.labels if name not in there]
    if missing:
        raise ConfigError(f"No seed example has the label {_listed(missing)}. Add at least one for every label.")


def overlaps(a: Sequence[Example], b: Sequence[Example]) -> list[Example]:
    """The examples of `b` whose text is also in `a`, white space apart."""
    known = {unspaced(example.text) for example in a}
    return [example for example in b if unspaced(example.text) in known]


def check_apart(a: Sequence[Example], b: Sequence[Example]) -> None:
    """Refuse two splits that share a text, since a student is never tested on what it may learn from.

    Raises:
        ConfigError: names the splits and the texts.
    """
    shared = overlaps(a, b)
    if shared:
        texts = _listed([shown(example.text) for example in shared], quoted=True)
        raise ConfigError(
            f"{len(shared)} of the {len(b)} {b[0].split!r} texts are also in {a[0].split!r}: {texts}. "
            "Remove them from one of the two."
        )


def _example(row: Row, task: Task, split: Split, pairs: Sequence[Columns], problems: Problems) -> Example | None:
    place, values = row
    try:
        values = exports.plain(values, task.labels, pairs)
        text_column, label_column = _present(values, pairs)
        text = _text(values, text_column)
        return Example(text=text, label=_label(values, label_column, text, task), split=split)
    except ValueError as error:
        problems.add(place, str(error), getattr(error, "hint", ""))
        return None


def _text(values: Mapping[str, Any], column: str) -> str:
    """The text of a row.

    Raises:
        ValueError: there is none that can be used; the message says why.
    """
    text = values[column]
    if isinstance(text, list | tuple) and text and all(isinstance(token, str) for token in text):
        text = _joined(text, column)
    if not isinstance(text, str):
        raise ValueError(f"{column!r} is not a text but {shown(text)}")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError(f"{column!r} has a broken character (half of a surrogate pair): {shown(text)}")
    if not any(char.isprintable() and not char.isspace() for char in text):
        raise ValueError(f"{column!r} is empty: {shown(text)}")
    return text


def _joined(tokens: Sequence[str], column: str) -> str:
    """Tokens as a text with single spaces, so that tags keep their places.

    Raises:
        ValueError: a token is empty or has a space in it.
    """
    for token in tokens:
        if not token or " " in token:
            raise ValueError(f"{column!r} has a token that is empty or has a space in it: {shown(token)}")
    return " ".join(tokens)


def _label(values: Mapping[str, Any], column: str, text: str, task: Task) -> Label:
    """The label of a row.

    Raises:
        BadCell: it does not fit the task or the text; the message says why, in the user's words.
    """
    try:
        return task.gold(text, values[column])
    except ValueError as error:
        raise BadCell(f"{column!r} {error}", getattr(error, "hint", "")) from None


def _present(values: Mapping[str, Any], pairs: Sequence[Columns]) -> Columns:
    """The first columns that a row has, all of them.

    Raises:
        BadCell: it has none; the message names what is missing and what is there.
    """
    for columns in pairs:
        if all(column in values for column in columns):
            return columns
    missing = next(column for column in pairs[0] if column not in values) if len(pairs) == 1 else None
    what = repr(missing) if missing else _columns(pairs)
    raise BadCell(f"there is no {what}; the row has {_listed(list(values)) or 'nothing'}", OTHER_NAMES)


def _columns(pairs: Sequence[Columns]) -> str:
    """Columns for an error text: 'text' and 'spans', or 'tokens' and 'tags'."""
    return ", or ".join(" and ".join(repr(column) for column in columns) for columns in pairs)


def _distinct(pairs: Sequence[Columns]) -> list[Columns]:
    return list(dict.fromkeys(pairs))


def _listed(names: Sequence[str], most: int = LISTED, quoted: bool = False) -> str:
    return first_of(names if quoted else [shown(name) for name in names], most)


def _tell_repeated(source: str, repeated: int) -> None:
    if repeated:
        log.warning("%s: %d rows repeat a text that was there before; each is kept once.", source, repeated)


def _tell_left_out(source: str, out: Mapping[str, int]) -> None:
    if out:
        told = ", ".join(f"{count} {reason}" for reason, count in out.items())
        log.warning("%s: rows left out: %s.", source, told)


def _tell_long(source: str, seeds: Sequence[Example]) -> None:
    lengths = [len(example.text) for example in seeds if len(example.text) > SHOWN]
    if lengths:
        log.warning(
            "%s: %d of %d texts have more than %d characters (the longest %d). Prompts show the beginning of each.",
            source, len(lengths), len(seeds), SHOWN, max(lengths),
        )  # fmt: skip
