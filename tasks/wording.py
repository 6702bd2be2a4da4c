"""Foreign words, of users' rows and teachers' answers, made fit for prompts, errors and terminals."""

import unicodedata
from collections.abc import Mapping

DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks of writing direction, which show a text in another order than it has."""


def one_line(text: str) -> str:
    """A text without line breaks, so that it cannot pose as another item of a prompt's list or as another error."""
    return " ".join(text.split())


def describe_labels(description: str, heading: str, labels: Mapping[str, str]) -> str:
    """A task for a prompt: its description where there is one, the heading, then one line for each label."""
    lines = [f"- {name}: {one_line(about)}" if about else f"- {name}" for name, about in labels.items()]
    return "\n".join([*([description] if description else []), heading, *lines])


def harmless(text: str) -> str:
    """A text for a terminal, line breaks and tabs as they are.

    Control characters, which could drive the terminal, and marks of writing direction are spelt out.
    """
    return "".join(ascii(char)[1:-1] if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    if char in "\n\t":
        return False
    return char in DIRECTIONS or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
