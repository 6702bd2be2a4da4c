"""Names of the environment variables that hold keys: a config is kept in every run's folder, so it may hold no key."""

import os
import re

from pydantic_core import PydanticCustomError

LONG = 16
"""Letters from which a name with digits in it is more likely a key."""


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
