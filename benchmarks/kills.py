"""Kill -9 at random moments of whole runs, resume, compare with the run that was not killed.

    python -m benchmarks.kills --count 200

The run is that of `tests/parts.py`: the whole graph with its SQLite checkpoint and Chroma on disk, a student that
counts words, a teacher behind a loopback server. Every process has a clock of its own, up to a day off. The server
counts what it answered; a call that was answered and is made again would be paid for twice. A call that was under way
when its process died, asked and not yet on disk, may be made again: no more calls may be made twice than were
`under way at a kill`.
"""

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

os.environ["EVOKD_TELL_LOOPBACK"] = "1"  # the world's teacher reads what is asked as data

from evokd.testing.loopback import Body, Said, serving
from tests import parts
from tests.test_kill import outcome


@dataclass
class Server:
    """The world's teacher; counts what it was asked."""

    asked: Counter[str] = field(default_factory=Counter)

    def __call__(self, body: Body) -> Said:
        self.asked[json.dumps(body, sort_keys=True)] += 1
        return parts.answer(body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, found = random.Random(options.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as place:
        root, server = Path(place), Server()
        with serving(server) as running:
            config = parts.write(root, running.url)
            began = time.monotonic()
            code, said = _until(parts.start("run", config, "--runs", root / "whole"), None)
            assert code == 0, said
            length, wanted, needed = time.monotonic() - began, outcome(root / "whole" / "small"), dict(server.asked)
            for number in range(options.count):
                server.asked.clear()
                found.update(_killed(config, root / f"{number}", server, rng, length))
                found["other texts or scores"] += outcome(root / f"{number}" / "small") != wanted
                found["calls made twice"] += sum(server.asked[call] - 1 for call in server.asked)
                found["calls that were not needed"] += len(set(server.asked) - set(needed))
                if number % 10 == 9:
                    print(f"{number + 1} runs: {dict(found)}", flush=True)
    print(f"{options.count} runs of {len(needed)} calls and about {length:.0f} s each: {dict(found)}")


def _killed(config: Path, runs: Path, server: Server, rng: random.Random, length: float) -> dict[str, int]:
    """One run, killed once or more often at random moments, then left to its end; what was seen on the way."""
    seen = Counter[str]()
    words: tuple[str | Path, ...] = ("run", config, "--runs", runs)
    while rng.random() < (1.0 if not seen["kills"] else 0.3):
        code, said = _until(parts.start(*words, **_clock(rng)), rng.uniform(0.0, length))
        seen["kills"] += 1
        folder = runs / "small"
        if code == 0:
            seen["ended before the kill"] += 1
        elif code > 0:
            raise SystemExit(f"a resumed run failed: {said}")
        if (folder / "config.toml").exists():
            words = ("resume", "small", "--runs", runs, *parts.ALLOW)
            seen["broken checkpoints"] += not _is_sound(folder / "checkpoints.sqlite")
            seen["broken answer caches"] += not _is_sound(folder / "answers.sqlite")
            seen["under way at a kill"] += len(server.asked) - _kept(folder / "answers.sqlite")
    code, said = _until(parts.start(*words, **_clock(rng)), None)
    if code != 0:
        raise SystemExit(f"a resumed run failed: {said}")
    return dict(seen)


def _clock(rng: random.Random) -> dict[str, str]:
    """Every process has a clock of its own: right, or an hour or a day off."""
    return {"EVOKD_TEST_CLOCK": str(rng.choice([-86_400, -3_600, 0, 3_600, 86_400]))}


def _until(process: "subprocess.Popen[str]", seconds: float | None) -> tuple[int, str]:
    try:
        out, err = process.communicate(timeout=seconds or 300)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return process.returncode, out + err


def _kept(path: Path) -> int:
    """Answers on disk."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as base:
        return int(base.execute("select count(*) from answers").fetchone()[0])


def _is_sound(path: Path) -> bool:
    if not path.exists():
        return True
    with closing(sqlite3.connect(path)) as base:
        return bool(base.execute("pragma integrity_check").fetchone() == ("ok",))


if __name__ == "__main__":
    main()
