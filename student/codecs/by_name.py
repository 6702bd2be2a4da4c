"""The codecs by name, and which of them a config.json asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...tasks.errors import ConfigError
from .base import Codec
from .multilabel import MultilabelCodec
from .sequence import SequenceCodec
from .token import TokenCodec

CODECS: dict[str, type[Codec[Any]]] = {"sequence": SequenceCodec, "multilabel": MultilabelCodec, "token": TokenCodec}


@dataclass(frozen=True)
class Described:
    """The kind of head that a config.json tells of."""

    name: str
    """`sequence`, `multilabel` or `token`."""
    labels: tuple[str, ...]
    notes: dict[str, Any]
    """Its keys that begin with `evokd_`."""


def describe(config: Mapping[str, Any]) -> Described:
    """The head that a config.json tells of.

    Raises:
        ConfigError: the config is damaged, or its outputs are not in our order.
    """
    names = config.get("id2label")
    if not isinstance(names, Mapping) or {str(key) for key in names} != {str(n) for n in range(len(names))}:
        raise ConfigError(f"id2label in its config.json should number the outputs from 0, but is {names!r:.80}.")
    outputs = [str(name) for _, name in sorted(names.items(), key=lambda item: int(item[0]))]
    if str((config.get("architectures") or [""])[0]).endswith("ForTokenClassification"):
        name = "token"
    else:
        name = "multilabel" if config.get("problem_type") == "multi_label_classification" else "sequence"
    labels = CODECS[name].labels_of(outputs)
    expected = CODECS[name](labels).outputs
    if expected != outputs:
        raise ConfigError(f"its outputs should be {', '.join(expected)}, but are {', '.join(outputs)}.")
    return Described(name, labels, {key: value for key, value in config.items() if key.startswith("evokd_")})


def codec_in(config: Mapping[str, Any]) -> Codec[Any]:
    """The codec that a config.json asks for.

    Raises:
        ConfigError: the config is damaged, or its outputs are not in our order.
    """
    found = describe(config)
    return CODECS[found.name](found.labels, found.notes)
