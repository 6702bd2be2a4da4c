"""The HTTP client under the SDK: below it a call that is repeated is still one call in the trace."""

from typing import Any

import httpx2
import openai

from .error_classification import answer_in, broken
from .retries import Retries, Tokens


class HttpClient(openai.DefaultHttpxClient):
    """Sends every request through `Retries`, and hands the SDK nothing but answers."""

    def __init__(self, tries: Retries, timeout: float, **options: Any) -> None:
        """Open no connection yet.

        Args:
            tries: Repeats what may have been an accident.
            timeout: Seconds without a byte; a whole answer may take twice as many.
            options: Of httpx.
        """
        super().__init__(timeout=timeout, **options)
        self._tries, self._patience = tries, timeout

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """The answer to one request; raises `CallError` as `Retries.make` does."""
        return self._tries.make(lambda: self._once(request, **options), len(request.read()))

    def _once(self, request: httpx2.Request, **options: Any) -> tuple[httpx2.Response, Tokens | None]:
        """Make one try."""
        try:
            response = self._whole(request, **options)
        except httpx2.RequestError as error:
            raise broken(error) from error
        return response, _tokens(answer_in(response))

    def _whole(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Read all of an answer. A server that sends a byte now and then is not waited for without end."""
        clock = self._tries.limiter.clock
        began, body = clock.stopwatch(), bytearray()
        response = super().send(request, **{**options, "stream": True})
        try:
            for chunk in response.iter_raw():
                body += chunk
                if clock.stopwatch() - began > 2 * self._patience:
                    raise httpx2.ReadTimeout("the answer began but was not whole in time", request=request)
        finally:
            response.close()
        return httpx2.Response(
            response.status_code, headers=response.headers, content=bytes(body), request=request,
            extensions=response.extensions,
        )  # fmt: skip


def _tokens(answer: dict[str, Any]) -> Tokens | None:
    try:
        usage = answer["usage"]
        return int(usage["prompt_tokens"]), int(usage.get("completion_tokens") or 0)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None  # then the pace's estimate stands
