"""What can go wrong with a call, and how a user reads it: address, cause, remedy, and never the key."""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from pydantic import SecretStr

from tasks.errors import EvoKDError
from teacher.base import TeacherDown
from teacher.settings import Endpoint

REMEDIES = {
    401: "Check the key in the environment variable {key}.",
    402: "The account has no money left: top it up, or use another key; then resume.",
    403: "The key in {key} may not use model {model!r}; ask for access or set another teacher.model.",
    404: "Check teacher.model ({model!r}) and teacher.base_url (it usually ends in /v1).",
    429: "The rate limit held through every retry: lower teacher.concurrency or wait; then resume.",
}
"""HTTP status -> what to do; with these no other call would do better."""


class CallFailed(EvoKDError):
    """One call got no answer although the server is up; the item is lost, the run goes on."""

    def __init__(self, message: str, status: int = 0) -> None:
        """Keep the HTTP status, 0 if there was none."""
        super().__init__(message)
        self.status = status


class Unreachable(openai.OpenAIError):
    """Nobody listens there; an `OpenAIError`, so the SDK does not try again."""


class QuickToFail(openai.DefaultHttpxClient):
    """The SDK's HTTP client, without the retries that can't help: nobody listening, no such host, no money left."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send one request."""
        try:
            response = super().send(request, **options)
        except httpx2.ConnectError as error:
            cause: BaseException | None = error
            while cause is not None:
                if isinstance(cause, ConnectionRefusedError | socket.gaierror):
                    raise Unreachable(str(cause)) from error
                cause = cause.__cause__ or cause.__context__
            raise
        if response.status_code == 429 and b"insufficient_quota" in response.read():
            response.headers["x-should-retry"] = "false"
        return response


@dataclass(frozen=True)
class Place:
    """Where a call went."""

    url: str
    model: str
    key: SecretStr
    endpoint: Endpoint
    tries: int
    last_words: Callable[[], str] | None
    """Of the embedded server."""

    def masked(self, text: str) -> str:
        """An error text without the key, or what a server may quote of it."""
        key = self.key.get_secret_value()
        text = text if key == "none" else text.replace(key, "***")
        text = re.sub(r"\b(sk|gsk|key)-[\w*.-]{4,}", "***", text)
        return " ".join(text.split())[:400]

    def down(self, what: str, remedy: str) -> TeacherDown:
        """The error that stops a run."""
        parts = urlsplit(self.url)
        address = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
        return TeacherDown(f"The teacher at {address} (model {self.model!r}) {what}. {remedy}")


def explained(error: openai.OpenAIError, place: Place) -> EvoKDError:
    """`TeacherDown` where no other call would do better, else `CallFailed`."""
    cause = place.masked(str(error))
    if isinstance(error, Unreachable):
        remedy = (
            place.last_words() if place.last_words else "Start the server or correct teacher.base_url, then resume."
        )
        return place.down(f"cannot be reached ({cause})", remedy)
    if isinstance(error, openai.APITimeoutError):
        return place.down(
            f"gave no answer within {place.endpoint.timeout:g} s, {place.tries} times",
            "If the model is slow, raise teacher.timeout or lower teacher.concurrency; then resume.",
        )
    if isinstance(error, openai.APIConnectionError):
        return place.down(f"drops the connection ({cause})", "Check the server's log, then resume.")
    if not isinstance(error, openai.APIStatusError):
        return CallFailed(f"the reply is not an OpenAI answer: {cause}")
    if remedy := REMEDIES.get(error.status_code, ""):
        if "insufficient_quota" in error.response.text:
            remedy = REMEDIES[402]
        known = remedy.format(key=place.endpoint.api_key_env, model=place.model)
        return place.down(f"refuses with HTTP {error.status_code} ({cause})", known)
    return CallFailed(f"the server answered HTTP {error.status_code}: {cause}", error.status_code)
