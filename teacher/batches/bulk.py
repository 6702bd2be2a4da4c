"""Many prompts in one batch of the server's: submitted once, waited for, and kept as if each had been asked by itself.

This comes before the ordinary calls for the same prompts: what a batch brings they find among the kept answers, checked
and repaired as ever, and what it does not bring they ask for. So a batch can fail in any way and nothing is lost but
its discount. What is pending lies in the run folder from before it is submitted until all it brought is kept.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from openai.types import Batch
from pydantic import BaseModel

from teacher.base import Progress
from teacher.batches.api import ENDPOINT, BatchApi, NoBatches
from teacher.batches.lines import Delivered
from teacher.batches.pending import Pending, PendingBatches
from teacher.batches.waiting import ENDED, Waiting
from teacher.budget import Cost
from teacher.calls import Calls, Delivery, Purpose
from teacher.client import Client
from teacher.connection import Connection
from teacher.endpoint import shown_address
from teacher.request import Request
from teacher.settings import BatchSettings, TeacherSettings

log = logging.getLogger(__name__)

MOST = 50_000
"""Requests that OpenAI takes in one file."""

MOST_BYTES = 150_000_000
"""Of all requests in one file; OpenAI takes 200 million, with what is written around them."""


@dataclass(frozen=True)
class Wanted:
    """The distinct requests of one `ask`."""

    requests: Sequence[Request]
    lessons: Sequence[str | None]
    role: str
    cycle: int
    progress: Progress | None = None


class Bulk:
    """The batches of one run."""

    def __init__(self, calls: Calls, pending: PendingBatches, settings: TeacherSettings, waiting: Waiting) -> None:
        """Count what earlier processes left with servers against the budget.

        Args:
            calls: Cache, budget and ledger.
            pending: The batches of the run folder.
            settings: `[teacher]`; what is pending is fetched even where no more batches are wanted.
            waiting: Waits for the end of a batch.
        """
        self._calls, self._pending, self._settings, self._waiting = calls, pending, settings, waiting
        self._own = settings.batch or BatchSettings()
        self._apis: dict[Client, BatchApi] = {}
        self._without: set[Client] = set()
        for each in pending.all():
            calls.budget.owe(each.worst)

    def bring(self, client: Connection, wanted: Wanted, schema: type[BaseModel]) -> None:
        """Have batches answer what they can of some prompts; the rest is left to ordinary calls.

        Raises:
            BudgetExhausted: `max_minutes` ends while a batch is waited for.
            Interrupted: the run was asked to stop meanwhile.
            TeacherDown: the server cannot be asked, or takes longer than `batch.patience_hours`.
        """
        if not isinstance(client, Client):
            return
        keys = {request.key for request in wanted.requests}
        tried: set[str] = set()
        for each in self._pending.all():
            if (each.url, each.model) == (shown_address(client.url), client.model):
                tried |= self._fetch(client, each, wanted if any(own.key in keys for own in each.requests) else None)
        while pending := self._next(client, wanted, schema, tried):
            tried |= self._fetch(client, pending, wanted)

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        for api in self._apis.values():
            api.close()

    def _next(self, client: Client, wanted: Wanted, schema: type[BaseModel], tried: set[str]) -> Pending | None:
        """A batch of what is left, as much as the budget surely allows; None where ordinary calls are to go on."""
        if self._settings.batch is None or client.endpoint.kind != "openai" or client in self._without:
            return None
        left = [
            (request, lesson)
            for request, lesson in zip(wanted.requests, wanted.lessons, strict=True)
            if request.key not in tried and not self._calls.is_kept(request, wanted.role, wanted.cycle)
        ]
        worst = [self._calls.worst(client, request, self._own.price) for request, _ in left]
        room = min(self._calls.budget.fits(worst), _fit_into_a_file([request for request, _ in left]))
        if room < self._own.least:
            return None
        bodies = [client.body(request, schema) for request, _ in left[:room]]
        pending = Pending(
            name=secrets.token_hex(16), url=shown_address(client.url), model=client.model, role=wanted.role,
            cycle=wanted.cycle, created=int(self._waiting.clock.date()), price=self._own.price,
            worst=sum(worst[:room], Cost()), added=bodies[0][1], requests=tuple(request for request, _ in left[:room]),
            lessons=tuple(lesson for _, lesson in left[:room]),
        )  # fmt: skip
        return self._submitted(client, pending, [body for body, _ in bodies])

    def _submitted(self, client: Client, pending: Pending, bodies: Sequence[dict[str, object]]) -> Pending | None:
        """The batch with the id that the server gave it; None where it takes none."""
        lines = [
            {"custom_id": request.key, "method": "POST", "url": ENDPOINT, "body": body}
            for request, body in zip(pending.requests, bodies, strict=True)
        ]
        try:
            file, created = self._api(client).upload(pending, lines)
            pending = pending.model_copy(update={"created": created})
            self._pending.save(pending)  # before it is made: a kill at any moment leaves a name to look for
            self._calls.budget.owe(pending.worst)
            try:
                pending = pending.model_copy(update={"id": self._api(client).submit(pending, file)})
            except NoBatches:
                self._settle(pending, Cost())
                raise
        except NoBatches as error:
            self._give_up(client, f"takes no batch ({error})")
            return None
        self._pending.save(pending)
        return pending

    def _fetch(self, client: Client, pending: Pending, wanted: Wanted | None) -> set[str]:
        """Keep what a batch brings: once it has ended, or only if it has where nobody wants it now.

        Returns:
            The keys of its requests, for which no other batch is to be made; none if it never was one.
        """
        api = self._api(client)
        if not pending.id:
            pending = pending.model_copy(update={"id": api.find(pending)})
            if not pending.id:  # the kill came before the server made it
                self._settle(pending, Cost())
                return set()
            self._pending.save(pending)
        began = self._waiting.clock.now()
        batch = api.look(pending.id) if wanted is None else self._waiting.for_end(api, pending, wanted.progress)
        keys = {request.key for request in pending.requests}
        if batch is not None and batch.status not in ENDED:
            return keys
        if batch is not None and batch.status == "failed":
            self._give_up(client, f"could not do batch {batch.id} ({_why(batch)})")
        seconds = (self._waiting.clock.now() - began) / len(pending.requests)
        taken = self._keep(client, pending, Delivery(pending.id, pending.price, seconds), batch, api)
        self._settle(pending, taken)
        return keys

    def _keep(self, client: Client, pending: Pending, delivery: Delivery, batch: Batch | None, api: BatchApi) -> Cost:
        """Put every answer where ordinary calls look for it; returns what all of them cost."""
        came = Delivered(api.lines(batch) if batch else [], [request.key for request in pending.requests])
        taken = Cost()
        for request, lesson in zip(pending.requests, pending.lessons, strict=True):
            purpose, reply = Purpose(pending.role, pending.cycle, lesson), came.replies.get(request.key)
            if reply is not None:
                reply = client.without_key(replace(reply, added=pending.added))
            elif request.key in came.refused or batch is None or batch.status != "completed":
                continue  # not done, so not billed
            taken += self._calls.deliver(client, request, purpose, delivery, reply)
        if missing := len(pending.requests) - len(came.replies):
            how = batch.status if batch else "unknown to the server"
            log.warning(
                "Batch %s (%s) brought no answer to %d of %d prompts; they are asked for by ordinary calls.",
                pending.id, how, missing, len(pending.requests),
            )  # fmt: skip
        return taken

    def _settle(self, pending: Pending, taken: Cost) -> None:
        self._calls.budget.settle(pending.worst, taken)
        self._pending.drop(pending)

    def _give_up(self, client: Client, what: str) -> None:
        """Make ordinary calls from now on: what failed as a whole would fail again."""
        self._without.add(client)
        log.warning(
            "The teacher at %s %s. From now on ordinary calls are made, at the full price. "
            "If that lasts, set teacher.batch = false.", shown_address(client.url), what,
        )  # fmt: skip

    def _api(self, client: Client) -> BatchApi:
        if client not in self._apis:
            own = self._settings
            self._apis[client] = BatchApi(client, self._waiting.clock, own.patience, own.retries)
        return self._apis[client]


def _fit_into_a_file(requests: Sequence[Request]) -> int:
    """How many requests, from the first on."""
    size = 0
    for count, request in enumerate(requests[:MOST]):
        size += len(str(request.body))
        if size > MOST_BYTES:
            return count
    return min(len(requests), MOST)


def _why(batch: Batch) -> str:
    said = [each.message or each.code or "" for each in (batch.errors.data if batch.errors else None) or []]
    return "; ".join(" ".join(each.split())[:200] for each in said[:3]) or "no reason given"
