"""Rows out of JSON lines, CSV, CoNLL, Parquet and Hugging Face data sets, each with the place it stands at."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .conll import read_conll

LISTED = 10
HUB = "hf:"
HUB_SOURCE = re.compile(r"hf:(?P<name>[\w.-]+(?:/[\w.-]+)?)(?::(?P<split>[\w.\[\]%+:-]+))?")
TAGGED = (".conll", ".bio", ".iob")
FORMATS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", *TAGGED)
LONGEST_CELL = 1_000_000

Row = tuple[str, Mapping[str, Any]]
"""Where it stands ("line 3") and its values by column."""


@dataclass
class Problems:
    """What is wrong with the rows of one source, told together as one error."""

    source: str
    found: list[str] = field(default_factory=list)
    hints: set[str] = field(default_factory=set)

    def add(self, place: str, what: str, hint: str = "") -> None:
        """Note a bad row; what helps against it is told once, at the end."""
        self.found.append(f"{place}: {what}")
        self.hints |= {hint} - {""}

    def refuse(self) -> None:
        """Raise what was found, if anything.

        Raises:
            ConfigError: the first ten problems and the number of the others.
        """
        if self.found:
            raise ConfigError(self.told())

    def told(self) -> str:
        """The first ten problems and the number of the others, after the source."""
        more = [f"... and {len(self.found) - LISTED} more"] if len(self.found) > LISTED else []
        return ". ".join([f"{self.source}: " + "; ".join([*self.found[:LISTED], *more]), *sorted(self.hints)])


def rows(source: str, base: Path, problems: Problems, split: str = "train") -> Iterator[Row]:
    """The rows of a file (relative to `base`) or of `hf:name` / `hf:name:split`; broken ones go to `problems`.

    Raises:
        ConfigError: the source as a whole cannot be read.
    """
    if source.startswith(HUB):
        return _hub(source, split)
    path = base / Path(source).expanduser()
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ConfigError(
            f"{source}: files of kind {suffix!r} are not read. Allowed: {', '.join(FORMATS)}, or hf:name."
        )
    if path.is_dir():
        raise ConfigError(f"{source}: is a folder ({path}). Name a file in it.")
    if not path.is_file():
        raise ConfigError(f"{source}: there is no such file ({path}).")
    if suffix == ".parquet":
        return _parquet(path, source)
    text = _decoded(path, source)
    if suffix in (".csv", ".tsv"):
        return _csv(text, "\t" if suffix == ".tsv" else ",", problems)
    if suffix in TAGGED:
        return _conll(text, problems)
    return _json_lines(text, problems)


def shown(value: object, length: int = 60) -> str:
    """A value for an error text: quoted, on one line, cut."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."


def _decoded(path: Path, source: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror or error}.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        guess = " It looks like UTF-16." if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise ConfigError(
            f"{source}: not UTF-8 at line {line} (byte {error.start} is 0x{data[error.start]:02x}).{guess} "
            "Save the file as UTF-8."
        ) from None


def _json_lines(text: str, problems: Problems) -> Iterator[Row]:
    if text.lstrip().startswith("["):
        raise ConfigError(f"{problems.source}: is a JSON list. Write one JSON object per line instead.")
    # Not splitlines: a JSON string may hold U+2028 and other line ends of Unicode as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
            problems.add(f"line {number}", f"broken JSON ({reason}): {shown(line.strip())}")
            continue
        if isinstance(value, dict):
            yield f"line {number}", value
        else:
            problems.add(f"line {number}", f"not a JSON object: {shown(value)}")


def _csv(text: str, delimiter: str, problems: Problems) -> Iterator[Row]:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                pass  # a blank line, or the row of commas a spreadsheet leaves
            elif header is None:
                header = [cell.strip() for cell in cells]
                if twice := [name for name, count in Counter(header).items() if count > 1 and name]:
                    raise ConfigError(f"{problems.source}: the header has {shown(twice[0])} twice. Rename one of them.")
            elif any("\t" in cell and "\n" in cell for cell in cells) and delimiter == "\t":
                last = reader.line_num
                problems.add(f"lines {line} to {last}", "one cell goes on over tabs and lines: a quote is not closed")
            elif len(cells) == len(header):
                yield f"line {line}", dict(zip(header, cells, strict=True))
            else:
                problems.add(f"line {line}", f"{len(cells)} columns, but the header has {len(header)}: {shown(cells)}")
            line = reader.line_num + 1
    except csv.Error as error:
        # Quoting is lost from here on, so the rest would be named wrongly.
        problems.add(f"line {line}", f"broken CSV ({error}); the rest of the file was not read")


def _conll(text: str, problems: Problems) -> Iterator[Row]:
    """A row for each sentence, with the columns `tokens` and `tags`."""
    for number, tokens, tags in read_conll(text, problems.add):
        yield f"line {number}", {"tokens": tokens, "tags": tags}


def _parquet(path: Path, source: str) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = _class_names_of_schema(file.schema_arrow.metadata or {})
            number = 0
            for batch in file.iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    yield f"row {number}", _named(values, names)
    except (pyarrow.ArrowException, OSError) as error:
        raise ConfigError(f"{source}: not a Parquet file that can be read: {shown(str(error), 120)}.") from error


def _class_names_of_schema(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """The names behind integer classes, which `datasets` leaves in the file's schema."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        # A column of lists (the tags of tokens) names its classes one level down.
        inner = {name: each.get("feature", each) if isinstance(each, dict) else each for name, each in features.items()}
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in inner.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # another program's metadata: the integers stay, and are refused as labels by their value


def _hub(source: str, split: str) -> Iterator[Row]:
    match = HUB_SOURCE.fullmatch(source)
    if match is None:
        raise ConfigError(f"{source}: not a data set. Write hf:name, hf:org/name or hf:org/name:split.")
    import datasets

    try:
        data = datasets.load_dataset(match["name"], split=match["split"] or split)
    except Exception as error:  # the library raises a dozen kinds for no network, no such name, no such split
        raise ConfigError(
            f"{source}: cannot be loaded ({type(error).__name__}: {shown(str(error), 160)}). Check the name and the "
            "split; without network, download it before or give the path of a .jsonl, .csv or .parquet file."
        ) from error
    inner = {column: getattr(feature, "feature", feature) for column, feature in data.features.items()}
    names = {column: list(feature.names) for column, feature in inner.items() if hasattr(feature, "names")}
    return ((f"row {number}", _named(values, names)) for number, values in enumerate(data, start=1))


def _named(values: Mapping[str, Any], names: Mapping[str, list[str]]) -> Mapping[str, Any]:
    """The row with integer classes, alone or in lists, replaced by their names; others stay and are refused later."""

    def named(value: Any, labels: list[str]) -> Any:
        if isinstance(value, list):
            return [named(each, labels) for each in value]
        return labels[value] if isinstance(value, int) and 0 <= value < len(labels) else value

    return {column: named(value, names[column]) if column in names else value for column, value in values.items()}
