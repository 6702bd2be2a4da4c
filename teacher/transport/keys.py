"""API keys: from the environment only, and shown nowhere."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from dotenv import dotenv_values, load_dotenv

from ...tasks.errors import ConfigError

LOADERS = re.compile(
    r"(PYTHON|LD_|DYLD_|OPENSSL_|OMP_TOOL|GIT_).*|PATH|LANGGRAPH_STRICT_MSGPACK|RAY_RUNTIME_ENV_HOOK", re.IGNORECASE
)
"""Variables by which an interpreter, a linker or a library chooses code that it runs."""


def take_keys(file: Path) -> None:
    """Put what a `.env` file holds into the environment, where it is not set there already.

    Raises:
        ConfigError: it cannot be read, or would have other code run in the processes that are started.
    """
    try:
        names = dotenv_values(file, interpolate=False)
        if odd := [name for name in names if LOADERS.fullmatch(name)]:
            raise ConfigError(
                f"{file}: {odd[0]} decides which code runs, and is taken from your environment only. Export it there."
            )
        load_dotenv(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f".env cannot be read ({error}). It must be a readable file in UTF-8.") from error


def key_in(variable: str, otherwise: str) -> str:
    """The key that an environment variable holds, without white space around it: a line end is easily copied too.

    Args:
        variable: Its name.
        otherwise: What else the user may do where it is not set, as the end of a sentence.

    Raises:
        ConfigError: it is not set, or holds what cannot be sent in a header; the key itself is not quoted.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"teacher.api_key_env: the environment variable {variable} is not set. Export it or put it into .env; "
            f"{otherwise}."
        )
    odd = [place for place, letter in enumerate(key, 1) if not "!" <= letter <= "~"]
    if odd:
        raise ConfigError(
            f"teacher.api_key_env: the key in {variable} has a character at place {odd[0]} of {len(key)} that no key "
            f"has (white space, or no ASCII). Copy the key once more."
        )
    return key


def mask(text: str, secrets: Iterable[str]) -> str:
    """The text with no secret in it, also where the white space around one is quoted in another way."""
    for secret in filter(None, map(str.strip, secrets)):
        text = text.replace(secret, "***")
    return text
