"""Rows out of Parquet and Hugging Face data sets, which know the names behind integer classes."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .problems import Row, shown

HUB = "hf:"
HUB_SOURCE = re.compile(
    r"hf:(?P<name>[\w.-]+(?:/[\w.-]+)?)"
    r"(?::(?P<configuration>[\w.+-]+)(?=:))?"
    r"(?::(?P<split>(?:[\w.+-]|\[[\d%:+-]*\])+))?"
)
FORMS = "hf:name, hf:org/name, hf:org/name:split or hf:org/name:configuration:split"


def read_parquet(path: Path, source: str) -> Iterator[Row]:
    """The rows of a Parquet file, integer classes by their names where its schema has them.

    Raises:
        ConfigError: it cannot be read.
    """
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


def read_hub(source: str, split: str) -> Iterator[Row]:
    """The rows of a data set of the Hugging Face hub, integer classes by their names.

    Args:
        source: `hf:name`, `hf:name:split` or `hf:name:configuration:split`.
        split: that is read where the source names none.

    Raises:
        ConfigError: the source is none of these, or cannot be loaded.
    """
    match = HUB_SOURCE.fullmatch(source)
    if match is None:
        raise ConfigError(f"{source}: not a data set. Write {FORMS}.")
    import datasets

    configuration = [match["configuration"]] if match["configuration"] else []
    try:
        data = datasets.load_dataset(match["name"], *configuration, split=match["split"] or split)
    except Exception as error:  # the library raises a dozen kinds for no network, no such name, no such split
        raise ConfigError(
            f"{source}: cannot be loaded ({type(error).__name__}: {shown(str(error), 160)}). Check the name and the "
            f"split ({FORMS}); without network, download it before or give the path of a .jsonl, .csv or .parquet file."
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
