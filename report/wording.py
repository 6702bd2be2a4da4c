"""How figures and foreign texts are written for a terminal."""

from ..tasks.wording import harmless
from .run_files import Row

__all__ = ["bounds", "harmless", "interval", "percent"]


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
