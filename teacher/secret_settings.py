"""Secrets in the wrong place: a config is kept in every run's folder, so it may name a key but hold none."""

import os
import re
from collections.abc import Mapping
from typing import TypeVar

from pydantic_core import PydanticCustomError

LONG = 16
"""Letters from which a name with digits in it is more likely a key."""

SECRET = re.compile(r"(api|access|secret|private|auth).?key|passw|secret|credential|authorization|bearer|token$", re.I)
"""Names of settings that hold one."""

Given = TypeVar("Given", bound=Mapping[str, object])


def hide(message: str) -> PydanticCustomError:
    """The error over a value that must not be quoted: its type is `secret_value`."""
    return PydanticCustomError("secret_value", "{message}", {"message": message})


def refuse_key_as_name(name: str) -> str:
    """The name of an environment variable.

    Raises:
        PydanticCustomError: it is none, or looks like a key that was pasted there; it is not quoted then.
    """
    is_name = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name, re.ASCII) is not None
    is_odd = len(name) >= LONG and re.search(r"\d", name) and (name != name.upper() or "_" not in name)
    if name in os.environ or (is_name and not is_odd):
        return name
    raise hide(
        "api_key_env is the name of an environment variable, such as OPENAI_API_KEY, or 'none'; what stands there is "
        "none, or looks like the key itself. Put the key into the environment or .env, and its name here"
    )


def refuse_secrets(given: Given, path: str = "") -> Given:
    """Settings as they are given.

    Raises:
        PydanticCustomError: one, at any depth, is called as a secret is and holds a text; the text is not quoted.
    """
    for name, value in given.items():
        if isinstance(value, Mapping):
            refuse_secrets(value, f"{path}{name}.")
        elif isinstance(value, str) and value and SECRET.search(name):
            raise hide(
                f"{path}{name} looks like a secret, and this file is kept in every run's folder. Put it into the "
                "environment or .env, and name the variable in api_key_env"
            )
    return given
