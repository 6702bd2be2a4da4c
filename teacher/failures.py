"""What can go wrong with a call, and how a user reads it: address, cause, remedy, and never the key."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import openai
from pydantic import SecretStr

from tasks.errors import EvoKDError
from teacher.base import TeacherDown
from teacher.endpoint import Endpoint
from teacher.patient import NO_MONEY, OutOfBudget, Unreachable

REMEDIES = {
    401: "Check the key in the environment variable {key}.",
    402: "The account has no money left: top it up, or use another key; then resume.",
    403: "The key in {key} may not use model {model!r}; ask for access or set another teacher.model.",
    404: "Check teacher.model ({model!r}) and teacher.base_url (it usually ends in /v1).",
    429: "The rate limit asks for more patience than teacher.patience = {patience:g} s: wait, or lower "
    "teacher.requests_per_minute or teacher.concurrency; then resume.",
}
"""HTTP status -> what to do; with these no other call would do better."""


class CallFailed(EvoKDError):
    """One call got no answer although the server is up; the item is lost, the run goes on."""

    def __init__(self, message: str, status: int = 0) -> None:
        """Keep the HTTP status, 0 if there was none."""
        super().__init__(message)
        self.status = status

    @property
    def of_form(self) -> bool:
        """Whether the server refused what was asked for, and not because of its length: another form may do."""
        return self.status in (400, 422) and "context" not in str(self).lower()


def shown_address(url: str) -> str:
    """An address without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


@dataclass(frozen=True)
class Place:
    """Where a call went."""

    url: str
    model: str
    key: SecretStr
    endpoint: Endpoint
    tries: int
    patience: float
    alive: bool
    """Whether other calls have been answered since this one began."""
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
        return TeacherDown(f"The teacher at {shown_address(self.url)} (model {self.model!r}) {what}. {remedy}")


def explained(error: openai.OpenAIError, place: Place) -> EvoKDError:
    """`TeacherDown` where no other call would do better, else `CallFailed`."""
    cause = place.masked(str(error))
    if isinstance(error, OutOfBudget):
        return CallFailed(cause)
    if isinstance(error, Unreachable):
        remedy = (
            place.last_words() if place.last_words else "Start the server or correct teacher.base_url, then resume."
        )
        return place.down(f"cannot be reached ({cause})", remedy)
    if place.alive and isinstance(error, openai.APIConnectionError):  # a timeout is one too
        what = "gave no answer in time" if isinstance(error, openai.APITimeoutError) else "dropped the connection"
        return CallFailed(f"the server {what}, {place.tries} times, while it answered other calls")
    if isinstance(error, openai.APITimeoutError):
        return place.down(
            f"gave no answer within {place.endpoint.timeout:g} s, {place.tries} times",
            "If the model is slow, raise teacher.timeout or lower teacher.concurrency; then resume.",
        )
    if isinstance(error, openai.APIConnectionError):
        return place.down(f"drops the connection ({cause})", "Check the server's log, then resume.")
    if not isinstance(error, openai.APIStatusError):
        return CallFailed(f"the reply is not an OpenAI answer: {cause}")
    return refused(error.status_code, cause, any(word in error.response.content for word in NO_MONEY), place)


def refused(status: int, cause: str, no_money: bool, place: Place) -> EvoKDError:
    """What a status other than success comes to: `TeacherDown` where no other call would do better."""
    remedy, variable = REMEDIES.get(status, ""), place.endpoint.api_key_env
    if not remedy and not no_money:
        return CallFailed(f"the server answered HTTP {status}: {cause}", status)
    if no_money:
        remedy = REMEDIES[402]
    if status == 401 and variable == "none":
        remedy = "It wants a key: name the environment variable that holds it in teacher.api_key_env."
    variable = variable or f"that the package of {place.model.partition(':')[0]!r} reads"
    known = remedy.format(key=variable, model=place.model, patience=place.patience)
    return place.down(f"refuses with HTTP {status} ({cause})", known)
