"""Which kept answers a run may use: always its own, and those of other runs where the user shares a cache."""

from typing import Any

from ..transport.request import Request
from .cache import AnswerCache


class Answers:
    """The answers of one run, in its folder, and perhaps a cache it shares with others.

    The run's own file is the journal that makes a kill harmless, so it is always written and always asked first: a
    shared cache may grow, be emptied or be deleted without the run noticing. What another run has paid for is copied
    into it on first use. With `reuse` off a request is asked anew in every cycle; within one cycle of one role it still
    finds the answer it got, because a step that was killed and runs again cannot be told from one that asks twice.
    """

    def __init__(self, own: AnswerCache, shared: AnswerCache | None = None, reuse: bool = True) -> None:
        """Hold the files.

        Args:
            own: In the run folder.
            shared: Between runs; not looked at where `reuse` is off.
            reuse: Whether an answer serves the same request in other cycles and runs.
        """
        self._own = own
        self._shared = shared if reuse else None
        self._reuse = reuse

    def get(self, request: Request, role: str, cycle: int) -> str | None:
        """The dumped reply to a request, or None."""
        key = self._key(request, role, cycle)
        kept = self._own.get(key)
        if kept is None and self._shared is not None:
            kept = self._shared.get(key)
            if kept is not None:
                self._own.adopt(key, kept)
        return kept

    def put(self, request: Request, reply: str, run: str, entry: dict[str, Any]) -> None:
        """Keep a reply that was paid for, first where the run itself will look."""
        key = self._key(request, entry["role"], entry["cycle"])
        self._own.put(key, reply, run, entry)
        if self._shared is not None:
            self._shared.adopt(key, reply)

    def paid(self, run: str) -> list[dict[str, Any]]:
        """The ledger entries of all calls the run paid for."""
        return self._own.entries(run)

    def close(self) -> None:
        """Release the files; safe to call twice."""
        self._own.close()
        if self._shared is not None:
            self._shared.close()

    def _key(self, request: Request, role: str, cycle: int) -> str:
        return request.key if self._reuse else f"{request.key}@{role}/{cycle}"
