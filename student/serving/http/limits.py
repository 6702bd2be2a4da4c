"""What one request may ask, and what the server may hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of the memory and the time that clients can take.

    Bytes of a body and texts of a request are as many as Text Embeddings Inference takes.
    """

    body: int = 2_000_000
    """Bytes of a request's body."""
    texts: int = 32
    """Texts of one request."""
    characters: int = 10_000
    """Characters of one text. Classifiers cut a text anyway; entities are sought in all of it, window by window."""
    waiting: int = 512
    """Texts taken and not yet answered. A request that would pass it is refused: its client tries again later."""
