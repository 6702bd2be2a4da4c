"""No secret in a config: it is copied into the run folder, which is kept, shown and passed on."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...tasks.errors import ConfigError

NAME = re.compile(
    r"(^|[_-])(api[_-]?key|secret([_-]?key)?|(access|auth|bearer)[_-]?token|password|passwd|authorization)$", re.I
)
"""What a key is called whose value is a secret, in anybody's settings."""

SECTIONS = ("teacher", "student", "memory", "stop", "agents")
"""Where settings of clients and of parts of one's own stand; elsewhere, a label may be called `password`."""


def refuse_secrets(raw: Mapping[str, Any], source: str) -> None:
    """Refuse a config that holds a key or a password, without repeating it.

    Args:
        raw: what the file holds, not checked yet.
        source: its name, for the error.

    Raises:
        ConfigError: with the place of the first, and where it belongs.
    """
    own_task = raw["task"].get("settings") if isinstance(raw.get("task"), Mapping) else None
    for place, value in _texts({**{name: raw.get(name) for name in SECTIONS}, "task": {"settings": own_task}}):
        if NAME.search(place[-1]) and value:
            raise ConfigError(
                f"{source}: {'.'.join(place)} holds a secret, and a config is copied into the run folder. Put it into "
                "an environment variable or .env; for a teacher, name the variable in api_key_env."
            )
        if "://" in value and _is_private(value, place[-1]):
            raise ConfigError(
                f"{source}: {'.'.join(place)} is an address with a user, a password or a query in it, and a config is "
                "copied into the run folder. Leave them out and name the variable that holds the key in api_key_env; "
                "or leave out base_url and set OPENAI_BASE_URL in the environment or .env."
            )


def _is_private(value: str, key: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:  # no address; whoever uses it says so
        return "@" in value
    names = re.findall(r"(?:^|&)([^=&]+)=", parts.query)
    return "@" in parts.netloc or bool(parts.query and key == "base_url") or any(map(NAME.search, names))


def _texts(value: object, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text inside a table, with the keys that lead to it."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*place, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, place)
