"""How fast the teacher's client is, and how far money is overshot with many calls in flight.

    python -m benchmarks.throughput [--seconds 10] [--draws 20]

Speed: a loopback server of another process answers after exactly one second; a process of its own per concurrency asks
`--seconds` rounds through everything a run has (LangChain, cache and ledger on disk, budget). Ideal is as many calls a
second as are in flight. CPU and peak memory are the client's, after one round to warm up.

Overshoot: 32 in flight, a limit in USD, answers whose length varies a hundredfold at random, prices known, with and
without `max_tokens`. The server keeps its own account. Told in units of what one call can cost at most.
"""

import argparse
import json
import multiprocessing
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pydantic import BaseModel

from evokd.tasks.errors import BudgetExhausted
from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message, Prompt
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, TeacherSettings
from evokd.teacher.teacher import ChatTeacher
from evokd.testing.loopback import Body, Loopback, Said, chat, prompt_of, serving

CONCURRENCY = (1, 8, 32, 128)

LATENCY = 1.0
"""Seconds in which the server answers."""

PRICE_IN, PRICE_OUT = 1.0, 4.0
"""USD per million tokens."""

SHORT, LONG, SHARE_LONG = 10, 1000, 0.3
"""Tokens of the answers of the overshoot part, and how many are long."""


class Told(BaseModel):
    """What is asked for."""

    label: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--one", nargs=2, metavar=("URL", "CONCURRENCY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_speed(options.one[0], int(options.one[1]), options.seconds)))
        return
    print("| in flight | calls | calls/s | of ideal | CPU ms a call | memory MB | of that by the calls |")
    print("|---|---|---|---|---|---|---|")
    with multiprocessing.Pool(1) as pool:
        url = pool.apply(_serve)
        for concurrency in CONCURRENCY:
            command = [sys.executable, __file__, "--seconds", str(options.seconds), "--one", url, str(concurrency)]
            row = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            share = row["speed"] / (concurrency / LATENCY)
            print(
                f"| {concurrency} | {row['calls']} | {row['speed']:.1f} | {share:.1%} | {row['cpu']:.1f} | "
                f"{row['memory']:.0f} | {row['grown']:.1f} |",
                flush=True,
            )
    for max_tokens in (LONG, None):
        rows = [_overshoot(draw, max_tokens) for draw in range(options.draws)]
        print(
            f"max_usd, 32 in flight, max_tokens = {max_tokens}, {options.draws} draws: over the limit by at most "
            f"{max(rows):.2f} of one call's most, unused at most {-min(rows):.2f}; "
            f"over in {sum(each > 0 for each in rows)} of {len(rows)}"
        )


_running: list[Loopback] = []


def _serve() -> str:
    """Start the slow server in this process; its address."""

    def slow(body: Body) -> Said:
        time.sleep(LATENCY)
        return chat('{"label": "good"}')

    _running.append(Loopback(slow))
    return _running[0].url


def _speed(url: str, concurrency: int, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        teacher = _teacher(url, Path(place), BudgetSettings(max_calls=10**6), concurrency=concurrency)
        teacher.ask(_prompts("warm", concurrency), Told, role="writer", cycle=0)
        before, cpu, began = _peak(), time.process_time(), time.monotonic()
        calls = concurrency * rounds
        teacher.ask(_prompts("x", calls), Told, role="writer", cycle=0)
        seconds = time.monotonic() - began
        cpu = time.process_time() - cpu
        teacher.close()
    row = {"calls": calls, "speed": calls / seconds, "cpu": 1000 * cpu / calls}
    return {**row, "memory": _peak(), "grown": _peak() - before}


def _peak() -> float:
    """MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _overshoot(draw: int, max_tokens: int | None) -> float:
    """What was spent beyond the limit, in units of the dearest call; negative where something was left."""
    spent, lock, rng = [0.0], threading.Lock(), random.Random(draw)
    limit, dearest = rng.uniform(0.05, 0.3), (50 * PRICE_IN + LONG * PRICE_OUT) / 1e6

    def script(body: Body) -> Said:
        own = random.Random(f"{draw} {prompt_of(body)}")
        time.sleep(0.02 * own.random())
        reply = chat('{"label": "good"}')
        long = own.random() < SHARE_LONG
        reply.body["usage"] |= {"prompt_tokens": 50, "completion_tokens": LONG if long else SHORT}
        with lock:
            spent[0] += (50 * PRICE_IN + (LONG if long else SHORT) * PRICE_OUT) / 1e6
        return reply

    with serving(script) as server, tempfile.TemporaryDirectory() as place:
        more = {"usd_per_million_input": PRICE_IN, "usd_per_million_output": PRICE_OUT, "max_tokens": max_tokens}
        teacher = _teacher(server.url, Path(place), BudgetSettings(max_usd=limit), concurrency=32, **more)
        try:
            teacher.ask(_prompts("x", 600), Told, role="writer", cycle=0)
        except BudgetExhausted:
            assert abs(teacher.spent()["usd"] - spent[0]) < 1e-9, "the ledger is the server's account"
        else:
            raise AssertionError("the limit was not reached")
        finally:
            teacher.close()
    return (spent[0] - limit) / dearest


def _teacher(url: str, folder: Path, limits: BudgetSettings, **more: Any) -> ChatTeacher:
    settings = TeacherSettings(kind="openai", model="m", base_url=url, api_key_env="none", **more)
    return open_teacher(settings, Budget(limits, settings), folder, run="throughput", seed=0)


def _prompts(name: str, count: int) -> list[Prompt]:
    return [Prompt((Message(role="user", content=f"{name} {number}"),)) for number in range(count)]


if __name__ == "__main__":
    main()
