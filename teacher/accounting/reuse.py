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
        """The dumped reply to a request among the run's own, or None."""
        return self._own.get(self._key(request, role, cycle))

    def find_shared(self, request: Request, role: str, cycle: int) -> str | None:
        """The dumped reply to a request that another run paid for, or None."""
        return self._shared.get(self._key(request, role, cycle)) if self._shared else None

    def adopt(self, request: Request, reply: str, role: str, cycle: int) -> None:
        """Keep what another run paid for."""
        self._own.adopt(self._key(request, role, cycle), reply)

    def put(self, request: Request, reply: str, run: str, entry: dict[str, Any]) -> None:
        """Keep a reply that was paid for, where the run itself will look; nothing has looked at it yet."""
        self._own.put(self._key(request, entry["role"], entry["cycle"]), reply, run, entry)

    def share(self, request: Request, reply: str, role: str, cycle: int) -> None:
        """Let other runs have a reply that could be used; one that could not, they ask for themselves."""
        if self._shared is not None:
            self._shared.adopt(self._key(request, role, cycle), reply)

    def set_aside(self, request: Request, role: str, cycle: int) -> None:
        """Have a request asked anew, though its answer stays in the account."""
        self._own.set_aside(self._key(request, role, cycle))

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
