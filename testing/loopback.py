"""An OpenAI-compatible server on loopback that does what a script says: a function from the request to an answer."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..teacher.base import Prompt

Body = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What the server does with one request."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    """Drop the connection without a word."""
    hang: bool = False
    """Say nothing until the server is closed."""
    drip: Callable[[], None] | None = None
    """Send the body in tenths, calling this before each."""


Script = Callable[[Body], Said]


def chat(
    text: str | None, finish: str = "stop", *, refusal: str | None = None, logprobs: Any = None, cached: int = 0
) -> Said:
    """A chat answer that cost 10 tokens in, 5 out."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    choice = {"index": 0, "finish_reason": finish, "message": message, "logprobs": logprobs}
    return Said(
        body={"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    )


def text(said: str, *, logprobs: Any = None) -> Said:
    """A text completion that cost 8 tokens in, 2 out."""
    usage = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
    choice = {"index": 0, "finish_reason": "stop", "text": said, "logprobs": logprobs}
    return Said(
        body={"id": "x", "object": "text_completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    )


def tops(*listed: dict[str, float]) -> Any:
    """Log-probabilities in the chat format: the alternatives of each generated token, which is the first of them."""
    return {
        "content": [
            {
                "token": next(iter(each)),
                "bytes": None,
                "logprob": next(iter(each.values())),
                "top_logprobs": [{"token": token, "bytes": None, "logprob": value} for token, value in each.items()],
            }
            for each in listed
        ]
    }


def error(status: int, message: str, code: str | None = None, **headers: str) -> Said:
    """An error as OpenAI words it."""
    return Said(status, {"error": {"message": message, "type": "error", "code": code}}, headers)


class Loopback:
    """The running server: change `script` at any time, look at `requests` afterwards."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Body] = []
        """Bodies in the order of arrival; `path` and `authorization` are added."""
        self.closing = threading.Event()
        self._lock = threading.Lock()
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body: Body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body["path"] = self.path.removeprefix("/v1")
                body["authorization"] = self.headers.get("authorization")
                with loopback._lock:
                    loopback.requests.append(body)
                loopback._serve(self, loopback.script(body))

            def log_message(self, *args: object) -> None:
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is part of the play; anything else the client sees as a reset."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.02), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler, said: Said) -> None:
        if said.hang:
            self.closing.wait(30)
            return
        if said.reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            return
        data = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        handler.send_response_only(said.status)
        for name, value in {
            "Date": handler.date_time_string(),
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **said.headers,
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        step = len(data) // 10 if said.drip else len(data)
        for start in range(0, len(data), max(1, step)):
            if said.drip:
                said.drip()
            handler.wfile.write(data[start : start + max(1, step)])


@contextmanager
def serving(script: Script) -> Iterator[Loopback]:
    """A server for the length of a block."""
    server = Loopback(script)
    try:
        yield server
    finally:
        server.close()


def as_prompt(body: Body) -> Prompt:
    """The prompt of a request, for roles that are functions; the request's seed stands for the sample index.

    What it is about is told where the process that asks has `EVOKD_TELL_LOOPBACK=1` in its environment.
    """
    return Prompt(tuple(body["messages"]), sample=body["seed"], about=body.get("about", {}))


def prompt_of(body: Body) -> str:
    """The last thing that was said to the server."""
    return str(body["prompt"] if "prompt" in body else body["messages"][-1]["content"])
