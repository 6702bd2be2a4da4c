"""A small server for one run: its page, its news as server-sent events, and a button that asks it to stop.

It answers only who asks for it by the name it was opened under: a page elsewhere, whose name was made to lead here,
could else read the texts. The button needs a token that only this page has.
"""

import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ..run.page import page
from ..run.progress import standing
from ..run_files import Run

EVERY = 1.0
"""Seconds between two looks at the run."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")

OPEN = ("", "0.0.0.0", "::")
"""Hosts that stand for every address of the machine: by which name it will be asked for cannot be known."""


@dataclass(frozen=True)
class Watched:
    """The run that is shown, and how it is asked to stop."""

    root: Path
    stop: Callable[[], object]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    closing: threading.Event = field(default_factory=threading.Event)


def serve(watched: Watched, host: str, port: int) -> ThreadingHTTPServer:
    """A server that is bound and not yet started; port 0 takes any that is free.

    Raises:
        OSError: the address cannot be had.
    """

    class Answering(_Answering):
        shown = watched

    kind = _Server6 if ":" in host else _Server
    server = kind((host, port), Answering)
    Answering.names = _names(host, server.server_port)
    return server


def _names(host: str, port: int) -> tuple[str, ...]:
    """What the `Host` of a request may say; any where the server listens everywhere."""
    if host in OPEN:
        return ()
    hosts = LOOPBACK if host in LOOPBACK else (host,)
    return tuple(f"[{each}]:{port}" if ":" in each else f"{each}:{port}" for each in hosts)


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Answering(BaseHTTPRequestHandler):
    shown: Watched
    names: tuple[str, ...]
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """The page, or its news."""
        if not self._is_for_us():
            return
        if self.path == "/":
            self._page()
        elif self.path == "/events":
            self._events()
        else:
            self._say(404, "There is nothing here.")

    def do_POST(self) -> None:
        """The button that stops."""
        if not self._is_for_us():
            return
        self.close_connection = True  # a body, which is not read, must not pass as the next request
        if self.path != "/stop":
            self._say(404, "There is nothing here.")
        elif not hmac.compare_digest(self.headers.get("X-Token", "").encode(), self.shown.token.encode()):
            self._say(403, "This page is not the one that may stop the run. Load it again.")
        else:
            self.shown.stop()
            self._say(202, "The run ends when its step has ended.")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal shows the address alone."""

    def _is_for_us(self) -> bool:
        if not self.names or self.headers.get("Host", "").lower() in self.names:
            return True
        self._say(403, f"Ask for this page as http://{self.names[0]}/.")
        return False

    def _page(self) -> None:
        try:
            made = page(Run(self.shown.root), self.shown.token)
        except Exception as error:  # a file that is just being written, or damaged: the next look may find it whole
            self._say(500, f"The page cannot be made now ({type(error).__name__}: {error}). Load it again.")
            return
        self._say(200, made, "text/html")

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while not self.shown.closing.is_set():
            try:
                self.wfile.write(f"data: {json.dumps(_news(self.shown.root))}\n\n".encode())
                self.wfile.flush()
            except OSError:  # the page was closed
                return
            self.shown.closing.wait(EVERY)

    def _say(self, code: int, text: str, kind: str = "text/plain") -> None:
        body = text.encode()
        self.send_response(code)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body)), "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
        }.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _news(root: Path) -> dict[str, Any]:
    try:
        return standing(Run(root))
    except Exception as error:  # as above
        return {"at_work": True, "now": f"The run cannot be read now ({type(error).__name__}: {error}).", "cycles": -1}
