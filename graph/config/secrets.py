"""No secret in a config: it is copied into the run folder, which is kept, shown and passed on."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic_core import PydanticCustomError

from ...tasks.errors import ConfigError
from ...teacher.address import is_public
from ...teacher.key_names import refuse_key_as_name

NAME = re.compile(
    r"(api|access|secret|private|auth|subscription).?key|passw|pwd$|secret|credential|authorization|bearer|token$", re.I
)
"""What a key is called whose value is a secret, in anybody's settings."""

NO_SECRET = re.compile(r"(^|_)(bos|cls|end|eos|mask|pad|sep|start|stop|unk)_?token$", re.I)
"""Words of a tokenizer."""

IN_QUERY = re.compile(r"key$|sig$|^code$|^pass$", re.I)
"""What else a secret is called in the query of an address."""

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
        if place[-1].endswith("_env"):
            _check_variable(".".join(place), value, source)
        elif value and _is_secret(place[-1]):
            raise ConfigError(
                f"{source}: {'.'.join(place)} holds a secret, and a config is copied into the run folder. Put it into "
                "an environment variable or .env; for a teacher, name the variable in api_key_env."
            )
        if "://" in value and _is_private(value, place[-1]):
            raise ConfigError(
                f"{source}: {'.'.join(place)} is an address with a user, a password or a query in it, and a config is "
                "copied into the run folder. Leave them out (?api-version=... may stay) and name the variable that "
                "holds the key in api_key_env; or leave out base_url and set OPENAI_BASE_URL in the environment."
            )


def _check_variable(place: str, value: str, source: str) -> None:
    try:
        refuse_key_as_name(value.strip())
    except PydanticCustomError as error:
        raise ConfigError(f"{source}: {place}: {error.message()}.") from None


def _is_secret(name: str) -> bool:
    return NAME.search(name) is not None and NO_SECRET.search(name) is None


def _is_private(value: str, key: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:  # no address; whoever uses it says so
        return "@" in value
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    is_odd = any(_is_secret(name) or IN_QUERY.search(name) for name in names)
    return "@" in parts.netloc or is_odd or (key == "base_url" and not is_public(parts.query))


def _texts(value: object, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text inside a table, with the keys that lead to it."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, place)
