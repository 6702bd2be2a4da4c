"""Rows as labelling tools export them (Prodigy, doccano, Label Studio, spaCy), in the form that tasks read."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..base import BadCell
from ..kinds.label_lists import list_in_text
from .problems import shown

NO_TOKENS = "without tokens"

ANSWERS = {"reject": "rejected in Prodigy", "ignore": "ignored in Prodigy"}
"""What Prodigy's `answer` says of a row that is no example -> how it is told; `accept` says that it is one."""

SET = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False, "": False}
"""What stands in the column of a label -> whether the row has it."""


def plain(values: Mapping[str, Any], labels: Collection[str], columns: Sequence[Sequence[str]]) -> Mapping[str, Any]:
    """The row with its text and its label in columns of their own.

    Args:
        values: the row, by column.
        labels: of the task.
        columns: pairs of a text's and a label's column that are looked for.

    Raises:
        BadCell: the tool's form is known, and says nothing certain; the message says what to do.
    """
    if isinstance(values.get("data"), Mapping) and isinstance(values.get("annotations"), list):
        return _of_label_studio(values)
    if any(all(column in values for column in pair) for pair in columns):
        return {column: _tokens(value) if column == "tokens" else _choices(value) for column, value in values.items()}
    if "paragraphs" in values:
        raise BadCell("is spaCy 2's training format", "Write the JSON of every `doc.to_json()` on a line of a .jsonl")
    text, label = columns[0][0], columns[0][-1]
    if text not in values:
        return values
    if isinstance(values.get("options"), list) and isinstance(values.get("accept"), list):
        return {**values, label: values["accept"]}
    if label == "spans" and isinstance(values.get("ents"), list):  # spaCy's `Doc.to_json`
        return {**values, label: values["ents"]}
    if isinstance(values.get("cats"), Mapping):
        return {**values, label: _set(values["cats"])}
    if labels and all(name in values for name in labels):
        return {**values, label: _set({name: values[name] for name in labels})}
    return values


def unwrapped(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row that a task of Label Studio is about, for its text alone; any other row as it is."""
    return values["data"] if isinstance(values.get("data"), Mapping) and "annotations" in values else values


def left_out(values: Mapping[str, Any], columns: Sequence[Sequence[str]]) -> str | None:
    """Why a row is no example although nothing is wrong with it; None for all others."""
    if "answer" not in {column for pair in columns for column in pair} and values.get("answer") in ANSWERS:
        return ANSWERS[values["answer"]]
    if isinstance(values.get("data"), Mapping) and isinstance(values.get("annotations"), list):
        return None if _annotations(values) else "without an annotation"
    there = next((pair for pair in columns if all(column in values for column in pair)), None)
    return NO_TOKENS if there and all(values[column] == [] for column in there) else None


def _of_label_studio(values: Mapping[str, Any]) -> Mapping[str, Any]:
    given = _annotations(values)
    if len(given) != 1:
        raise BadCell(f"has {len(given)} annotations of Label Studio", "Keep one annotation for each text")
    found = [each["value"] for each in given[0]["result"] if isinstance(each.get("value"), Mapping)]
    chosen = [value["choices"] for value in found if "choices" in value]
    spans = [value for value in found if "labels" in value]
    return {**values["data"], "label": [name for names in chosen for name in names] if chosen else spans}


def _annotations(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The annotations of a task of Label Studio that were not skipped."""
    return [
        each
        for each in values["annotations"]
        if isinstance(each, Mapping) and isinstance(each.get("result"), list) and not each.get("was_cancelled")
    ]


def _choices(value: object) -> object:
    """The names in `{"choices": [...]}`, as Label Studio's short form has several."""
    return value["choices"] if isinstance(value, Mapping) and list(value) == ["choices"] else value


def _tokens(value: object) -> object:
    """Tokens, also where a table holds the text of their list: read as a text it would be one of quotes and commas."""
    return value if not isinstance(value, str) or (listed := list_in_text(value)) is None else listed


def _set(marks: Mapping[str, object]) -> list[str]:
    """The labels whose mark is set.

    Raises:
        BadCell: a mark is neither set nor unset.
    """
    read = {name: SET.get(str("" if mark is None else mark).strip().lower()) for name, mark in marks.items()}
    wrong = next((name for name, mark in read.items() if mark is None), None)
    if wrong is not None:
        raise BadCell(f"{wrong!r} is {shown(marks[wrong])}", "The column of a label says 1 or 0")
    return [name for name, mark in read.items() if mark]
