"""What may change of the config of a run that is there: one list, looked at before anything is asked or written.

A run is reported as what its config says. A seed, a strategy or an encoder that was changed half-way would make it a
mixture that no config describes; data files were copied when the run was made and are not read again.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...tasks.errors import ConfigError
from .roles import ROLES
from .run_config import RunConfig

MAY_CHANGE = (
    "name", "budget", "stop", "teacher", "order", "student.device", "student.threads", "memory.server", "checkpoints",
)  # fmt: skip
"""Keys and sections: limits, who answers at what price, and where a run is at work. Settings of roles that are not ours
may change too, as such a role may have to be mended half-way."""

MADE_WITH = ("seed", "strategy", "task", "data")
"""What the first files were made with. All else may change until a student was trained: a model may be missing."""

Fixed = dict[str, Any]
"""Dotted key -> its value as JSON has it."""


def fixed(config: RunConfig) -> Fixed:
    """What may not change of a config, as the run's marker keeps it."""
    found: Fixed = json.loads(json.dumps(dict(_keys(config.model_dump(mode="json")))))
    return found


def refuse_edits(began: object, config: RunConfig, source: str, is_trained: bool) -> None:
    """Refuse a config that is no longer that of its run.

    Args:
        began: what `fixed` said when the run was made; anything else was written by another version, and is not looked
            at. Of two versions only keys that both know are compared.
        config: as it is now.
        source: its file, for the error.
        is_trained: whether the run has a student.

    Raises:
        ConfigError: with the first key that was changed, its values, and what to do.
    """
    now = fixed(config)
    for key, before in began.items() if isinstance(began, dict) else ():
        if key in now and now[key] != before and (is_trained or key.partition(".")[0] in MADE_WITH):
            place, was, edited = first_difference(key, before, now[key])
            raise ConfigError(
                f"{source}: {place} is {shown(edited)} and was {shown(was)} when the run was made; it cannot change "
                f"in a run that is there. Put it back, or start a new run: `evokd run CONFIG --name NEW`. What may "
                f"change: {', '.join(MAY_CHANGE)}, and settings of roles of your own."
            )


def _keys(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section, value in config.items():
        if section in MAY_CHANGE:
            continue
        if section == "agents":
            ours = {f"agents.{role}": value[role] for role in ROLES if role in value}
        else:
            ours = {section: value}
        for place, inner in ours.items():
            inside = {f"{place}.{key}": each for key, each in inner.items()} if isinstance(inner, dict) else {}
            yield from ((key, each) for key, each in (inside or {place: inner}).items() if key not in MAY_CHANGE)


def first_difference(place: str, before: Any, after: Any) -> tuple[str, Any, Any]:
    """Where two settings, or two tables of them, differ first (a dotted key), and what each has there."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return place, before, after
    key = next(key for key in {**before, **after} if before.get(key) != after.get(key))
    return first_difference(f"{place}.{key}".lstrip("."), before.get(key), after.get(key))


def shown(value: object, length: int = 80) -> str:
    """A value of a setting for an error: as JSON, cut."""
    said = "not there" if value is None else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= length else said[: length - 3] + "..."
