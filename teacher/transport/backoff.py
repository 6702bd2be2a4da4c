"""How long a server wants to be left alone, from the headers of its answer."""

import email.utils
import math
import re
from collections.abc import Mapping

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

LATER = 1e9
"""Seconds since 1970 (2001) above which a reset is a date and not a wait; above a thousand times it, milliseconds."""


def asked_wait(headers: Mapping[str, str], date: float) -> float | None:
    """Seconds to wait before the next request, or None where the server does not say.

    Read are `retry-after-ms`, `retry-after` (seconds or an HTTP date), and the resets of OpenAI
    (`x-ratelimit-reset-requests: 1m30s`, of what has run out, or else the later one) and of others
    (`x-ratelimit-reset`: seconds, or a date in seconds or milliseconds since 1970).

    Args:
        headers: Of the response, by lower-case name. Their `date` is now, where it is there: our clock may be wrong.
        date: Now, in seconds since 1970, where the server does not say.
    """
    date = _moment(headers.get("date", "")) or date
    if (given := _number(headers.get("retry-after-ms", ""))) is not None:
        return max(0.0, given / 1000)
    if (given := _retry_after(headers.get("retry-after", ""), date)) is not None:
        return max(0.0, given)
    resets = {kind: _duration(headers.get(f"x-ratelimit-reset-{kind}", "")) for kind in ("requests", "tokens")}
    known = {kind: wait for kind, wait in resets.items() if wait is not None}
    out = [wait for kind, wait in known.items() if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() == "0"]
    if known:
        return max(out or known.values())
    return _reset(headers.get("x-ratelimit-reset", ""), date)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _retry_after(text: str, date: float) -> float | None:
    if (seconds := _number(text)) is not None:
        return seconds
    moment = _moment(text)
    return None if moment is None else moment - date


def _moment(text: str) -> float | None:
    """An HTTP date in seconds since 1970."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _duration(text: str) -> float | None:
    """`6m0s`, `17ms`, `1h2m`, or bare seconds."""
    text = text.strip()
    if (seconds := _number(text)) is not None:
        return max(0.0, seconds)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def _reset(text: str, date: float) -> float | None:
    given = _duration(text)
    if given is None or given < LATER:
        return given
    return max(0.0, (given / 1000 if given > 1000 * LATER else given) - date)
