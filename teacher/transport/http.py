"""The HTTP client under the SDK: below it a call that is repeated is still one call in the trace."""

import json
from typing import Any

import httpx2
import openai

from .body import ENCODINGS, Body
from .error_classification import answer_in, broken
from .mending import mend
from .retries import Retries, Tokens


class HttpClient(openai.DefaultHttpxClient):
    """Sends every request through `Retries`, and hands the SDK nothing but answers."""

    def __init__(self, tries: Retries, timeout: float, model: str, **options: Any) -> None:
        """Open no connection yet.

        Args:
            tries: Repeats what may have been an accident.
            timeout: Seconds without a byte; a whole answer may take twice as many.
            model: Whose answers these are, for warnings.
            options: Of httpx.
        """
        super().__init__(timeout=timeout, **options)
        self._tries, self._patience, self._model = tries, timeout, model

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """The answer to one request; raises `CallError` as `Retries.make` does."""
        request.headers["Accept-Encoding"] = ENCODINGS
        return self._tries.make(lambda: self._once(request, **options), len(request.read()))

    def _once(self, request: httpx2.Request, **options: Any) -> tuple[httpx2.Response, Tokens | None]:
        """Make one try."""
        try:
            response = self._whole(request, **options)
        except httpx2.RequestError as error:
            raise broken(error) from error
        answer = answer_in(response)
        if mend(answer, self._model):
            response = _response(response, json.dumps(answer).encode())
        return response, _tokens(answer)

    def _whole(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Read all of an answer. A server that sends a byte now and then is not waited for without end."""
        clock = self._tries.limiter.clock
        began = clock.stopwatch()
        response = super().send(request, **{**options, "stream": True})
        try:
            body = Body(response)
            for chunk in response.iter_raw():
                body.add(chunk)
                if clock.stopwatch() - began > 2 * self._patience:
                    raise httpx2.ReadTimeout("the answer began but was not whole in time", request=request)
        finally:
            response.close()
        return _response(response, bytes(body))


def _response(response: httpx2.Response, content: bytes) -> httpx2.Response:
    """The same response with other content, unpacked."""
    headers = httpx2.Headers(response.headers)
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        headers.pop(name, None)
    return httpx2.Response(
        response.status_code, headers=headers, content=content, request=response.request,
        extensions=response.extensions,
    )  # fmt: skip


def _tokens(answer: dict[str, Any]) -> Tokens | None:
    """Tokens in and out of a mended answer; without them the pace's estimate stands."""
    usage = answer.get("usage")
    return (usage["prompt_tokens"], usage["completion_tokens"]) if usage else None
