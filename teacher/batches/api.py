"""A server's batch API: a file of requests goes up, the batch is looked at, files of answers come down."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any, Literal

import openai
from openai.types import Batch

from tasks.errors import EvoKDError
from teacher.base import TeacherDown
from teacher.batches.pending import Pending
from teacher.client import Client
from teacher.failures import CallFailed, explained
from teacher.pace import Clock, Limits, Pace
from teacher.patient import PatientClient

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"

ABSENT = frozenset({404, 405, 501})
"""What a server answers that does not know an address."""

REFUSED = ABSENT | {400, 413, 422}
"""What it answers, moreover, to a file or a batch that it will not take."""

SKEW = 3600
"""Seconds by which the server's clock may be behind the one that said when a batch was made: itself, mostly."""


class NoBatches(EvoKDError):
    """The server has no batch API, or will not take this batch; ordinary calls may do."""


class BatchApi:
    """The batch API behind one client. Its limits are not those of ordinary calls, so it keeps a pace of its own."""

    def __init__(self, client: Client, clock: Clock, patience: float, retries: int) -> None:
        """Open no connection yet.

        Args:
            client: Who has address, key and time limit.
            clock: For the waits between tries.
            patience: Seconds a rate limit is waited out.
            retries: Repetitions of one call.
        """
        self._client, self._retries = client, retries
        self._pace = Pace(Limits(concurrency=1, patience=patience), clock)
        self._patient = self._sdk(retries)
        self._once = self._sdk(0)

    def upload(self, pending: Pending, lines: Iterable[dict[str, Any]]) -> tuple[str, int]:
        """Send the file of requests, which costs nothing yet; returns its id, and when that was by the server's clock.

        Raises:
            NoBatches: the server takes no such files, or not this one.
            TeacherDown: it refuses for good, or is in trouble.
        """
        data = b"".join(json.dumps(line).encode("ascii") + b"\n" for line in lines)
        with self._told(REFUSED):
            file = self._patient.files.create(file=(f"{pending.name}.jsonl", data), purpose="batch")
            return file.id, file.created_at if isinstance(file.created_at, int) else pending.created

    def submit(self, pending: Pending, file: str) -> str:
        """Make a batch of an uploaded file; returns its id.

        This is never repeated blindly: where no answer came, the batch may be there all the same.

        Raises:
            NoBatches: the server takes none, or not this one.
            TeacherDown: it refuses for good, or is in trouble; the batch may be found later.
        """
        for tries in range(self._retries + 1):
            try:
                with self._told(REFUSED):
                    made = self._once.batches.create(
                        input_file_id=file,
                        endpoint=ENDPOINT,
                        completion_window="24h",
                        metadata={"evokd": pending.name},
                    )
                    return made.id
            except TeacherDown:
                if tries == self._retries:
                    raise
            self._pace.rest(2.0**tries)
            if found := self.find(pending):
                return found
        raise AssertionError("the last try returns or raises")

    def find(self, pending: Pending) -> str:
        """The id of a batch by the name we gave it; empty where the server has none of that name.

        Raises:
            TeacherDown: the server cannot be asked.
        """
        with contextlib.suppress(NoBatches), self._told(ABSENT):
            listed = takewhile(
                lambda each: each.created_at > pending.created - SKEW, self._patient.batches.list(limit=100)
            )
            return next((each.id for each in listed if (each.metadata or {}).get("evokd") == pending.name), "")
        return ""

    def look(self, id: str) -> Batch | None:
        """How far a batch is; None where the server does not know it (any more).

        Raises:
            TeacherDown: the server cannot be asked.
        """
        with contextlib.suppress(NoBatches), self._told(ABSENT):
            return self._patient.batches.retrieve(id)
        return None

    def lines(self, batch: Batch) -> list[str]:
        """Every line of the answers and of the errors, none of it checked; nothing where a file is gone.

        Raises:
            TeacherDown: the server cannot be asked.
        """
        lines: list[str] = []
        for file in filter(None, (batch.output_file_id, batch.error_file_id)):
            with contextlib.suppress(NoBatches), self._told(ABSENT):
                lines += self._patient.files.content(file).content.decode("utf-8", "replace").split("\n")
        return lines

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        self._patient.close()
        self._once.close()

    def _sdk(self, retries: int) -> openai.OpenAI:
        own, timeout = self._client, self._client.endpoint.timeout
        http = PatientClient(self._pace, retries, timeout, lambda lost, wait: True)  # a batch's whole cost is allowed
        return openai.OpenAI(base_url=own.url, api_key=own.key, max_retries=0, timeout=timeout, http_client=http)

    @contextlib.contextmanager
    def _told(self, refusals: frozenset[int]) -> Iterator[None]:
        """The SDK's errors as ours, without the key."""
        place = self._client.place(self._pace.clock.now())
        try:
            yield
        except openai.OpenAIError as error:
            failure: EvoKDError = explained(error, place)
            if isinstance(error, openai.APIStatusError) and error.status_code in refusals:
                failure = NoBatches(f"HTTP {error.status_code}: {place.masked(str(error))}")
            elif isinstance(failure, CallFailed):
                failure = place.down(f"is in trouble with its batches ({failure})", "Resume to go on with them.")
        except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
            failure = place.down(f"gave no batch ({place.masked(str(error))})", "Check teacher.base_url, then resume.")
        else:
            return
        raise failure
