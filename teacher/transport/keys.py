"""API keys: from the environment or `.env` only, and shown nowhere."""

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path

from dotenv import dotenv_values

from ...tasks.errors import ConfigError

log = logging.getLogger(__name__)

KEY = re.compile(r"(.*_)?(KEY|TOKEN|SECRET|PASSWORD)(_ID|_?\d+)?")
"""Names of variables that hold keys. Only these go from `.env` into the environment, where any library may read them:
others choose code that runs, servers that keys and prompts are sent to, or whether and where traces go."""

HEEDED = re.compile(
    r"(OPENAI|AZURE|ANTHROPIC|GOOGLE|GEMINI|MISTRAL|GROQ|COHERE|OLLAMA|AWS|HF|LANGSMITH|LANGCHAIN|EVOKD|LANGGRAPH|PYTHON|LD"
    r"|DYLD|SSL|REQUESTS|CURL)_.*|PYTHONPATH|.*_PROXY",
    re.IGNORECASE,
)
"""Others that something in this program heeds: their absence would be noticed, so it is told."""

_plain: dict[str, str] = {}
"""What else stands in `.env`: taken as a key where `api_key_env` names it, and for nothing else."""


def take_keys(file: Path) -> None:
    """Put the keys of a `.env` file into the environment, where they are not set there already.

    A `.env` may have come with somebody else's folder, so it may give keys and not decide where they are sent: what is
    left out and would matter is told in one line.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        held = dotenv_values(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f".env cannot be read ({error}). It must be a readable file in UTF-8.") from error
    given = {name: value for name, value in held.items() if value is not None and name not in os.environ}
    _plain.clear()
    _plain.update({name: value for name, value in given.items() if not KEY.fullmatch(name)})
    os.environ.update({name: value for name, value in given.items() if KEY.fullmatch(name)})
    if left := sorted(filter(HEEDED.fullmatch, _plain)):
        log.warning(
            "%s gives keys only; %s is not taken from it. Export it, or name a server in teacher.base_url.",
            file,
            ", ".join(left),
        )


def key_in(variable: str, otherwise: str) -> str:
    """The key that an environment variable holds, without white space around it: a line end is easily copied too.

    Args:
        variable: Its name.
        otherwise: What else the user may do where it is not set, as the end of a sentence.

    Raises:
        ConfigError: it is not set, or holds what cannot be sent in a header; the key itself is not quoted.
    """
    key = (os.environ.get(variable) or _plain.get(variable, "")).strip()
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
