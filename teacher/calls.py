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

from ..tasks.errors import BudgetExhausted
from .accounting.budget import FIRST_GUESS, FIRST_WORST, Budget, Cost
from .accounting.ledger import Entry, Ledger
from .accounting.reuse import Answers
from .base import TeacherDown, Usage
from .silence import Silence, explain_silence, is_empty
from .structured import Parsed
from .transport.circuit_breaker import IN_A_ROW, CircuitBreaker
from .transport.connection import Connection
from .transport.errors import CallFailed, given_up
from .transport.request import Reply, Request, canonical

LOST = "lost: no whole answer came, so it was asked for again; tokens are estimated"


@dataclass(frozen=True)
class Purpose:
    """Who asks, and why; for the ledger."""

    role: str
    cycle: int
    lesson: str | None = None
    attempt: Literal["first", "repair"] = "first"


T = TypeVar("T", bound=BaseModel)

Read = Callable[[Reply], Parsed[T]]
"""Reads a reply, once: what a caller gets of it, and what is wrong with it for the ledger."""


class Calls:
    """All calls of one run go through here, from any thread."""

    def __init__(self, answers: Answers, ledger: Ledger, budget: Budget) -> None:
        """Bring ledger and budget up to date with what earlier processes of the run paid."""
        self.answers = answers
        self.ledger = ledger
        self.budget = budget
        self._longest: dict[str, int] = {}
        self._silence: Silence[Purpose] = Silence()
        self._streaks: dict[str, CircuitBreaker] = {}
        self._lock = threading.Lock()
        ledger.complete(answers.paid(ledger.run))
        budget.restore(ledger.cost)

    def make(
        self,
        client: Connection,
        request: Request,
        purpose: Purpose,
        config: RunnableConfig,
        read: Read[T],
        schema: type[T] | None = None,
        keep: Callable[[Reply], Reply] = lambda reply: reply,
    ) -> tuple[Reply, Parsed[T], bool]:
        """Answer a request from the cache, or ask and remember.

        Args:
            client: Whom to ask.
            request: What to ask; also where the answer is kept.
            purpose: For the ledger.
            config: LangChain's, so that the call appears under its batch in the trace.
            read: Reads the reply, after it has been kept.
            schema: What the answer should fit, if anything.
            keep: What of a reply is worth keeping.

        Returns:
            The reply, what was read in it, and whether it came from the cache.

        Raises:
            BudgetExhausted: before the call.
            TeacherDown: the server as a whole fails.
            CallFailed: this call alone failed; it is in the ledger.
        """
        if (known := self._find(request, purpose, read)) is not None:
            reply, parsed = known
            entry = self._entry(client, request, purpose, Usage(), 0.0)
            tokens = reply.usage.input + reply.usage.output
            entry |= {"usd": 0.0, "from_cache": True, "tokens": tokens}
        else:
            entry, reply = self._ask(client, request, purpose, lambda: keep(client.send(request, config, schema)))
            parsed = read(reply)
        self._note(entry, request, reply, parsed.problem)
        if known is None:
            self._hear(client, request, purpose, reply, parsed)
        return reply, parsed, known is not None

    def _find(self, request: Request, purpose: Purpose, read: Read[T]) -> tuple[Reply, Parsed[T]] | None:
        """What the run has been answered before, or another that shares its cache, if that can be used."""
        whose = (purpose.role, purpose.cycle)
        if (kept := self.answers.get(request, *whose)) is not None:
            reply = Reply.load(kept)
            return reply, read(reply)
        if (kept := self.answers.find_shared(request, *whose)) is None:
            return None
        reply = Reply.load(kept)
        parsed = read(reply)
        if parsed.problem is not None or is_empty(reply):
            return None
        self.answers.adopt(request, kept, *whose)
        return reply, parsed

    def _hear(self, client: Connection, request: Request, purpose: Purpose, reply: Reply, parsed: Parsed[T]) -> None:
        """Share a new answer that can be used.

        Raises:
            TeacherDown: the model has given nothing but empty answers. Those are asked for anew after a resume.
        """
        if parsed.problem is None and not is_empty(reply):
            self.answers.share(request, reply.dump(), purpose.role, purpose.cycle)
        if silent := self._silence.hear(client, request, purpose, reply):
            for asked, why in silent:
                self.answers.set_aside(asked, why.role, why.cycle)
            raise explain_silence(client, len(silent), reply)

    def close(self) -> None:
        """Release the files; safe to call twice."""
        self.ledger.close()
        self.answers.close()

    def _ask(
        self, client: Connection, request: Request, purpose: Purpose, send: Callable[[], Reply]
    ) -> tuple[Entry, Reply]:
        """Make the call within the budget; the answer is on disk before anything looks at it."""
        guess, worst = self._estimates(client, request)
        with self.budget.reserve(_cost(client, guess), _cost(client, worst)) as book:
            started = time.monotonic()
            try:
                reply = send()
            except (CallFailed, TeacherDown) as error:
                tries, refusal = [guess] * client.lost(), self.budget.refusal
                if not tries and refusal is None and isinstance(error, CallFailed):
                    tries = [Usage() if error.status else guess]  # a server that says what is wrong bills nothing
                for usage in tries:
                    each = self._entry(client, request, purpose, usage, (time.monotonic() - started) / len(tries))
                    book(self._failed(each, f"error: {error}"))
                if refusal is not None:
                    raise BudgetExhausted(refusal) from None
                if isinstance(error, CallFailed) and self._streak(client).ends_with(error, request):
                    raise given_up(client.endpoint, IN_A_ROW, error) from None
                raise
            self._streak(client).answered()
            entry = self._entry(client, request, purpose, reply.usage, time.monotonic() - started)
            self.answers.put(request, reply.dump(), self.ledger.run, dict(entry))
            book(_booked(entry))
            for _ in range(client.lost()):
                book(self._failed(self._entry(client, request, purpose, guess, 0.0), LOST))
        with self._lock:
            self._longest[client.model] = max(reply.usage.output, self._longest.get(client.model, 0))
        return entry, reply

    def _streak(self, client: Connection) -> CircuitBreaker:
        """One for each model and address."""
        with self._lock:
            return self._streaks.setdefault(f"{client.model} {client.endpoint.base_url}", CircuitBreaker())

    def _failed(self, entry: Entry, outcome: str) -> Cost:
        """Write down a try without a usable answer; what it counts for."""
        self.ledger.write({**entry, "outcome": outcome})
        return _booked(entry)

    def _note(self, entry: Entry, request: Request, reply: Reply, problem: str | None) -> None:
        fine = "ok" if entry["attempt"] == "first" else "repaired"
        outcome = fine if problem is None else f"bad answer: {problem}"
        self.ledger.write({**entry, "outcome": outcome})
        messages = request.messages
        messages[-1]["content"] += reply.added
        self.ledger.transcribe(entry, messages, reply.text)

    def _entry(self, client: Connection, request: Request, purpose: Purpose, usage: Usage, seconds: float) -> Entry:
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
            usd=client.endpoint.usd(usage.input, usage.output, usage.cached_input),
            seconds=round(seconds, 3),
            attempt=purpose.attempt,
            from_cache=False,
            outcome="answered",
        )

    def _estimates(self, client: Connection, request: Request) -> tuple[Usage, Usage]:
        """What a call is expected to take (three characters a token, the longest answer so far), and the worst.

        A token is at least one byte, so the worst of the prompt is certain; that of the answer is where `max_tokens` is
        set.
        """
        body, most = canonical(request.body), request.body.get("max_tokens")
        with self._lock:
            seen = self._longest.get(client.model)
        expected = seen if seen is not None else most or FIRST_GUESS
        worst = most or max(FIRST_WORST, 2 * (seen or 0))
        return (
            Usage(len(body) // 3, min(expected, worst)),
            Usage(len(body.encode("utf-8", "surrogatepass")), worst),
        )


def _cost(client: Connection, usage: Usage) -> Cost:
    return Cost(1, usage.input + usage.output, client.endpoint.usd(usage.input, usage.output) or 0.0)


def _booked(entry: Entry) -> Cost:
    return Cost(1, entry["input"] + entry["output"], entry["usd"] or 0.0)
