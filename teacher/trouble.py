"""What an error of a provider's package says, read without knowing the package: status, headers, what broke."""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from teacher.responses import BAD_KEY, NO_MONEY

BROKEN = ("timeout", "timedout", "connect", "transport", "protocolerror")
"""Parts of the names of errors that came without an answer, in lower case."""


@dataclass(frozen=True)
class Trouble:
    """One failed call."""

    status: int
    """Of HTTP; 0 where there was no answer, or none that can be told."""
    cause: str
    headers: Mapping[str, str]
    """By lower-case name."""
    no_money: bool
    is_broken: bool
    """No answer came: the next try may go better, and this one may be billed."""
    is_unreachable: bool
    """Nobody listens there, or there is no such host."""

    @classmethod
    def of(cls, error: Exception) -> "Trouble":
        """Read an error and what caused it; the first that has a status decides."""
        chain = list(_chain(error))
        status = next(filter(None, (_status(each) for each in chain)), 0)
        cause = str(error) or type(error).__name__
        if status == 400 and any(word.decode() in cause for word in BAD_KEY):
            status = 401
        names = [kind.__name__.lower() for each in chain for kind in type(each).__mro__]
        unreachable = any(isinstance(each, ConnectionRefusedError | socket.gaierror) for each in chain)
        return cls(
            status=status,
            cause=cause,
            headers=next(filter(None, (_headers(each) for each in chain)), {}),
            no_money=any(word.decode() in cause for word in NO_MONEY),
            is_broken=not status and not unreachable and any(part in name for name in names for part in BROKEN),
            is_unreachable=not status and unreachable,
        )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and its causes; a ring of them ends."""
    at: BaseException | None = error
    for _ in range(10):
        if at is None:
            return
        yield at
        at = at.__cause__ or at.__context__


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
