"""An answer is read up to a size, unpacked; a small one on the wire may be a large one."""

import gzip
import json
import tracemalloc
import zlib

import pytest

from evokd.teacher.base import TeacherDown
from evokd.teacher.transport import body as reading
from evokd.testing.loopback import Loopback, Said, chat
from tests.teacher.asking import GOOD, Open, ask, many

ANSWER = json.dumps(chat(GOOD).body).encode()

TOO_LARGE = "the answer is larger than 16 MiB, the most that is read"


def packed(data: bytes, encoding: str) -> Said:
    return Said(body=data, headers={"Content-Encoding": encoding})


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_a_packed_answer_is_read(server: Loopback, opened: Open, encoding: str) -> None:
    server.script = lambda body: packed(gzip.compress(ANSWER), encoding)
    assert ask(opened(), many(2)) == ["it says so"] * 2


def test_a_deflated_answer_is_read(server: Loopback, opened: Open) -> None:
    server.script = lambda body: packed(zlib.compress(ANSWER), "deflate")
    assert ask(opened(), many(1)) == ["it says so"]


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("start", [b'{"choices": "', b"<html>"])
def test_one_that_unpacks_to_gigabytes_is_not(server: Loopback, opened: Open, start: bytes, status: int) -> None:
    bomb = gzip.compress(start + b" " * (300 * 2**20), compresslevel=9)
    server.script = lambda body: Said(status, bomb, {"Content-Encoding": "gzip"})
    teacher = opened(concurrency=1)
    tracemalloc.start()
    with pytest.raises(TeacherDown, match=rf"failed 3 calls in a row.*{TOO_LARGE}"):
        ask(teacher, many(30))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 6 * reading.MOST_BYTES and len(server.requests) == 3, "it is not asked for again"


def test_one_that_is_too_large_as_it_is(server: Loopback, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 2**20)
    server.script = lambda body: Said(body=b"{" + b" " * 2**20 + ANSWER[1:])
    with pytest.raises(TeacherDown, match="larger than 1 MiB"):
        ask(opened(concurrency=1), many(9))
    server.script = lambda body: Said(body=b"{" + b" " * (2**20 - len(ANSWER)) + ANSWER[1:])
    assert ask(opened(), many(1)) == ["it says so"], "just small enough"


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_what_was_not_asked_for_is_named(server: Loopback, opened: Open, encoding: str) -> None:
    server.script = lambda body: packed(ANSWER, encoding)
    with pytest.raises(TeacherDown, match=f"packed as '{encoding}', which was not asked for"):
        ask(opened(concurrency=1), many(9))


def test_one_that_cannot_be_unpacked_is_asked_for_again(server: Loopback, opened: Open) -> None:
    server.script = lambda body: packed(b"no gzip", "gzip") if len(server.requests) == 1 else chat(GOOD)
    assert ask(opened(), many(1)) == ["it says so"] and len(server.requests) == 2
