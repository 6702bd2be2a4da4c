"""Tokenizers as codecs ask them, so that every runtime reads a text alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Side = Literal["right", "left"]


class Tokenizer(Protocol):
    """Turns texts into token ids."""

    @property
    def pad(self) -> int:
        """Id of the padding token."""

    def ids(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """The token ids of each text, at most `limit` of them."""

    def encodings(self, texts: Sequence[str]) -> list[Any]:
        """Each whole text as an `Encoding` of the library tokenizers: ids, and the place of each in the text."""


@dataclass(frozen=True)
class FastTokenizer:
    """One of the library tokenizers, which a tokenizer.json holds."""

    raw: Any
    """A `tokenizers.Tokenizer`. Only this class may set its truncation and padding."""
    pad: int
    side: Side = "right"
    """Where a text that is too long is cut."""

    def ids(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """The token ids of each text, at most `limit` of them."""
        wanted = {"max_length": limit, "stride": 0, "strategy": "longest_first", "direction": self.side}
        if self.raw.truncation != wanted:  # to set it while another thread reads is an error
            self.raw.enable_truncation(**wanted)
        return [encoding.ids for encoding in self._read(texts)]

    def encodings(self, texts: Sequence[str]) -> list[Any]:
        """Each whole text, with the places of its tokens."""
        if self.raw.truncation is not None:
            self.raw.no_truncation()
        return self._read(texts)

    def _read(self, texts: Sequence[str]) -> list[Any]:
        if self.raw.padding is not None:
            self.raw.no_padding()
        found: list[Any] = self.raw.encode_batch(list(texts))
        return found
