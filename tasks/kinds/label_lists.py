"""Lists of labels as users' files have them: JSON, a line of names, nothing; vectors of zeros and ones are refused."""

import ast
import json
from collections.abc import Callable, Sequence

from ..base import BadCell
from .label_names import cut

SEPARATORS = ",;|"

Named = tuple[object, str | None]
"""What stands in the cell, and the label that it is."""


def names_in_cell(cell: object, labels: int, name: Callable[[object], str | None]) -> list[Named]:
    """The items of a cell and the labels that they are, None for what is no label.

    Args:
        cell: a list, the text of one, a line of names, None or an empty text.
        labels: how many the task has.
        name: the label that an item is, if it is one.

    Raises:
        BadCell: it is a vector with a number for each label, whose order nobody has told.
    """
    items = _items(cell, name)
    if _is_vector(items, labels, typed=not isinstance(cell, str)):
        raise BadCell(
            f"is {cut(cell, 60)}, a number for each label, but in which order is not told",
            "Write the labels' names, or give each label a column of its own name",
        )
    return [(item, name(item)) for item in items]


def _items(cell: object, name: Callable[[object], str | None]) -> Sequence[object]:
    if cell is None:
        return []
    if not isinstance(cell, str):
        return cell if isinstance(cell, list | tuple) else [cell]
    if (listed := list_in_text(cell)) is not None:
        return listed
    if name(cell) is not None:
        return [cell]
    ways = [[part.strip() for part in cell.split(separator) if part.strip()] for separator in SEPARATORS]
    fits = [way for way in ways if all(name(part) is not None for part in way)]
    return next(iter(fits or (way for way in ways if len(way) > 1)), ways[0])


def list_in_text(cell: str) -> list[object] | None:
    """The list that a text is, in JSON or, as pandas writes it to CSV, in Python's own form; None where it is none."""
    if not (cell.strip().startswith("[") and cell.strip().endswith("]")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(cell.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list) else None
    return None


def _is_vector(items: Sequence[object], labels: int, typed: bool) -> bool:
    """Whether zeros and ones stand for labels: as many as there are, or one of them twice."""
    told = [str(item) for item in items if not (typed and isinstance(item, str))]
    binary = len(told) > 1 and len(told) == len(items) and set(told) <= {"0", "1", "0.0", "1.0", "True", "False"}
    return binary and (len(told) == labels or len(set(told)) < len(told))
