"""The process on loopback: clients that take too long, hang up or send too much, and an end that loses nothing."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import uvicorn

from evokd.student.serving.http import server
from evokd.student.serving.http.app import make_app
from evokd.student.serving.http.limits import Limits
from evokd.student.serving.http.served import Served
from evokd.tasks.errors import ConfigError
from tests.student.serving.http.serving import Broken, labels


@contextmanager
def listening(model: Any = None) -> Iterator[tuple[int, uvicorn.Server]]:
    """The port of a server in a thread; it is told to stop at the end, and waited for."""
    app = make_app(Served.warmed("small", model or labels()), Limits())
    bound = server.bind("127.0.0.1", 0)
    process = uvicorn.Server(server.configured(app, "error"))
    thread = threading.Thread(target=process.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield bound.getsockname()[1], process
    finally:
        process.should_exit = True
        thread.join(30)
        bound.close()
    assert not thread.is_alive()


def connected(port: int) -> socket.socket:
    """A connection, as soon as the server listens."""
    for _ in range(10_000):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            continue
    raise AssertionError("nobody listens")


def ask(port: int, text: str) -> int:
    """The status of an answer."""
    connected(port).close()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.request("POST", "/predict", json.dumps({"inputs": text}), {"content-type": "application/json"})
        return client.getresponse().status


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /predict HT",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n{",  # refused at once; no more comes
    ],
)
def test_a_client_that_does_not_get_its_request_sent_loses_its_connection(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.05)
    with listening() as (port, _), connected(port) as client:
        client.sendall(sent)
        while client.recv(4096):  # ends when the server closes; before, the socket's own timeout fails the test
            pass


def test_a_student_may_take_longer_than_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.05)
    student = Broken()
    with listening(student) as (port, process):
        student.gate.clear()
        threading.Timer(0.2, student.gate.set).start()
        assert ask(port, "slow") == 200
        assert process.server_state.total_requests == 1


def test_a_head_without_end_is_refused() -> None:
    with listening() as (port, _), connected(port) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n" + b"x-a: b\r\n" * 20_000)
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_hangs_up_in_the_middle_leaves_no_trace_of_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with listening() as (port, _):
        with connected(port) as client:
            client.sendall(
                b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
            )
        assert ask(port, "soup with bread") == 200
    assert capfd.readouterr().err == ""


def test_a_client_that_hangs_up_while_it_waits_is_not_worked_for() -> None:
    student = Broken()
    with listening(student) as (port, process):
        student.gate.clear()
        student.entered.clear()
        first = threading.Thread(target=ask, args=(port, "first"))
        first.start()
        student.entered.wait(30)
        head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n"
        with connected(port) as client:
            client.sendall(head + b'{"inputs": "gone"}')
            while len(process.server_state.tasks) < 2:
                pass
        while len(process.server_state.tasks) > 1:
            pass
        student.gate.set()
        first.join(30)
        assert ask(port, "last") == 200
    assert student.batches[1:] == [["first"], ["last"]]


def test_what_was_taken_is_answered_before_the_end() -> None:
    student, answers = Broken(), []
    with listening(student) as (port, process):
        assert ask(port, "first") == 200
        student.gate.clear()
        student.entered.clear()
        clients = [threading.Thread(target=lambda: answers.append(ask(port, "x"))) for _ in range(20)]
        for each in clients:
            each.start()
        student.entered.wait(30)
        while len(process.server_state.tasks) < 20:
            pass
        process.should_exit = True
        student.gate.set()
        for each in clients:
            each.join(30)
    assert answers == [200] * 20


def test_an_address_that_is_taken_is_told() -> None:
    with server.bind("127.0.0.1", 0) as bound:
        bound.listen()
        port = bound.getsockname()[1]
        with pytest.raises(
            ConfigError, match=rf"^cannot listen at 127\.0\.0\.1, port {port}: address already in use\."
        ):
            server.bind("127.0.0.1", port)
