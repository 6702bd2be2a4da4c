"""The user's examples and texts, read whole or refused whole: one error names every bad row."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.base import Example, Split, Task, normalise, text_id
from tasks.errors import ConfigError
from tasks.rows import LISTED, Problems, Row, rows, shown

log = logging.getLogger(__name__)

HUB_SPLIT: dict[Split, str] = {
    "seed": "train",
    "train": "train",
    "gate": "validation",
    "dev": "validation",
    "test": "test",
}
"""The split of a Hugging Face data set that is read where the source names none."""


def read_examples(
    source: str, task: Task, split: Split, *, text: str = "text", label: str = "label", base: Path
) -> list[Example]:
    """Read labelled examples, in the order of the source; a row that stands there twice is kept once.

    Args:
        source: a .jsonl, .csv, .tsv or .parquet file, or `hf:org/name` or `hf:org/name:split`.
        task: says which labels there are.
        split: what the examples are for.
        text: the column of the text.
        label: the column of the label.
        base: the folder that a relative path starts from.

    Raises:
        ConfigError: the source cannot be read, is empty, or has bad rows (the first ten are named).
    """
    problems = Problems(source)
    kept: dict[str, tuple[str, Example]] = {}
    repeated = 0
    for place, values in rows(source, base, problems, HUB_SPLIT[split]):
        example = _example((place, values), task, split, (text, label), problems)
        if example is None:
            continue
        first_place, first = kept.setdefault(example.id, (place, example))
        if first.label != example.label:
            both = f"{first.label!r} at {first_place}, {example.label!r} here"
            problems.add(place, f"the same text has two labels ({both}): {shown(example.text)}")
        elif first_place != place:
            repeated += 1
    problems.refuse()
    if not kept:
        raise ConfigError(f"{source}: has no rows. Give at least one with {text!r} and {label!r}.")
    _tell_repeated(source, repeated)
    return [example for _, example in kept.values()]


def read_texts(source: str, *, text: str = "text", base: Path) -> list[str]:
    """Read unlabelled texts (the pool), each once, in the order of the source.

    Raises:
        ConfigError: as for `read_examples`.
    """
    problems = Problems(source)
    kept: dict[str, str] = {}
    repeated = 0
    for place, values in rows(source, base, problems):
        try:
            found = _text(values, text)
        except ValueError as error:
            problems.add(place, str(error))
            continue
        repeated += text_id(found) in kept
        kept.setdefault(text_id(found), found)
    problems.refuse()
    if not kept:
        raise ConfigError(f"{source}: has no rows. Give at least one with {text!r}.")
    _tell_repeated(source, repeated)
    return list(kept.values())


def check_seeds(examples: Sequence[Example], task: Task) -> None:
    """Refuse seeds that leave a class without an example.

    Raises:
        ConfigError: names the classes.
    """
    there = {example.label for example in examples}
    missing = [name for name in task.labels if name not in there]
    if missing:
        raise ConfigError(f"No seed example has the label {_listed(missing)}. Add at least one for every label.")


def overlaps(a: Sequence[Example], b: Sequence[Example]) -> list[Example]:
    """The examples of `b` whose normalised text is also in `a`."""
    known = {normalise(example.text) for example in a}
    return [example for example in b if normalise(example.text) in known]


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


def _example(row: Row, task: Task, split: Split, columns: tuple[str, str], problems: Problems) -> Example | None:
    place, values = row
    try:
        return Example(text=_text(values, columns[0]), label=_label(values, columns[1], task), split=split)
    except ValueError as error:
        problems.add(place, str(error))
        return None


def _text(values: Mapping[str, Any], column: str) -> str:
    """The text of a row.

    Raises:
        ValueError: there is none that can be used; the message says why.
    """
    text = _cell(values, column)
    if not isinstance(text, str):
        raise ValueError(f"{column!r} is not a text but {shown(text)}")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError(f"{column!r} has a broken character (half of a surrogate pair): {shown(text)}")
    if not any(char.isprintable() and not char.isspace() for char in text):
        raise ValueError(f"{column!r} is empty: {shown(text)}")
    return text


def _label(values: Mapping[str, Any], column: str, task: Task) -> str:
    """The label of a row. A whole number counts where its digits are a label (stars: 1 to 5).

    Raises:
        ValueError: it is not one of the task; the message lists those.
    """
    label = _cell(values, column)
    name = str(label) if isinstance(label, int) and not isinstance(label, bool) else label
    try:
        return task.read("", name)
    except ValueError:
        # Told in the user's words; the task's own are for the teacher, who may also drop a text.
        allowed = _listed(list(task.labels), most=30)
        raise ValueError(f"{column!r} is {shown(label)}, which is not one of: {allowed}") from None


def _cell(values: Mapping[str, Any], column: str) -> object:
    if column not in values:
        raise ValueError(f"there is no {column!r}; the row has {_listed(list(values)) or 'nothing'}")
    return values[column]


def _listed(names: Sequence[str], most: int = LISTED, quoted: bool = False) -> str:
    shown_names = [name if quoted else shown(name) for name in names[:most]]
    return ", ".join(shown_names) + (f" and {len(names) - most} more" if len(names) > most else "")


def _tell_repeated(source: str, repeated: int) -> None:
    if repeated:
        log.warning("%s: %d rows repeat a text that was there before; each is kept once.", source, repeated)
