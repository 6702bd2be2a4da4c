"""The roles of a cycle: which class plays each, ours or the user's own, and which may be left out."""

from collections.abc import Iterable, Mapping
from typing import Any

from ...agents.analyst.agent import Analyst
from ...agents.annotator.agent import Annotator
from ...agents.base import Agent
from ...agents.evaluator.agent import Evaluator
from ...agents.generator.agent import Generator
from ...agents.trainer.agent import Trainer
from ...tasks.errors import ConfigError
from .extension_points import ExtensionPoint
from .part_settings import PartSettings

AGENTS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Trainer, Evaluator, Analyst, Generator, Annotator)
}
"""Our agents by role."""

ROLES = tuple(AGENTS)
"""The ring of one cycle, in order; the run may end after the evaluator."""

ROLE = ExtensionPoint("order", "evokd.agents", Agent, ours=ROLES)
"""A class of the user's own plays the role of its name in lower case: a new one, or one of ours in its place."""


def role_classes(order: Iterable[str]) -> dict[str, type[Any]]:
    """Role -> class, in the order of the ring.

    Raises:
        ConfigError: an entry is not known, is no role, or names a role that another names.
    """
    classes: dict[str, type[Any]] = {}
    for entry in order:
        kind = AGENTS.get(entry) or ROLE.own(entry)
        role = kind.__name__.lower()
        if role in classes:
            raise ConfigError(f"order names the role {role!r} twice.")
        classes[role] = kind
    return classes


def role_settings(role: str, kind: type[Any]) -> PartSettings:
    """What a role can be set to: all that its class takes."""
    return PartSettings(kind, f"[agents.{role}]")


def check_order(classes: Mapping[str, type[Any]], settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse an order in which a cycle could not be gone through.

    Args:
        classes: role -> class, in order.
        settings: role -> its settings, all of them.

    Raises:
        ConfigError: a role is missing that cannot be, or ours are in another order.
    """
    ours = [role for role in classes if role in ROLES]
    needed = [role for role in ROLES if role != "analyst" or "analyst" in classes]
    if missing := [role for role in needed if role not in classes]:
        raise ConfigError(
            f"order = {list(classes)} lacks {', '.join(missing)}. A cycle needs {', '.join(ROLES)}, in this order; "
            "roles of your own may stand between, or take the place of one by its name."
        )
    if ours != needed:
        raise ConfigError(f"order = {list(classes)}: a cycle goes {', '.join(needed)}; others may stand between.")
    curriculum = settings["evaluator"].get("curriculum", "breadth")
    if issubclass(classes["evaluator"], Evaluator) and curriculum != "breadth" and "analyst" not in classes:
        raise ConfigError(
            f"order lacks the analyst, who writes the lessons that agents.evaluator.curriculum = {curriculum!r} asks "
            "for. Put it after the evaluator, or set curriculum = 'breadth', as the strategy 'static' does."
        )
