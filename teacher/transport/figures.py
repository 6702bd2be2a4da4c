"""Tokens as servers count them: read with care, as a budget and an account are made of them."""

import logging

from ..base import Usage

log = logging.getLogger(__name__)

MOST_TOKENS = 10_000_000
"""Of one call; no model reads or writes as many."""

_warned: set[str] = set()
"""Models about whose figures a warning was given in this process."""


def read_count(value: object) -> int | None:
    """A count of tokens that can be; None where there is none, or one that cannot."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= MOST_TOKENS else None  # so for NaN too


def read_usage(given: object, taken: object, total: object, cached: object, model: str) -> Usage | None:
    """Tokens of one call, or None where the server does not count them, or not as it can be.

    Args:
        given: In the prompt.
        taken: In the answer.
        total: Of both; what some models think before they answer is in it alone.
        cached: Of the prompt, in the server's own cache. Some servers leave them out of the prompt's.
        model: Named in the warning, which comes once.
    """
    prompt, answer, both, held = (read_count(each) for each in (given, taken, total, cached))
    told = {"prompt": given, "answer": taken, "total": total, "cached": cached}
    read = {"prompt": prompt, "answer": answer, "total": both, "cached": held}
    if odd := [name for name, value in told.items() if value is not None and read[name] is None]:
        _warn(model, f"{str(told[odd[0]])[:30]} {odd[0]} tokens of one call, which cannot be")
    if prompt is None or answer is None or not prompt + answer:
        return None
    held = held or 0
    if held > prompt:
        _warn(model, f"{held} cached tokens of a prompt of {prompt}")
        prompt = prompt + held if both is not None and both >= prompt + held + answer else prompt
    return Usage(prompt, max(answer, (both or 0) - prompt), min(held, prompt))


def _warn(model: str, what: str) -> None:
    """Say it once for each model."""
    if model not in _warned:
        _warned.add(model)
        log.warning("The server of model %r reports %s. Such figures are bounded or estimated.", model, what)
