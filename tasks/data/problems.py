"""What is wrong with the rows of a source, collected and told as one error of one line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError

LISTED = 10

Row = tuple[str, Mapping[str, Any]]
"""Where it stands ("line 3") and its values by column."""


@dataclass
class Problems:
    """What is wrong with the rows of one source, told together as one error."""

    source: str
    found: list[str] = field(default_factory=list)
    hints: set[str] = field(default_factory=set)

    def add(self, place: str, what: str, hint: str = "") -> None:
        """Note a bad row; what helps against it is told once, at the end."""
        self.found.append(f"{place}: {what}")
        self.hints |= {hint} - {""}

    def refuse(self) -> None:
        """Raise what was found, if anything.

        Raises:
            ConfigError: the first ten problems and the number of the others.
        """
        if self.found:
            raise ConfigError(self.told())

    def told(self) -> str:
        """The first ten problems and the number of the others, after the source."""
        more = [f"... and {len(self.found) - LISTED} more"] if len(self.found) > LISTED else []
        return ". ".join([f"{self.source}: " + "; ".join([*self.found[:LISTED], *more]), *sorted(self.hints)])


def shown(value: object, length: int = 60) -> str:
    """A value for an error text: quoted, on one line, cut."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."
