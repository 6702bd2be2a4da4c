"""What can go wrong with a call, and how a user reads it: address, cause, remedy, and never the key."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ...tasks.errors import EvoKDError
from ..address import shown_address
from ..base import TeacherDown
from ..endpoint import KINDS, Endpoint
from .error_classification import CallError
from .keys import mask

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

    @property
    def may_be_of_form(self) -> bool:
        """Whether it may be for the form: some servers fail so over a schema that they cannot take."""
        return self.of_form or self.status in (500, 501)


@dataclass(frozen=True)
class Place:
    """Where calls go."""

    endpoint: Endpoint
    url: str
    model: str
    secrets: tuple[str, ...]
    patience: float
    last_words: Callable[[], str] | None = None
    """Of the embedded server."""

    def masked(self, text: str) -> str:
        """An error text without the key, or what a server may quote of it."""
        text = re.sub(r"\b(sk|gsk|key)-[\w*.-]{4,}", "***", mask(text, self.secrets))
        return " ".join(text.split())[:400]

    def down(self, what: str, remedy: str) -> TeacherDown:
        """The error that stops a run."""
        return TeacherDown(f"The teacher at {shown_address(self.url)} (model {self.model!r}) {what}. {remedy}")


def explained(trouble: CallError, place: Place) -> EvoKDError:
    """`TeacherDown` where no other call would do better, else `CallFailed`."""
    cause = place.masked(str(trouble))
    if trouble.status == 200:
        return CallFailed(f"{NO_ANSWER}: {cause}", 200)
    if trouble.status:
        return _refused(trouble, cause, place)
    if trouble.what == "other":
        return CallFailed(f"the call failed: {cause}")
    if trouble.is_passing and trouble.alive:
        once = {"late": "gave no answer in time", "dropped": "dropped the connection"}
        what = once.get(trouble.what, f"could not be reached ({cause})")
        return CallFailed(f"the server {what}, {trouble.tries} times, while it answered other calls")
    return _down(trouble, cause, place)


def given_up(endpoint: Endpoint, calls: int, last: CallFailed) -> TeacherDown:
    """The error that stops a run where calls fail one after the other."""
    of_server = "Correct the setting under [teacher] that this names, or see the server's log"
    todo = "Correct the class" if endpoint.kind not in KINDS else of_server
    return TeacherDown(
        f"The teacher at {endpoint.shown_url} (model {endpoint.model!r}) failed {calls} calls in a row. The last one: "
        f"{last}. {todo}; then resume."
    )


def _down(trouble: CallError, cause: str, place: Place) -> TeacherDown:
    if trouble.what == "untrusted":
        remedy = "Name the file with the certificate of its issuer in the environment variable SSL_CERT_FILE."
        return place.down(f"shows a certificate that is not trusted here ({cause})", remedy)
    if trouble.what == "late":
        return place.down(
            f"gave no answer within {place.endpoint.timeout:g} s, {trouble.tries} times",
            "If the model is slow, raise teacher.timeout or lower teacher.concurrency; then resume.",
        )
    if trouble.what == "dropped":
        return place.down(f"drops the connection ({cause})", "Check the server's log, then resume.")
    if place.last_words:
        return place.down(f"cannot be reached ({cause})", place.last_words())
    todo = "Start the server" if place.endpoint.kind == "openai" else "Check the network"
    what = f"cannot be reached{_proxied(place.url)} ({cause})"
    return place.down(what, f"{todo} or correct teacher.base_url, then resume.")


def _refused(trouble: CallError, cause: str, place: Place) -> EvoKDError:
    status, variable = (402 if trouble.no_money else trouble.status), place.endpoint.api_key_env
    remedy = REMEDIES.get(status, "")
    if not remedy:
        return CallFailed(f"the server answered HTTP {status}: {cause}", status)
    if status == 401 and variable == "none":
        remedy = "It wants a key: name the environment variable that holds it in teacher.api_key_env."
    variable = variable or f"that the package of {place.model.partition(':')[0]!r} reads"
    known = remedy.format(key=variable, model=place.model, patience=place.patience)
    return place.down(f"refuses with HTTP {trouble.status} ({cause})", known)


def _proxied(url: str) -> str:
    """A word on the proxy that a call to an address goes through."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme) or getproxies().get("all")
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    return f" through the proxy {shown_address(proxy)} that the environment names (NO_PROXY lists exceptions)"
