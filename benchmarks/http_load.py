"""A client for load on a server of `evokd serve`, light enough to share a machine with it, and the server's process."""

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

Started = tuple["subprocess.Popen[Any]", int, float]

JSON = {"content-type": "application/json"}


class Connection:
    """One connection that is kept open from request to request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, path: str, body: bytes | None = None, headers: Mapping[str, str] = JSON) -> tuple[int, bytes]:
        """The status and body of an answer; without a body it is a GET."""
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = f"content-length: {len(body)}\r\n" if body is not None else ""
        method = "GET" if body is None else "POST"
        self.writer.write(f"{method} {path} HTTP/1.1\r\nhost: x\r\n{told}{length}\r\n".encode() + (body or b""))
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        """Read one answer.

        Raises:
            ConnectionError: the server closed the connection before.
        """
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise ConnectionError(f"closed after {len(error.partial)} bytes") from None
        found = re.search(rb"content-length: (\d+)", head)
        return int(head.split()[1]), await self.reader.readexactly(int(found[1]) if found else 0)

    def close(self) -> None:
        self.writer.close()


async def figures(port: int) -> dict[str, float]:
    """What `/metrics` says, by name and labels."""
    connection = await Connection.open(port)
    _, told = await connection.ask("/metrics")
    connection.close()
    lines = (line.rsplit(" ", 1) for line in told.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def megabytes(told: Mapping[str, float]) -> float:
    """Resident memory of the server."""
    return told["process_resident_memory_bytes"] / 1e6


def asked_for(texts: Sequence[str]) -> bytes:
    """The body of a request: one text, or a batch."""
    return json.dumps({"inputs": texts[0] if len(texts) == 1 else [[text] for text in texts]}).encode()


def texts_in(file: Path) -> list[str]:
    """The texts of a file of JSON lines."""
    return [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]


@contextmanager
def started(command: Sequence[str], core: int | None, log: Path) -> Iterator[Started]:
    """A server's process, its port, and the seconds until it said it was well; it is told to stop at the end."""
    began = time.perf_counter()
    pinned = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
            preexec_fn=pinned,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://[^:]+:(\d+)/", line)
        if found is None:
            raise SystemExit(f"{' '.join(command)} did not start: {line}{log.read_text()}")
        port = int(found[1])
        asyncio.run(_well(port))
        yield process, port, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(60)


async def _well(port: int) -> None:
    while True:
        try:
            status, _ = await (await Connection.open(port)).ask("/health")
        except ConnectionError:
            await asyncio.sleep(0.005)
            continue
        assert status == 200, status
        return
