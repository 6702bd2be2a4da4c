"""A model all of whose answers are empty: no repair helps there, and each of them is paid for."""

import threading
from collections import defaultdict
from typing import Generic, TypeVar

from .base import TeacherDown
from .structured import without_thoughts
from .transport.connection import Connection
from .transport.request import Reply, Request

P = TypeVar("P")

IN_A_ROW = 4
"""Empty answers of a model that has never given another, after which it is given up."""

SHOWN = 200
"""Characters of what a model thought that are quoted."""


def is_empty(reply: Reply) -> bool:
    """Whether an answer says nothing at all; a refusal does, and so do probabilities."""
    is_stopped = reply.refusal or reply.tops or reply.finish_reason == "content_filter"
    return not is_stopped and not without_thoughts(reply.text)


class Silence(Generic[P]):
    """The empty answers of each model, until it has said something. Safe to use from many threads."""

    def __init__(self) -> None:
        """Begin with models that were never asked."""
        self._lock = threading.Lock()
        self._heard: set[str] = set()
        self._empty: dict[str, list[tuple[Request, P]]] = defaultdict(list)

    def hear(self, client: Connection, request: Request, purpose: P, reply: Reply) -> list[tuple[Request, P]]:
        """Count an answer; all of the model's, and whom they were for, once they are too many to go on."""
        name = f"{client.model} {client.endpoint.url}"
        with self._lock:
            if not is_empty(reply):
                self._heard.add(name)
            if name in self._heard:
                return []
            self._empty[name].append((request, purpose))
            return list(self._empty[name]) if len(self._empty[name]) >= IN_A_ROW else []


def explain_silence(client: Connection, count: int, last: Reply) -> TeacherDown:
    """The error that stops a run, with the setting that is likely wrong."""
    thoughts = " ".join((last.thoughts or last.text).split())
    if last.finish_reason == "length":
        why = "It ends at the token limit before the answer begins: raise teacher.max_tokens"
    elif thoughts:
        why = (
            f"All it says stands where models think: {thoughts[:SHOWN]!r}. Start the server with the reasoning parser "
            "of this model, or without one (vLLM: --reasoning-parser), or switch thinking off, e.g. extra_body = "
            "{ chat_template_kwargs = { enable_thinking = false } }"
        )
    else:
        why = "See the server's log and its chat template, or ask for JSON in words: teacher.structured = 'none'"
    return TeacherDown(
        f"The teacher at {client.endpoint.shown_url} (model {client.model!r}) gave {count} empty answers and no other "
        f"(finish_reason {last.finish_reason!r}). {why}; then resume: they are asked for anew."
    )
