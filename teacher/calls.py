"""One call from cache to ledger: looked up, allowed by the budget, made, kept, and only then looked at."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel

from teacher.base import Usage
from teacher.budget import FIRST_GUESS, Budget, Cost
from teacher.cache import AnswerCache
from teacher.client import Client
from teacher.failures import CallFailed
from teacher.ledger import Entry, Ledger
from teacher.request import Reply, Request, canonical

R = TypeVar("R")


@dataclass(frozen=True)
class Purpose:
    """Who asks, and why; for the ledger."""

    role: str
    cycle: int
    lesson: str | None = None
    attempt: Literal["first", "repair"] = "first"


Verdict = Callable[[Reply], str | None]
"""Looks at a reply; None if it is fine, else what is wrong with it."""


class Calls:
    """All calls of one run go through here, from any thread."""

    def __init__(self, cache: AnswerCache, ledger: Ledger, budget: Budget) -> None:
        """Bring ledger and budget up to date with what earlier processes of the run paid."""
        self.cache = cache
        self.ledger = ledger
        self.budget = budget
        self._longest: dict[str, int] = {}
        self._lock = threading.Lock()
        ledger.complete(cache.entries(ledger.run))
        budget.restore(ledger.cost)

    def make(
        self,
        client: Client,
        request: Request,
        purpose: Purpose,
        config: RunnableConfig,
        schema: type[BaseModel] | None = None,
        verdict: Verdict = lambda reply: None,
        keep: Callable[[Reply], Reply] = lambda reply: reply,
    ) -> tuple[Reply, bool]:
        """Answer a request from the cache, or ask and remember.

        Args:
            client: Whom to ask.
            request: What to ask; also where the answer is kept.
            purpose: For the ledger.
            config: LangChain's, so that the call appears under its batch in the trace.
            schema: What the answer should fit, if anything.
            verdict: Judges the reply for the ledger.
            keep: What of a reply is worth keeping.

        Returns:
            The reply, and whether it came from the cache.

        Raises:
            BudgetExhausted: before the call.
            TeacherDown: the server as a whole fails.
            CallFailed: this call alone failed; it is in the ledger.
        """
        kept = self.cache.get(request.key)
        if kept is not None:
            reply = Reply.load(kept)
            entry = self._entry(client, request, purpose, Usage(), 0.0)
            self._note({**entry, "usd": 0.0, "from_cache": True}, request, reply, verdict)
            return reply, True
        entry, reply = self._ask(client, request, purpose, lambda: keep(client.send(request, config, schema)))
        self._note(entry, request, reply, verdict)
        return reply, False

    def close(self) -> None:
        """Release the files; safe to call twice."""
        self.ledger.close()
        self.cache.close()

    def _ask(
        self, client: Client, request: Request, purpose: Purpose, send: Callable[[], Reply]
    ) -> tuple[Entry, Reply]:
        """Make the call within the budget; the answer is on disk before anything looks at it."""
        with self.budget.reserve(self._estimate(client, request)) as book:
            started = time.monotonic()
            try:
                reply = send()
            except CallFailed as error:
                entry = self._entry(client, request, purpose, Usage(), time.monotonic() - started)
                self.ledger.write({**entry, "outcome": f"error: {error}"})
                book(Cost(calls=1))
                raise
            entry = self._entry(client, request, purpose, reply.usage, time.monotonic() - started)
            self.cache.put(request.key, reply.dump(), self.ledger.run, dict(entry))
            book(Cost(1, reply.usage.input + reply.usage.output, entry["usd"] or 0.0))
        with self._lock:
            self._longest[client.model] = max(reply.usage.output, self._longest.get(client.model, 0))
        return entry, reply

    def _note(self, entry: Entry, request: Request, reply: Reply, verdict: Verdict) -> None:
        problem = verdict(reply)
        fine = "ok" if entry["attempt"] == "first" else "repaired"
        outcome = fine if problem is None else f"bad answer: {problem}"
        self.ledger.write({**entry, "outcome": outcome})
        messages = request.messages
        messages[-1]["content"] += reply.added
        self.ledger.transcribe(entry, messages, reply.text)

    def _entry(self, client: Client, request: Request, purpose: Purpose, usage: Usage, seconds: float) -> Entry:
        return Entry(
            id=secrets.token_hex(8),
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            role=purpose.role,
            cycle=purpose.cycle,
            lesson=purpose.lesson,
            model=client.model,
            prompt=request.prompt,
            sample=request.sample,
            input=usage.input,
            output=usage.output,
            cached_input=usage.cached_input,
            usd=client.endpoint.usd(usage.input, usage.output),
            seconds=round(seconds, 3),
            attempt=purpose.attempt,
            from_cache=False,
            outcome="answered",
        )

    def _estimate(self, client: Client, request: Request) -> Cost:
        """Tokens and money a call will hardly exceed: three characters a token, the longest answer so far."""
        tokens_in = len(canonical(request.body)) // 3
        with self._lock:
            seen = self._longest.get(client.model)
        tokens_out = seen if seen is not None else request.body.get("max_tokens") or FIRST_GUESS
        return Cost(1, tokens_in + tokens_out, client.endpoint.usd(tokens_in, tokens_out) or 0.0)
