"""How long the texts of a task are, and so how many of them a teacher can write in one call."""

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..base import Services

MOST_PER_CALL, LONGEST_ANSWER = 15, 2500
"""Most texts that are asked for in one call, and most tokens that they may take."""

TOKENS_OF_A_WORD = 1.4

WIDE = re.compile("[\u2e81-\U0010ffff]")
"""A letter of a script that does not separate words, or another sign that is a token of its own."""

LONGEST_WORD = 15
"""Characters between spaces, on average, above which spaces do not part words; English has 6, German 7."""


@dataclass(frozen=True)
class Lengths:
    """How long texts of this task are."""

    low: int
    high: int
    unit: Literal["words", "characters"]
    """Characters where words are not set apart by spaces (Chinese, Japanese, Thai)."""

    def of(self, text: str) -> int:
        """The length of a text, in this unit."""
        return len(text.split()) if self.unit == "words" else len(text)

    @property
    def per_call(self) -> int:
        """Texts that a teacher writes in one call: a long answer is cut off, or comes after the connection has died."""
        tokens = self.high * (TOKENS_OF_A_WORD if self.unit == "words" else 1.0)
        return max(1, min(MOST_PER_CALL, int(LONGEST_ANSWER / tokens)))


def measure_lengths(services: Services) -> Lengths:
    """From the seeds and the user's unlabelled texts."""
    texts = [*(example.shown().text for example in services.memory.samples("seed")), *services.pool]
    words = [len(text.split()) for text in texts]
    unit: Literal["words", "characters"] = "words"
    if sum(map(len, texts)) > LONGEST_WORD * sum(words):
        unit, words = "characters", [len(text) for text in texts]
    if len(words) < 30:  # the fewer they are, the less they say of the shortest and the longest: allow a margin
        margin = 1 / math.sqrt(1 + len(words))
        return Lengths(max(1, int(min(words) * (1 - margin))), max(3, round(max(words) * (1 + margin))), unit)
    low, high = np.quantile(words, [0.1, 0.9])
    return Lengths(max(1, int(low)), max(3, round(high)), unit)


def tokens_of(text: str) -> int:
    """Tokens of a text, about: four characters of a language that separates words, one of any other."""
    wide = 0 if text.isascii() else len(WIDE.findall(text))  # prompts of a thousand labels are long, and many
    return -(-(len(text) - wide) // 4) + wide
