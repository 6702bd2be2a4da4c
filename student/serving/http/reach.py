"""How much of a text a student reads, for requests that want no text cut."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reach:
    """How much of a text a student reads."""

    tokens: int
    """Most tokens of one text."""
    count: Callable[[str], int]
    """The tokens of a text."""


def reach_in(folder: Path) -> Reach | None:
    """What a student's folder says; None where it does not say, or where texts are read whole (entities)."""
    config, pieces = folder / "config.json", folder / "tokenizer.json"
    if not (config.is_file() and pieces.is_file()):
        return None
    said = json.loads(config.read_text(encoding="utf-8"))
    most = said.get("evokd_max_length")
    if not isinstance(most, int) or any("TokenClassification" in each for each in said.get("architectures") or ()):
        return None
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(pieces))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return Reach(most, lambda text: len(tokenizer.encode(text).ids))
