"""Rows out of JSON, CSV, CoNLL, Parquet and Hugging Face data sets, each with the place it stands at."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import ConfigError
from .conll import read_conll
from .hub import HUB, read_hub, read_parquet
from .problems import Problems, Row, shown
from .tables import read_table

TAGGED = (".conll", ".bio", ".iob")
FORMATS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", *TAGGED)
ELSEWHERE = {
    ".ann": "brat's annotations: convert them with brat's tools/anntoconll.py and name the result .conll",
    ".spacy": "spaCy's DocBin: write the JSON of every `doc.to_json()` on a line of a .jsonl",
    ".xlsx": "a workbook: save the sheet as CSV in UTF-8",
}
"""Known forms that are not read -> what they are, and what to do."""

LINE_END = re.compile(r"\r\n|\n|\r")
"""Not those of Unicode: a JSON string may hold U+2028 as it is, but none of these."""


def rows(source: str, base: Path, problems: Problems, split: str = "train") -> Iterator[Row]:
    """The rows of a file (relative to `base`) or of a data set of the hub (`hf:...`); broken ones go to `problems`.

    Raises:
        ConfigError: the source as a whole cannot be read.
    """
    if source.startswith(HUB):
        return read_hub(source, split)
    path = base / Path(source).expanduser()
    suffix = path.suffix.lower()
    if suffix in ELSEWHERE:
        raise ConfigError(f"{source}: is {ELSEWHERE[suffix]}.")
    if suffix not in FORMATS:
        raise ConfigError(
            f"{source}: files of kind {suffix!r} are not read. Allowed: {', '.join(FORMATS)}, or hf:name."
        )
    if path.is_dir():
        raise ConfigError(f"{source}: is a folder ({path}). Name a file in it.")
    if not path.is_file():
        raise ConfigError(f"{source}: there is no such file ({path}).")
    if suffix == ".parquet":
        return read_parquet(path, source)
    text = _decoded(path, source)
    if suffix in (".csv", ".tsv"):
        return read_table(text, suffix, problems)
    if suffix in TAGGED:
        return _conll(text, problems)
    return _json(text, problems)


def _decoded(path: Path, source: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror or error}.") from error
    if b"\0" in data[:2]:
        raise ConfigError(f"{source}: looks like UTF-16 without its mark, or is no text. Save the file as UTF-8.")
    try:
        return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{source}: not {error.encoding.upper()} at line {line} (byte {error.start} is 0x{data[error.start]:02x}). "
            "Save the file as UTF-8."
        ) from None


def _json(text: str, problems: Problems) -> Iterator[Row]:
    """The rows of a JSON list, or of one JSON value a line."""
    if (listed := _list_of_objects(text)) is not None:
        return (row for number, value in enumerate(listed, start=1) for row in _row(f"row {number}", value, problems))
    return _json_lines(text, problems)


def _json_lines(text: str, problems: Problems) -> Iterator[Row]:
    for number, line in enumerate(LINE_END.split(text), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
            problems.add(f"line {number}", f"broken JSON ({reason}): {shown(line.strip())}")
            continue
        yield from _row(f"line {number}", value, problems)


def _list_of_objects(text: str) -> list[object] | None:
    """The list that a whole file is, None where it is lines (of spaCy's pairs, which are lists too)."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if found and isinstance(found[0], str) else list(found)


def _row(place: str, value: object, problems: Problems) -> Iterator[Row]:
    """A row out of a JSON object, or out of spaCy's pair of a text and what is said of it."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        value = {"text": value[0], **value[1]}
    if isinstance(value, dict):
        yield place, value
    else:
        problems.add(place, f"not a JSON object: {shown(value)}")


def _conll(text: str, problems: Problems) -> Iterator[Row]:
    """A row for each sentence, with the columns `tokens` and `tags`."""
    for number, tokens, tags in read_conll(text, problems.add):
        yield f"line {number}", {"tokens": tokens, "tags": tags}
