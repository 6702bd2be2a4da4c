"""The heads by name."""

from typing import Any

from ...tasks.errors import ConfigError
from ..codecs.by_name import describe
from .base import Head
from .multilabel import MultilabelHead
from .sequence import SequenceHead
from .token import TokenHead

HEADS: dict[str, type[Head[Any]]] = {"sequence": SequenceHead, "multilabel": MultilabelHead, "token": TokenHead}


def head_named(name: str) -> type[Head[Any]]:
    """The kind of head a task asks for.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in HEADS:
        raise ConfigError.unknown("head", name, HEADS)
    return HEADS[name]


def head_in(config: Any) -> Head[Any]:
    """The head of a saved network, from its config.

    Raises:
        ConfigError: the config is damaged, or its outputs are not in our order.
    """
    found = describe(config.to_dict())
    return HEADS[found.name](found.labels, found.notes)
