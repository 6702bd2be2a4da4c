"""One call as data: what is sent, its hash, its seed, and what came back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ..base import Usage
from .figures import read_count
from .keys import mask

Path = Literal["/chat/completions", "/completions"]


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Request:
    """A call as it is meant.

    `body` is the request body without credentials, seed and address: a server that moved, a renewed key, another
    timeout are the same call. `response_format` is always the strict schema here, even where the server understands
    less, so that an answer is found again before the server is asked.
    """

    path: Path
    body: dict[str, Any]
    sample: int
    run_seed: int
    wanted: tuple[str, ...] = ()
    """For a rating: the continuations whose tokens are kept of the answer's log-probabilities."""
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What is asked, as data: `Prompt.about`. No hash has it."""

    @property
    def prompt(self) -> str:
        """Hash of what is asked, the same for every sample of it."""
        return _sha([self.path, self.body, list(self.wanted)])[:32]

    @property
    def seed(self) -> int:
        """Stable, and different for every sample and run seed."""
        return int(_sha([self.run_seed, self.prompt, self.sample])[:8], 16) & 0x7FFFFFFF

    @property
    def key(self) -> str:
        """Where the answer is kept: the body with its seed, and the sample index."""
        return _sha([self.path, {**self.body, "seed": self.seed}, list(self.wanted), self.sample])

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation; a text to continue is one turn of role `text`."""
        if self.path == "/completions":
            return [{"role": "text", "content": self.body["prompt"]}]
        return [dict(message) for message in self.body["messages"]]


def _sha(value: object) -> str:
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Reply:
    """A server's answer, JSON-like all through."""

    text: str
    finish_reason: str | None = None
    refusal: str | None = None
    tops: list[dict[str, float]] = field(default_factory=list)
    """Per generated token: the listed tokens and their log-probabilities."""
    tokens: list[str] = field(default_factory=list)
    """The generated tokens themselves, where log-probabilities were asked for."""
    usage: Usage = field(default_factory=Usage)
    added: str = ""
    """What was appended to the last message for a server that takes no schema."""
    thoughts: str = ""
    """What the model thought before, where the server tells; not kept."""

    def without(self, secrets: tuple[str, ...]) -> "Reply":
        """The same with no secret in any text of it: a server may say back what it was sent."""
        hidden = mask(self.text, secrets), mask(self.thoughts, secrets)
        refusal = None if self.refusal is None else mask(self.refusal, secrets)
        return replace(self, text=hidden[0], thoughts=hidden[1], refusal=refusal)

    def dump(self) -> str:
        """JSON for the cache."""
        kept = {name: value for name, value in asdict(self).items() if name != "thoughts"}
        return json.dumps(kept)  # ASCII: SQLite refuses lone surrogates

    @classmethod
    def load(cls, text: str) -> "Reply":
        """Read what `dump` wrote."""
        data = json.loads(text)
        counts = {name: read_count(value) or 0 for name, value in data["usage"].items()}
        return cls(**{**data, "usage": Usage(**counts)})
