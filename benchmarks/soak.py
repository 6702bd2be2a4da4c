"""Does a server of `evokd serve` lose a request, give a wrong answer or grow, under load and bad requests?

    python -m benchmarks.soak FOLDER [--minutes 10] [--command '.venv/bin/evokd serve']

Good clients send single texts and batches and compare every answer with the first one. Beside them others send what no
server should be sent, hang up in the middle, or send a byte a second. At the end many requests are under way when the
server is told to stop. Prints what was sent, what came back, and the memory; exits with 1 if anything was lost.
"""

import argparse
import asyncio
import json
import random
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.http_load import JSON, Connection, asked_for, figures, megabytes, started, texts_in
from benchmarks.serving import TEXTS

BUSY = 429
NEAR = 1e-3
"""Most that a score may differ from the first one: batches are padded to other lengths, and int8 rounds."""

LARGE = 50_000_000
BAD: dict[str, tuple[bytes, dict[str, str], set[int]]] = {
    "broken JSON": (b'{"inputs": "a', JSON, {400}),
    "nested JSON": (b'{"inputs": ' + b"[" * 900_000, JSON, {400}),
    "empty body": (b"", JSON, {400}),
    "empty list": (b'{"inputs": []}', JSON, {400}),
    "binary": (bytes(range(256)) * 40, JSON, {400}),
    "100,000 characters": (json.dumps({"inputs": "word " * 20_000}).encode(), JSON, {422}),
    "half a character": (rb'{"inputs": "\ud83d"}', JSON, {400}),
    "too many texts": (asked_for(["text"] * 33), JSON, {413}),
    "wrong content type": (b'{"inputs": "a"}', {"content-type": "text/plain"}, {415}),
    "1,400,000 commas": (b'{"inputs": [' + b"," * 1_400_000 + b"]}", JSON, {400}),
    "330,000 texts": (b'{"inputs": [' + b'["a"],' * 330_000 + b'["a"]]}', JSON, {413}),
}  # fmt: skip
"""Name -> body, headers, and the statuses that are right."""


