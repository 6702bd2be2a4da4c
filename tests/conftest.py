"""What every test stands on: no tracing, no hub, one thread, no network beyond loopback."""

import os

os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["EVOKD_TELL_LOOPBACK"] = "1"  # a prompt reaches a loopback server with what it asks as data
for key in list(os.environ):
    own = key.startswith(("OPENAI_", "LANGCHAIN_", "LANGSMITH_")) and key != "LANGSMITH_TRACING"
    if own or key.lower().endswith("_proxy"):
        del os.environ[key]

import socket
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real call to the outside is impossible: connecting anywhere but to this machine is an error."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield


@pytest.fixture(autouse=True)
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run writes its page; a tenth of a second for each chart of it is left to the tests that take `charts`."""
    monkeypatch.setattr("evokd.report.formats.html.is_there", lambda: False)


@pytest.fixture
def charts(monkeypatch: pytest.MonkeyPatch, no_charts: None) -> None:
    """Charts are drawn, or the test is skipped where matplotlib is not installed."""
    from evokd.report.charts import is_there

    if not is_there():
        pytest.skip("matplotlib is not installed (the extra `plots`)")
    monkeypatch.setattr("evokd.report.formats.html.is_there", is_there)
