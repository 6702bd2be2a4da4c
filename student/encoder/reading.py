"""The tokenizers of transformers, as codecs ask them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..codecs.tokenizer import FastTokenizer, Tokenizer


@dataclass(frozen=True)
class SlowTokenizer:
    """A tokenizer that is written in Python (BERT for Japanese, ...): it has no tokenizer.json, and tells no places."""

    own: Any
    pad: int

    def ids(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """The token ids of each text, at most `limit` of them."""
        found: list[list[int]] = self.own(list(texts), truncation=True, max_length=limit)["input_ids"]
        return found

    def encodings(self, texts: Sequence[str]) -> list[Any]:
        """Nothing: `TokenHead.prepare` has refused it.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{type(self.own).__name__} cannot say where in a text its tokens stand.")


def reading(tokenizer: Any) -> Tokenizer:
    """The tokenizer for a codec."""
    if tokenizer.is_fast:
        return FastTokenizer(tokenizer.backend_tokenizer, tokenizer.pad_token_id, tokenizer.truncation_side)
    return SlowTokenizer(tokenizer, tokenizer.pad_token_id)
