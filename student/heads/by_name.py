"""The heads by name."""

from typing import Any

from ...tasks.errors import ConfigError
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
        ConfigError: the config is damaged, or its tags are not in our order.
    """
    outputs = [str(config.id2label[number]) for number in range(config.num_labels)]
    architecture = str((config.architectures or [""])[0])
    if architecture.endswith("ForTokenClassification"):
        kind = HEADS["token"]
    else:
        kind = HEADS["multilabel" if config.problem_type == "multi_label_classification" else "sequence"]
    head = kind(kind.labels_of(outputs), {key: value for key, value in vars(config).items() if key[:6] == "evokd_"})
    if head.outputs != outputs:
        raise ConfigError(f"its outputs should be {', '.join(head.outputs)}, but are {', '.join(outputs)}.")
    return head
