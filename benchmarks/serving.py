"""How fast does `evokd serve` answer, how soon is it there, and how much memory does it hold?

    python -m benchmarks.serving FOLDER [FOLDER ...] [--command '.venv/bin/evokd serve']

Starts a server for each folder, with one thread on a core of its own, and asks it from another core: every client sends
one text, waits for the answer, and sends the next. Prints a row of a Markdown table for each number of clients. The
server's CPU time for a text is that of all its work, HTTP included; other programs on the machine hardly change it.
"""

import argparse
import asyncio
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.http_load import Connection, asked_for, figures, megabytes, started, texts_in

TEXTS = Path(__file__).parent.parent / "examples" / "travel_desk" / "test.jsonl"
HEAD = "| model | start, s | MB | MB after | clients | requests/s | p50, ms | p99, ms | texts a batch | CPU ms a text |"


async def client(port: int, bodies: list[bytes], first: int, until: float, took: list[float]) -> None:
    """Ask until the time has come."""
    connection = await Connection.open(port)
    number = first
    while (began := time.perf_counter()) < until:
        status, answer = await connection.ask("/predict", bodies[number % len(bodies)])
        took.append(time.perf_counter() - began)
        if status != 200:
            raise SystemExit(f"answered {status}: {answer!r}")
        number += 1
    connection.close()


async def load(port: int, bodies: list[bytes], clients: int, seconds: float) -> list[float]:
    """Seconds that each request took."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client(port, bodies, number * 17, until, took) for number in range(clients)))
    return took


def grown(before: dict[str, float], after: dict[str, float], name: str) -> float:
    """By how much a figure of the server grew."""
    return after[name] - before.get(name, 0.0)


def measure(command: list[str], folder: str, given: argparse.Namespace, bodies: list[bytes], log: Path) -> None:
    """Print the rows of one model."""
    with started([*command, folder, *given.option], given.server_core, log) as (_, port, seconds):
        rest = megabytes(asyncio.run(figures(port)))
        asyncio.run(load(port, bodies, 4, 2.0))  # caches and arenas grow to their size
        for clients in given.clients:
            before = asyncio.run(figures(port))
            took = sorted(asyncio.run(load(port, bodies, clients, given.seconds)))
            after = asyncio.run(figures(port))
            texts = grown(before, after, "evokd_texts_total")
            size = texts / grown(before, after, "evokd_batch_texts_count")
            cpu = 1000 * grown(before, after, "process_cpu_seconds_total") / texts
            p50, p99 = (1000 * took[int(len(took) * share)] for share in (0.5, 0.99))
            print(
                f"| {folder} | {seconds:.1f} | {rest:.0f} | {megabytes(after):.0f} | {clients} "
                f"| {len(took) / given.seconds:.0f} | {p50:.1f} | {p99:.1f} | {size:.1f} | {cpu:.1f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--command", default=f"{sys.executable} -m evokd.main serve")
    parser.add_argument("--option", action="append", default=[], help="passed on to the server, such as --threads=2")
    parser.add_argument("--texts", type=Path, default=TEXTS)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--own-core", type=int, default=1)
    given = parser.parse_args()
    bodies = [asked_for([text]) for text in texts_in(given.texts)]
    os.sched_setaffinity(0, {given.own_core})
    print(HEAD + "\n|" + "---|" * 10)
    with tempfile.TemporaryDirectory() as place:
        for folder in given.folders:
            measure(shlex.split(given.command), folder, given, bodies, Path(place) / "log")


if __name__ == "__main__":
    main()
