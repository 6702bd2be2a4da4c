"""The process: an address to listen at, patience with clients, and an end that answers what was taken."""

import asyncio
import contextlib
import gc
import signal
import socket
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ....tasks.errors import ConfigError

PATIENCE = 30.0
"""Seconds that a client may take to send one request."""

LAST = 25
"""Seconds that requests under way may take when the server is told to stop."""


class TimedProtocol(H11Protocol):
    """Closes the connection of a client that does not get its request sent in time; uvicorn waits for ever.

    h11 is the slower of uvicorn's parsers and bounds the size of a request's head, which the other does not.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; a whole one ends the waiting."""
        if self._patience is None and self.conn.their_state is h11.IDLE:
            self._await_request()
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._patience = self.loop.call_later(PATIENCE, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def bind(host: str, port: int) -> socket.socket:
    """A socket with an address; port 0 takes a free one. Clients are refused until `serve` listens.

    Raises:
        ConfigError: the address cannot be had.
    """
    with contextlib.ExitStack() as failing:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            family, kind, protocol, _, address = found[0]
            bound = failing.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise ConfigError(f"cannot listen at {host}, port {port}: {why}. Try another --host or --port.") from None
        failing.pop_all()
    return bound


def configured(app: ASGIApp, log_level: str) -> uvicorn.Config:
    """How uvicorn serves an app; single requests are logged at `debug` alone, by path and status."""
    settings: dict[str, Any] = {"http": TimedProtocol, "ws": "none", "access_log": log_level == "debug"}
    return uvicorn.Config(app, log_level=log_level, server_header=False, timeout_graceful_shutdown=LAST, **settings)


def serve(app: ASGIApp, bound: socket.socket, log_level: str) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are answered first, for `LAST` seconds at most."""
    gc.freeze()  # what is there stays: without this, a large body made the collector look through it all, for seconds
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn sends itself the signal again
    try:
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(configured(app, log_level)).run(sockets=[bound])
    finally:
        signal.signal(signal.SIGTERM, before)
