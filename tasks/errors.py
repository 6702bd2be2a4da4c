"""The errors a user can meet, one tree for all folders.

    EvoKDError
    |-- ConfigError      the user's mistake: one line, exit code 2
    |-- StepError        a step of the graph failed: its name, the cause, how to resume; exit code 1
    `-- BudgetExhausted  the run's limit is reached: the run ends cleanly with the best student

A single bad item (an answer that does not fit, an empty text) is never an exception that travels: it is dropped or
quarantined where it is met, and counted.
"""

from collections.abc import Iterable


class EvoKDError(Exception):
    """Anything EvoKD raises on purpose.

    Examples:
        >>> try:
        ...     evokd.run("nowhere.toml")
        ... except evokd.EvoKDError as error:
        ...     print(error)
        there is no config file 'nowhere.toml'; `configs/` has examples.
    """


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
        """The error for a name that is not in a fixed list."""
        return cls(f"{what} {value!r} is not known. Allowed: {', '.join(sorted(str(a) for a in allowed))}.")


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
