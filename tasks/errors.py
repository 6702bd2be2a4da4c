"""The errors a user can meet, one tree for all folders.

    EvoKDError
    |-- ConfigError      the user's mistake: one line, exit code 2
    |-- StepError        a step of the graph failed: its name, the cause, how to resume; exit code 1
    `-- BudgetExhausted  the run's limit is reached: the run ends cleanly with the best student

A single bad item (an answer that does not fit, an empty text) is never an exception that travels: it is dropped or
quarantined where it is met, and counted.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from .wording import harmless


class EvoKDError(Exception):
    """Anything EvoKD raises on purpose; what its message quotes cannot drive a terminal.

    Examples:
        >>> try:
        ...     evokd.run("nowhere.toml")
        ... except evokd.EvoKDError as error:
        ...     print(error)
        there is no config file 'nowhere.toml'; `configs/` has examples.
    """

    def __init__(self, message: str = ""):
        super().__init__(harmless(message))


class ConfigError(EvoKDError):
    """What the user wrote cannot be used; the message names the key, the value and what is allowed.

    Examples:
        >>> raise evokd.ConfigError.unknown("strategy", "fast", ["gated", "paper"])
        Traceback (most recent call last):
        ...
        evokd.tasks.errors.ConfigError: strategy 'fast' is not known. Allowed: gated, paper.
    """

    @classmethod
    def unknown(cls, what: str, value: object, allowed: Iterable[object]) -> "ConfigError":
        """The error for a name that is not in a fixed list; the nearest of the list is suggested."""
        names = sorted(str(each) for each in allowed)
        return cls(f"{what} {value!r} is not known.{did_you_mean(value, names)} Allowed: {', '.join(names) or 'none'}.")


class StepError(EvoKDError):
    """A step of the graph failed; the cause is chained and the run can be resumed.

    Examples:
        >>> issubclass(evokd.StepError, evokd.EvoKDError)
        True
    """


class BudgetExhausted(EvoKDError):
    """A limit of `[budget]` is reached; raised before the call that would pass it.

    Examples:
        >>> issubclass(evokd.BudgetExhausted, evokd.EvoKDError)
        True
    """


def did_you_mean(value: object, allowed: Iterable[object]) -> str:
    """A question that names what is nearest to a misspelt name, to stand after a sentence; empty if nothing is near."""
    names = {str(each).casefold(): str(each) for each in allowed}
    near = get_close_matches(str(value).casefold(), names, n=1)
    return f" Did you mean {names[near[0]]!r}?" if near else ""