class Soak:
    """What was sent and what came back."""

    def __init__(self, port: int, texts: list[str]) -> None:
        self.port, self.texts, self.until = port, texts, 0.0
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.known: dict[str, dict[str, float]] = {}

    async def learn(self) -> None:
        """The first answer for each text, asked alone."""
        connection = await Connection.open(self.port)
        for text in self.texts:
            status, answer = await connection.ask("/predict", asked_for([text]))
            assert status == 200, answer
            self.known[text] = scores(json.loads(answer))
        connection.close()

    def check(self, texts: list[str], status: int, answer: bytes) -> None:
        """Count an answer to a good request, and note one that is wrong."""
        if status == BUSY:
            self.counts["good, told to wait (429)"] += 1
            return
        self.counts["good, answered"] += 1
        told = json.loads(answer)
        for text, one in zip(texts, [told] if len(texts) == 1 else told, strict=True):
            found, known = scores(one), self.known[text]
            if status != 200 or found.keys() != known.keys() or any(abs(found[k] - known[k]) > NEAR for k in known):
                self.wrong.append(f"{status} {one} for {text!r}, first {known}")

    async def good(self, seed: int) -> None:
        """Single texts and batches over one connection."""
        rng = random.Random(seed)
        connection = await Connection.open(self.port)
        while time.monotonic() < self.until:
            texts = rng.sample(self.texts, rng.choice([1, 1, 1, 1, 2, 8, 32]))
            self.check(texts, *await connection.ask("/predict", asked_for(texts)))
            await asyncio.sleep(rng.random() * 0.05)
        connection.close()

    async def bad(self, seed: int) -> None:
        """One bad request after the other, each over a connection of its own."""
        rng = random.Random(seed)
        while time.monotonic() < self.until:
            name = rng.choice(sorted(BAD))
            body, headers, right = BAD[name]
            connection = await Connection.open(self.port)
            status, answer = await connection.ask("/predict", body, headers)
            connection.close()
            self.counts[f"{name}: {status}"] += 1
            if status not in right or set(json.loads(answer)) != {"error", "error_type"}:
                self.wrong.append(f"{name}: {status} {answer[:200]!r}")
            await asyncio.sleep(0.1)

    async def large(self, seed: int) -> None:
        """Fifty megabytes, with and without saying so before."""
        while time.monotonic() < self.until:
            connection = await Connection.open(self.port)
            seed += 1
            connection.writer.write(head_of(None if seed % 2 else LARGE))
            part = (b"f4240\r\n%s\r\n" if seed % 2 else b"%s") % (b" " * 1_000_000)
            for _ in range(LARGE // 1_000_000):
                connection.writer.write(part)
                await connection.writer.drain()
            status, _ = await connection.answer()
            connection.close()
            self.counts[f"50 MB: {status}"] += 1
            if status != 413:
                self.wrong.append(f"50 MB: {status}")
            await asyncio.sleep(2)

    async def rude(self, seed: int) -> None:
        """Hang up before the answer, in the middle of the body, or send a byte a second until thrown out."""
        rng = random.Random(seed)
        body = asked_for(self.texts[:8])
        while time.monotonic() < self.until:
            connection = await Connection.open(self.port)
            connection.writer.write(head_of(len(body)) + body[: rng.choice([len(body), 5])])
            await connection.writer.drain()
            if rng.random() < 0.2:
                await self.drip(connection)
            connection.close()
            self.counts["hung up"] += 1
            await asyncio.sleep(0.2)

    async def drip(self, connection: Connection) -> None:
        while time.monotonic() < self.until and not connection.reader.at_eof():
            connection.writer.write(b" ")
            await asyncio.sleep(1)
            if connection.writer.is_closing():
                break
        self.counts["a byte a second, until thrown out or the end"] += 1

    async def run(self, minutes: float) -> None:
        """All clients at once; prints how much memory the server holds."""
        self.until = time.monotonic() + 60 * minutes
        kinds: list[tuple[int, Callable[[int], Awaitable[None]]]] = [
            (12, self.good), (3, self.bad), (1, self.large), (3, self.rude),
        ]  # fmt: skip
        clients = [asyncio.ensure_future(kind(n)) for many, kind in kinds for n in range(many)]
        began = time.monotonic()
        while time.monotonic() < self.until:
            await asyncio.sleep(min(30.0, max(0.1, self.until - time.monotonic())))
            told = await figures(self.port)
            minute, answered = (time.monotonic() - began) / 60, self.counts["good, answered"]
            files = told["process_open_fds"]
            print(f"minute {minute:.1f}: {megabytes(told):.0f} MB, {answered} good answers, {files:.0f} open files")
            sys.stdout.flush()
        for end in await asyncio.gather(*clients, return_exceptions=True):
            if isinstance(end, BaseException):
                self.wrong.append(f"a client lost its connection: {end!r}")

    async def all_at_once(self, clients: int = 1000) -> None:
        """A thousand connections with a request each: answered, or told to wait."""
        connections = await asyncio.gather(*(Connection.open(self.port) for _ in range(clients)))
        statuses = await statuses_of(self.asked(connections))
        print(f"{clients} at once: {dict(statuses)}")
        if set(statuses) - {200, BUSY}:
            self.wrong.append(f"of {clients} at once: {statuses}")

    async def stop_under_load(self, stop: Callable[[], None], clients: int = 400) -> None:
        """Tell the server to stop when it has taken a text of every client: each must be answered."""
        connections = [await Connection.open(self.port) for _ in range(clients)]
        before = await figures(self.port)
        asked = self.asked(connections)
        while True:
            now = await figures(self.port)
            if now["evokd_waiting_texts"] + now["evokd_texts_total"] - before["evokd_texts_total"] >= clients:
                break
        stop()
        statuses = await statuses_of(asked)
        print(f"SIGTERM with {now['evokd_waiting_texts']:.0f} of {clients} texts waiting: {dict(statuses)}")
        if statuses != {200: clients}:
            self.wrong.append(f"lost at the end: {statuses}")

    def asked(self, connections: list[Connection]) -> "list[asyncio.Future[tuple[int, bytes]]]":
        """One text over each connection."""
        bodies = [asked_for([text]) for text in self.texts]
        return [
            asyncio.ensure_future(connection.ask("/predict", bodies[n % len(bodies)]))
            for n, connection in enumerate(connections)
        ]


async def statuses_of(asked: "list[asyncio.Future[tuple[int, bytes]]]") -> Counter[int | str]:
    """How often each status, or error, came back."""
    found = await asyncio.gather(*asked, return_exceptions=True)
    return Counter(repr(each) if isinstance(each, BaseException) else each[0] for each in found)


def head_of(length: int | None) -> bytes:
    """The head of a request with a body, of unknown length for None."""
    told = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    return f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{told}\r\n\r\n".encode()


def scores(answer: list[dict[str, object]]) -> dict[str, float]:
    """The scores of an answer by label, or by entity and place."""
    names = [str(each.get("label") or (each["entity_group"], each["start"])) for each in answer]
    return {name: float(str(each["score"])) for name, each in zip(names, answer, strict=True)}


async def play(port: int, minutes: float, texts: list[str], stop: Callable[[], None]) -> Soak:
    """The whole piece."""
    soak = Soak(port, texts)
    await soak.learn()
    await soak.run(minutes)
    await soak.all_at_once()
    await soak.stop_under_load(stop)
    return soak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--command", default=f"{sys.executable} -m evokd.main serve")
    parser.add_argument("--texts", type=Path, default=TEXTS)
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        log = Path(place) / "log"
        with started([*shlex.split(given.command), given.folder], None, log) as (process, port, _):
            soak = asyncio.run(play(port, given.minutes, texts_in(given.texts), process.terminate))
            code = process.wait(60)
        said = log.read_text()
    for name, count in sorted(soak.counts.items()):
        print(f"{count:8d} {name}")
    failed = [*soak.wrong, *([f"exit code {code}"] if code else []), *([said] if "Traceback" in said else [])]
    print("\n".join(failed[:20]) or "Nothing was lost, and no answer was wrong.")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
