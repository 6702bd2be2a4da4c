"""How figures and foreign texts are written for a terminal."""

import unicodedata

from .run_files import Row


def percent(score: Row | None) -> str:
    """A score in whole percent."""
    return f"{100 * score['value']:.0f} %" if score else "-"


def interval(score: Row | None) -> str:
    """A score in percent with its interval."""
    return f"{100 * score['value']:.1f} {bounds(score, '.0f')}" if score else "-"


def bounds(score: Row, form: str) -> str:
    """Its interval in percent, each end in a format like `.0f`."""
    if score["low"] is None:
        return "[too few to tell]"
    return f"[{100 * score['low']:{form}}, {100 * score['high']:{form}}]"


def harmless(text: str) -> str:
    """A text of a model or a user for the terminal: control characters, which could drive it, are spelt out."""
    kept = {"\n", "\t"}
    return "".join(c if c in kept or unicodedata.category(c) not in ("Cc", "Cs") else ascii(c)[1:-1] for c in text)
