"""Names of entity types in what a teacher or a file says."""

import re
import reprlib
from collections.abc import Callable, Sequence
from functools import cached_property

from ..base import InvalidAnswer
from ..errors import ConfigError
from ..kinds.label_names import LISTED, NOTHING, by_loose_name, check_names, cut, first_of, fold, loosen

DROP, NONE = "drop", "none"
"""What the teacher answers to give a text up, and where it has no entity."""

FORBIDDEN = "|[]:\\"
"""Characters that the forms of an answer are made of."""

PREFIX = re.compile(r"[BIESLU]-", re.IGNORECASE)


def told(value: object) -> str:
    """A value for an error text, whatever it is and however deep or long."""
    if isinstance(value, str):
        return cut(value)
    try:
        return cut_words(reprlib.repr(value))
    except ValueError:  # a whole number of more digits than Python writes out
        return f"a {type(value).__name__}"


def cut_words(text: str, length: int = 80) -> str:
    """A text that is no value, cut."""
    return text if len(text) <= length else text[: length - 3] + "..."


class Types:
    """The entity types of a task.

    Args:
        names: at least one.
        form: what two names must agree in to be the same; `fold` for names in the user's own data.

    Raises:
        ConfigError: there is none, or a name that no answer could carry.
    """

    def __init__(self, names: Sequence[str], form: Callable[[str], str] = loosen):
        if not names:
            raise ConfigError("An entity task needs at least one entity type in its labels, got none.")
        check_names(names, {DROP, NONE, NOTHING})
        for name in names:
            if wrong := [char for char in name if char in FORBIDDEN]:
                better = "".join("_" if char in FORBIDDEN else char for char in name)
                raise ConfigError(
                    f"Entity type {name!r} has {wrong[0]!r} in it, which the forms of an answer are made of. "
                    f"Rename it, for instance to {better!r}."
                )
        self.names = tuple(names)
        self._form = form
        self._loose = by_loose_name(self.names, form)
        longest_first = sorted(self.names, key=len, reverse=True)
        listed = "|".join(r"\s+".join(map(re.escape, name.split())) for name in longest_first)
        self.mark = rf"\[\s*(?P<type>(?:[BIESLU]-)?(?:{listed}))(?:\s*:\s*|\s+)"
        """Pattern of the beginning of an inline mark, without regard to case."""
        self.longest = max(len(re.split(r"[\W_]+", name)) for name in self.names)
        """Words in the longest name, however they are joined."""

    def known(self, name: str) -> tuple[str, bool] | None:
        """The type that a name means, and whether case, white space or a B-/I- prefix had to be repaired."""
        if name in self.names:
            return name, False
        for each in (name, PREFIX.sub("", name.strip(), count=1)):
            found = self._loose.get(self._form(each), [])
            if len(found) == 1:
                return found[0], True
        return None

    @cached_property
    def strict(self) -> "Types":
        """The same types for the user's own data, where a name is not to be guessed: `C#` is no `C`."""
        return Types(self.names, fold)

    def named(self, name: object) -> tuple[str, bool]:
        """The type that an answer means.

        Raises:
            InvalidAnswer: it is none of the task.
        """
        found = self.known(name) if isinstance(name, str) else None
        if found is None:
            raise InvalidAnswer("unknown type", f"{told(name)} is not one of the types. Use only: {self.listed()}.")
        return found

    def listed(self) -> str:
        """The types for an error text."""
        return first_of(self.names, LISTED)
