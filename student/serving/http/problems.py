"""What a client is told when it gets no predictions: a status, a kind and one line."""

from typing import Literal

from ....tasks.wording import harmless, one_line

Kind = Literal["backend", "empty", "overloaded", "unauthorized", "unhealthy", "validation"]
"""`error_type` of an answer. The names are those of Text Embeddings Inference, which has none for a missing token."""


class Problem(Exception):
    """A request that gets no predictions; the message is one line, whatever it quotes."""

    def __init__(self, status: int, kind: Kind, message: str):
        super().__init__(harmless(one_line(message)))
        self.status = status
        self.kind = kind

    def body(self) -> dict[str, str]:
        """The answer's JSON."""
        return {"error": str(self), "error_type": self.kind}


def invalid(message: str) -> Problem:
    """JSON that is no request: 422, as Text Embeddings Inference has it."""
    return Problem(422, "validation", message)
