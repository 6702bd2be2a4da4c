"""Calls that fail one after the other: where each does, no other would do better."""

import threading

from .errors import CallFailed
from .request import Request

IN_A_ROW = 3
"""Calls, each with its repetitions, after which a server is given up."""


class CircuitBreaker:
    """The failed calls of one model since it last answered. Safe to use from many threads."""

    def __init__(self) -> None:
        """Begin with a model that has never answered."""
        self._lock = threading.Lock()
        self._failed = 0
        self._has_answered = False

    def answered(self) -> None:
        """A call got its answer."""
        with self._lock:
            self._failed, self._has_answered = 0, True

    def ends_with(self, error: CallFailed, request: Request) -> bool:
        """Count a failed call, and say whether others would fail as well.

        A server that has answered may refuse any number of requests for what is in them, and what has no status is then
        no word on the others. A rating finds out what the server can do by refusals.
        """
        if error.of_form and "logprobs" in request.body:
            return False
        with self._lock:
            if not error.status and self._has_answered:
                return False
            self._failed += 1
            return self._failed >= IN_A_ROW and not (self._has_answered and 400 <= error.status < 500)
