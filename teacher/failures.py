"""What can go wrong with a call, and how a user reads it: address, cause, remedy, and never the key."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import openai
from pydantic import SecretStr

from tasks.errors import EvoKDError
from teacher.base import TeacherDown
from teacher.endpoint import Endpoint, shown_address
from teacher.patient import AFTER_SILENCE, OutOfBudget, Unreachable, Untrusted
from teacher.responses import is_penniless

MOST_READ = 5000
"""Characters of an error page that are looked at."""

REMEDIES = {
    401: "Check the key in the environment variable {key}.",
    402: "The account has no money left: top it up, or use another key; then resume.",
    403: "The key in {key} may not use model {model!r}; ask for access or set another teacher.model.",
    404: "Check teacher.model ({model!r}) and teacher.base_url (it usually ends in /v1).",
    429: "The rate limit asks for more patience than teacher.patience = {patience:g} s: wait, or lower "
    "teacher.requests_per_minute or teacher.concurrency; then resume.",
}
"""HTTP status -> what to do; with these no other call would do better."""


NO_ANSWER = "the reply is not an OpenAI answer"

OF_CONTENT = (
    r"context.?(length|window|size|limit)|maximum context|too long|too many tokens|content.?(filter|management)"
)
"""What servers say of a request that no other form would better."""


class CallFailed(EvoKDError):
    """One call got no answer although the server is up; the item is lost, the run goes on."""

    def __init__(self, message: str, status: int = 0) -> None:
        """Keep the HTTP status, 0 if there was none."""
        super().__init__(message)
        self.status = status

    @property
    def of_form(self) -> bool:
        """Whether the server refused what was asked for, and not for its length or content: another form may do."""
        return self.status in (400, 422) and not re.search(OF_CONTENT, str(self), re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a call went."""

    url: str
    model: str
    key: SecretStr
    endpoint: Endpoint
    retries: int
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
    cause = place.masked(_words(error))
    if isinstance(error, OutOfBudget):
        return CallFailed(cause)
    if isinstance(error, Unreachable):
        return _unreachable(error, cause, place)
    if isinstance(error, openai.APIConnectionError):
        return _unanswered(isinstance(error, openai.APITimeoutError), cause, place)
    if not isinstance(error, openai.APIStatusError):
        return CallFailed(f"{NO_ANSWER}: {cause}", 200)
    return refused(error.status_code, cause, is_penniless(error.response), place)


def given_up(endpoint: Endpoint, calls: int, last: CallFailed) -> TeacherDown:
    """The error that stops a run where calls fail one after the other."""
    return TeacherDown(
        f"The teacher at {shown_address(endpoint.url)} (model {endpoint.model!r}) failed {calls} calls in a row. The "
        f"last one: {last}. Correct the setting under [teacher] that this names, or see the server's log; then resume."
    )


def _unreachable(error: Unreachable, cause: str, place: Place) -> TeacherDown:
    if isinstance(error, Untrusted):
        remedy = "Name the file with the certificate of its issuer in the environment variable SSL_CERT_FILE."
        return place.down(f"shows a certificate that is not trusted here ({cause})", remedy)
    if place.last_words:
        return place.down(f"cannot be reached ({cause})", place.last_words())
    remedy = "Start the server or correct teacher.base_url, then resume."
    return place.down(f"cannot be reached{_proxied(place.url)} ({cause})", remedy)


def _unanswered(is_late: bool, cause: str, place: Place) -> EvoKDError:
    tries = 1 + (min(AFTER_SILENCE, place.retries) if is_late else place.retries)
    if place.alive:
        what = "gave no answer in time" if is_late else "dropped the connection"
        return CallFailed(f"the server {what}, {tries} times, while it answered other calls")
    if not is_late:
        return place.down(f"drops the connection ({cause})", "Check the server's log, then resume.")
    return place.down(
        f"gave no answer within {place.endpoint.timeout:g} s, {tries} times",
        "If the model is slow, raise teacher.timeout or lower teacher.concurrency; then resume.",
    )


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


def _words(error: openai.OpenAIError) -> str:
    """What the server said: the SDK passes on OpenAI's way of saying it alone, and gateways are general there."""
    said = str(error)
    if isinstance(error, openai.APIStatusError):
        own = error.response.text.strip()[:MOST_READ]
        if own and (said == f"Error code: {error.status_code}" or "metadata" in own):
            return re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]*>", " ", own, flags=re.DOTALL | re.IGNORECASE)
    return said


def _proxied(url: str) -> str:
    """A word on the proxy that a call to an address goes through."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme) or getproxies().get("all")
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    return f" through the proxy {shown_address(proxy)} that the environment names (NO_PROXY lists exceptions)"
