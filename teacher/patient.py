"""The HTTP client under the SDK: the one place where a call is repeated.

The SDK's own repetitions are off: each of its threads waits for itself, sees only `retry-after`, gives up a rate limit
after a count instead of a time, and cannot be told that another thread has just been refused. Below the SDK a call that
is repeated is still one call in the trace.
"""

import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx2
import openai

from teacher.pace import Pace, Turn
from teacher.responses import OVERLOADED, as_told, is_cut, is_passing
from teacher.tries import Tries, rest_after
from teacher.waits import asked_wait

AFTER_SILENCE = 1
"""Repetitions of a call after no answer in time: each may be billed, and makes a server that is too slow slower."""

AFTER_SENDING = (httpx2.ReadTimeout, httpx2.ReadError, httpx2.RemoteProtocolError)
"""The request was sent, so that the server may have worked, and may bill for it."""

Permits = Callable[[int, float], bool]
"""(tries of this thread's call that may be billed, seconds to wait) -> whether it may be made then."""


class Unreachable(openai.OpenAIError):
    """Nobody listens there; an `OpenAIError`, so that the SDK passes it on as it is."""


class Untrusted(Unreachable):
    """Who answers there shows a certificate that nobody we trust has signed."""


class OutOfBudget(openai.OpenAIError):
    """The call was not made, or not made again, because the run's budget does not allow it."""


class PatientClient(openai.DefaultHttpxClient):
    """Keeps the pace of its model, waits out rate limits, repeats what may have been an accident."""

    def __init__(self, pace: Pace, retries: int, timeout: float, permits: Permits, **options: Any) -> None:
        """Open no connection yet.

        Args:
            pace: Of the model; shared with other clients that ask it.
            retries: Repetitions of one call after trouble that is no rate limit.
            permits: Asked before every try.
            timeout: Seconds without a byte; a whole answer may take twice as many.
            options: Of httpx.
        """
        super().__init__(timeout=timeout, **options)
        self._tries = Tries()
        self._pace = pace
        self._retries = retries
        self._permits = permits
        self._patience = timeout

    def lost(self) -> int:
        """Tries of this thread, since this was last asked, whose answers never arrived whole: they may be billed."""
        return self._tries.take()

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send one request until it is answered, refused for good, or out of tries."""
        size, since, tries, silences, sent = len(request.read()), self._pace.clock.now(), 0, 0, 0
        while True:
            request.headers["x-stainless-retry-count"] = str(sent)
            sent += 1
            trouble: httpx2.RequestError | None = None
            with self._pace.turn(size) as turn:
                self._check()
                try:
                    response = self._once(request, **options)
                except httpx2.RequestError as error:
                    self._tries.lose(isinstance(error, AFTER_SENDING))
                    trouble = _worth_another(error)
                    if isinstance(error, httpx2.ReadTimeout):
                        silences += 1
                        self._pace.late(turn)
                else:
                    wait = asked_wait(response.headers, self._pace.clock.date())
                    if not is_passing(response):
                        self._answered(turn, response)
                        return response
                    if response.status_code in OVERLOADED or (response.status_code == 503 and wait is not None):
                        if not self._pace.refused(turn, wait, since):
                            return response
                        self._check(self._pace.closed_for)
                        continue
                    self._tries.lose(is_cut(response))
            tries += 1
            if tries > self._retries or silences > AFTER_SILENCE:
                if trouble is not None:
                    raise trouble
                return response
            pause = rest_after(tries)
            self._check(pause)
            self._pace.rest(pause)

    def _check(self, wait: float = 0.0) -> None:
        """Raise `OutOfBudget` if the next try may not be made in `wait` seconds."""
        if not self._permits(self._tries.lost, wait):
            raise OutOfBudget("the budget does not allow another try")

    def _once(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Make one try. A server that sends a byte now and then is not waited for without end."""
        began, body = self._pace.clock.stopwatch(), bytearray()
        response = super().send(request, **{**options, "stream": True})
        try:
            for chunk in response.iter_raw():
                body += chunk
                if self._pace.clock.stopwatch() - began > 2 * self._patience:
                    raise httpx2.ReadTimeout("the answer began but was not whole in time", request=request)
        finally:
            response.close()
        whole = httpx2.Response(
            response.status_code,
            headers=response.headers,
            content=bytes(body),
            request=request,
            extensions=response.extensions,
        )
        return as_told(whole)

    def _answered(self, turn: Turn, response: httpx2.Response) -> None:
        """Tell the pace; a refusal of the request is an answer too, one without tokens."""
        tokens: tuple[int, int] | None = None
        if self._pace.limits.tokens_per_minute is not None:
            try:
                usage = json.loads(response.content)["usage"]
                tokens = (int(usage["prompt_tokens"]), int(usage.get("completion_tokens") or 0))
            except (ValueError, TypeError, KeyError, RecursionError):
                tokens = None  # then the estimate stands
        self._pace.answered(turn, tokens)


def _worth_another(error: httpx2.RequestError) -> httpx2.RequestError:
    """The error, if the next try may go better.

    Raises:
        Unreachable: nobody listens there, there is no such host, or the address cannot be used or trusted.
    """
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.TooManyRedirects):
        raise Unreachable(str(error)) from error
    cause: BaseException | None = error if isinstance(error, httpx2.ConnectError | httpx2.ProxyError) else None
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise Untrusted(cause.verify_message) from error
        if isinstance(cause, ConnectionRefusedError | socket.gaierror):
            raise Unreachable(str(cause)) from error
        cause = cause.__cause__ or cause.__context__
    return error
