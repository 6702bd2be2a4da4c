"""What went wrong with one try of a call: read off a response, a broken connection, or the error of any package."""

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import httpx2
import openai

NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "credit balance is too low")
"""What is said where waiting cannot help."""

BAD_KEY = ("API_KEY_INVALID", "API key not valid")
"""What Google says with a 400 where others have a 401."""

ONE_MISFIT = "json_validate_failed"
"""What Groq says with a 400 where one generation did not fit the schema; the next may."""

OVERLOADED = frozenset({429, 529})
"""Refused because of too many calls; a 503 that says when to come back is the same."""

PASSING = OVERLOADED | {408, 409, *range(500, 600)}

LATE = ("timeout", "timedout", "deadlineexceeded")
"""Parts of the names of packages' errors where no answer came in time, in lower case."""

BEFORE = ("connecttimeout", "connectiontimeout", "pooltimeout")
"""Of those where the request was not even sent."""

BROKEN = ("connect", "transport", "protocolerror")
"""Of others that came without an answer."""

MOST_READ = 5000
"""Characters of an error page that are looked at."""

What = Literal["answered", "late", "dropped", "unreachable", "untrusted", "other"]
"""`answered`: with a status, that of a refusal or 200 for a page that is no answer. `late`: not in time."""

NONE: Mapping[str, str] = MappingProxyType({})


class CallError(openai.OpenAIError):
    """A try that failed. An `OpenAIError`, so that the SDK passes it on from the HTTP client under it as it is."""

    def __init__(
        self,
        cause: str,
        what: What = "other",
        *,
        status: int = 0,
        headers: Mapping[str, str] = NONE,
        no_money: bool = False,
        is_passing: bool = False,
        is_lost: bool = False,
    ) -> None:
        """Say what is known.

        Args:
            cause: In the words of whoever reported it.
            what: Happened.
            status: Of HTTP; 0 where there was no answer, or none that can be told.
            headers: Of the response, by lower-case name.
            no_money: The account has none left.
            is_passing: The next try may go better.
            is_lost: The server may have worked, and may bill for it.
        """
        super().__init__(cause)
        self.what, self.status, self.headers = what, status, headers
        self.no_money, self.is_passing, self.is_lost = no_money, is_passing, is_lost
        self.tries = 1
        """How many of the call failed, this one included."""
        self.alive = False
        """Whether other calls have been answered since the call began."""


def refused(status: int, said: str, cause: str, headers: Mapping[str, str]) -> CallError:
    """What a status other than success comes to; `cause` is what a user is shown of all that was said."""
    no_money = any(word in said for word in NO_MONEY)
    if status == 400 and any(word in said for word in BAD_KEY):
        status = 401
    is_passing = ONE_MISFIT in said or (status in PASSING and not no_money)
    return CallError(cause, "answered", status=status, headers=headers, no_money=no_money, is_passing=is_passing)


def answer_in(response: httpx2.Response) -> dict[str, Any]:
    """The answer that a response holds.

    Raises:
        CallError: it is a refusal, a page, or half of one. Gateways wrap the errors of others in a 200.
    """
    body, status, said = _read(response.content), response.status_code, response.text
    error = body.get("error") if isinstance(body, dict) else None
    if response.is_success:
        if isinstance(body, dict) and body.get("choices"):
            return body
        if not error:
            is_cut = body is None and said.lstrip()[:1] == "{"  # it began, so it may be billed; a proxy's page is not
            raise CallError(_words(body, said), "answered", status=200, is_passing=True, is_lost=is_cut)
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 502
    raise refused(status, said, _words(body, said), response.headers)


def broken(error: httpx2.RequestError) -> CallError:
    """What an error of the HTTP client comes to."""
    connecting = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError)
    if connecting and (known := _unreachable(error)):
        return known
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.TooManyRedirects):
        return CallError(str(error), "unreachable")
    is_lost = isinstance(error, httpx2.ReadTimeout | httpx2.ReadError | httpx2.RemoteProtocolError)  # it was sent
    is_late = isinstance(error, httpx2.ReadTimeout)
    what: What = "late" if is_late else "unreachable" if connecting else "dropped"
    return CallError(_named(error), what, is_passing=True, is_lost=is_lost)


def told_by(error: Exception) -> CallError:
    """What an error of a provider's package says, read without knowing the package.

    The first of the error and its causes that has a status decides.
    """
    chain, cause = list(_chain(error)), _named(error)
    if status := next(filter(None, map(_status, chain)), 0):
        return refused(status, cause, cause, next(filter(None, map(_headers, chain)), NONE))
    if known := _unreachable(error):
        return known
    names = [kind.__name__.lower() for each in chain for kind in type(each).__mro__]

    def says(parts: tuple[str, ...]) -> bool:
        return any(part in name for name in names for part in parts)

    if says(BEFORE):
        return CallError(cause, "unreachable", is_passing=True)
    if says(LATE):
        return CallError(cause, "late", is_passing=True, is_lost=True)
    if says(BROKEN):
        return CallError(cause, "unreachable", is_passing=True, is_lost=True)
    return CallError(cause)


def _unreachable(error: BaseException) -> CallError | None:
    """What no other try would better: nobody listens there, there is no such host, or it cannot be trusted."""
    for each in _chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return CallError(each.verify_message, "untrusted")
        if isinstance(each, ConnectionRefusedError | socket.gaierror):
            return CallError(str(each), "unreachable")
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and its causes; a ring of them ends."""
    at: BaseException | None = error
    for _ in range(10):
        if at is None:
            return
        yield at
        at = at.__cause__ or at.__context__


def _named(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _read(content: bytes) -> Any:
    """What the JSON holds; None where it is none (or says so)."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _words(body: Any, text: str) -> str:
    """What the server said, as people read it: the message in OpenAI's form, else all of it without marks."""
    error = body.get("error") if isinstance(body, dict) else None
    said = error.get("message") if isinstance(error, dict) and "metadata" not in error else None
    if isinstance(said, str) and said:
        return said
    marks = r"<style.*?</style>|<script.*?</script>|<[^>]*>"
    return re.sub(marks, " ", text[:MOST_READ], flags=re.DOTALL | re.IGNORECASE).strip() or "nothing was said"


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None)
    places: list[Any] = [getattr(error, name, None) for name in ("status_code", "http_status", "code", "status")]
    places += [getattr(response, name, None) for name in ("status_code", "status")]
    if isinstance(response, Mapping):  # as Amazon's SDK has it
        places.append(response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
    return next(
        (int(each) for each in places if type(each) is not bool and isinstance(each, int) and 400 <= each < 600), 0
    )


def _headers(error: BaseException) -> dict[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    return {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}
