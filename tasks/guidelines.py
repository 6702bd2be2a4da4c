"""Annotation guidelines: what counts where careful annotators would differ, with one decided example for each pattern.

A guideline is `gold` where a seed decides it, `user` where the user wrote it, and `assumed` where the teacher guessed.
An assumed one is told to every role, but never made a lesson of: drilling a wrong guess costs more than the guess.
"""

import tomllib
from collections.abc import Sequence
from typing import Literal

import tomli_w
from pydantic import Field, ValidationError

from .base import Frozen, OneLine
from .errors import ConfigError

HEADER = """\
# What counts where careful annotators would differ. Correct an example's answer and set its status to "user"; take out
# what does not matter. `evokd resume` goes on with what stands here. Status: gold (a seed decides it), user, assumed.

"""


class Guideline(Frozen):
    """One contested pattern and how it is decided."""

    pattern: OneLine = Field(min_length=1)
    """What the pattern is: "a team called by its city"."""
    text: OneLine = Field(min_length=1)
    """One example of it."""
    answer: OneLine = Field(min_length=1)
    """The example's label, in the task's one-line form."""
    status: Literal["gold", "user", "assumed"] = "user"


class Guidelines(Frozen):
    """All guidelines of a run."""

    guideline: tuple[Guideline, ...] = ()

    def told(self) -> str:
        """The guidelines for a prompt; nothing where there are none."""
        if not self.guideline:
            return ""
        lines = [f"- {each.pattern}: {each.text} => {each.answer}" for each in self.guideline]
        return "\n".join(["Conventions, one decided example each:", *lines])

    @property
    def assumed(self) -> tuple[Guideline, ...]:
        """Those that nobody has confirmed."""
        return tuple(each for each in self.guideline if each.status == "assumed")

    def toml(self) -> str:
        """The file as the user edits it."""
        return HEADER + tomli_w.dumps({"guideline": [each.model_dump() for each in self.guideline]})


def parse_guidelines(text: str, source: str) -> Guidelines:
    """The guidelines in a TOML file.

    Raises:
        ConfigError: it is not TOML, or an entry lacks something; the message says where.
    """
    try:
        return Guidelines.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not a readable TOML file: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{source}: {where}: {first['msg']}. An entry is [[guideline]] with pattern, text, answer, and a status "
            "(user, gold or assumed)."
        ) from None


def listed(guidelines: Sequence[Guideline]) -> str:
    """Numbered patterns, for a prompt that asks about them by number."""
    return "\n".join(f"({number}) {each.pattern}" for number, each in enumerate(guidelines, start=1))
