"""Files of a run as the report reads them: whole and of the form they were written in, or refused in one line."""

import json
from pathlib import Path
from typing import Any

from ..tasks.errors import ConfigError

Row = dict[str, Any]

NUMBER = (int, float)

COLUMNS: dict[str, dict[str, Any]] = {
    "metrics.jsonl": {"cycle": int, "batch_kind": str, "kept": bool, "why": str, "stats": dict, "scores": dict,
                      "teacher": dict, "seconds": dict, "champion": str},
    "samples.jsonl": {"split": str, "status": str},
    "lessons.jsonl": {"cycle": int, "name": str, "pattern": str},
    "ledger.jsonl": {"cycle": int, "input": NUMBER, "output": NUMBER, "from_cache": bool},
    "transcripts.jsonl": {"role": str, "cycle": int, "prompt": str, "messages": list, "answer": str},
}  # fmt: skip
"""File -> the columns that are counted with, by the type that JSON gives them."""

APPENDED = ("ledger.jsonl", "transcripts.jsonl")
"""Files whose last line a kill may tear; the others are written whole."""

LOST: dict[str, str] = {
    "transcripts.jsonl": "Its prompts and answers are lost, and nothing else: delete the damaged lines, or the file",
    "ledger.jsonl": "Delete the damaged lines, or the file, and `evokd resume {root}` writes those calls again",
    **dict.fromkeys(
        ("held_out.jsonl", "map.jsonl", "versions.json", "progress.json"),
        "Delete it, and the report goes without",
    ),
    **dict.fromkeys(("config.toml", "cases.jsonl"), "Put it back from a copy"),
    "comparison.json": "Put it back from a copy, or delete it and the folder's cells and compare anew",
}
"""File -> how to go on without it, where `evokd resume` does not simply write it again."""


def read_json(path: Path) -> Row:
    """The object in a JSON file.

    Raises:
        ConfigError: it is damaged.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, f" is not JSON ({_said(error)})") from None
    if not isinstance(found, dict):
        raise damaged(path, " holds no JSON object")
    return found


def read_rows(path: Path) -> list[Row]:
    """The rows of a JSON lines file; an absent file has none, a line that a kill has torn is left out.

    Raises:
        ConfigError: a row is damaged.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise damaged(path, f" cannot be read ({_said(error)})") from None
    # Not splitlines: a text may hold U+2028 and other line ends of Unicode as they are.
    *lines, torn = content.split(b"\n")
    if torn and path.name not in APPENDED:
        lines.append(torn)
    return [_row(path, number, line) for number, line in enumerate(lines, start=1)]


def damaged(path: Path, what: str) -> ConfigError:
    """The error over a file that the report cannot use; `what` goes on after its name."""
    again = "`evokd resume {root}` writes it again, if nothing else is lost (delete it first, if it is a folder)"
    root = next((folder for folder in path.parents if (folder / "run.json").exists()), path.parent)
    todo = LOST.get(path.name, again).format(root=root)
    return ConfigError(f"{path}{what}. {todo}.")


def _row(path: Path, number: int, line: bytes) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f", line {number}: not JSON ({_said(error)})") from None
    columns = COLUMNS.get(path.name, {})
    if not isinstance(row, dict) or (columns and not row.keys() & columns.keys()):
        raise damaged(path, f", line {number}: not what the run wrote ({line.decode(errors='replace')[:60]!r})")
    for column in row.keys() & columns.keys():
        if not isinstance(row[column], columns[column]):
            raise damaged(path, f", line {number}: {column} = {row[column]!r:.60} is not what the run wrote")
    return row


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
