"""Whole comparisons in processes: killed or stopped in the middle, on this machine and on a real Ray cluster."""

import csv
import importlib.util
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from evokd.testing.loopback import Body, Said, serving
from tests import parts
from tests.comparison.comparisons import read, write

pytestmark = pytest.mark.slow

PROCESS = 240
"""Seconds after which a process that should have ended is a failure."""

NEEDS_RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (the extra `ray`)")

CLUSTER = """
import os, sys
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
print("address", cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""
"""Two nodes with one CPU each, until standard input ends."""


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a cluster for the length of a block."""
    words = [sys.executable, "-c", CLUSTER]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield next(line.split()[1] for line in process.stdout if line.startswith("address"))
    finally:
        process.communicate(timeout=PROCESS)


class Server:
    """The world's teacher, which sends a signal to a comparison at the first request after one of its cells ended."""

    def __init__(self, root: Path | None = None, sends: signal.Signals = signal.SIGKILL) -> None:
        self.root, self.sends = root, sends
        self.answered: Counter[str] = Counter()
        self.process: queue.Queue[subprocess.Popen[str]] = queue.Queue()
        self._lock = threading.Lock()

    def __call__(self, body: Body) -> Said:
        with self._lock:
            if self.root is not None and [*self.root.glob("cells/*/outcome.json")]:
                self.root = None
                self.process.get().send_signal(self.sends)
            self.answered[repr(sorted(body.items()))] += 1
        return parts.answer(body)


def results(root: Path) -> Any:
    """All that must be the same: texts and verdicts of every cell, and every column that is no time and no payment."""
    volatile = ("seconds", "paid_tokens", "paid_usd", "paid_calls")
    with (root / "cells.csv").open() as lines:
        table = [{key: value for key, value in row.items() if key not in volatile} for row in csv.DictReader(lines)]
    files = [path for name in ("samples", "scored") for path in sorted(root.glob(f"cells/*/{name}.jsonl"))]
    return table, {str(path.relative_to(root)): parts.rows(path) for path in files}


def start(folder: Path, url: str, *words: str, **raw: Any) -> "subprocess.Popen[str]":
    file = write(folder, url, **raw)
    return parts.start("compare", file, "--jobs", "2", "--out", folder, *words)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, int]:
    """An uninterrupted comparison: its results, and how many requests it made."""
    folder, server = tmp_path_factory.mktemp("whole"), Server()
    with serving(server) as running:
        process = start(folder, running.url)
        out, err = process.communicate(timeout=PROCESS)
    assert process.returncode == 0, err
    assert "small, all seed rows\nvariant" in out and set(server.answered.values()) == {1}
    table, _ = results(folder / "mine")
    assert [row["state"] for row in table] == ["finished"] * 4
    return results(folder / "mine"), sum(server.answered.values())


def stamps(root: Path) -> dict[Path, int]:
    """When the files of finished cells were written; locks and the answers' journal are opened by whoever looks."""
    done = [path.parent for path in root.glob("cells/*/outcome.json") if read(path)["how"] == "finished"]
    files = [path for folder in done for path in folder.rglob("*") if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in files if path.name != "at-work" and "answers" not in path.name}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("where", ["here", pytest.param("cluster", marks=NEEDS_RAY)])
def test_it_goes_on_where_it_was(where: str, number: signal.Signals, whole: tuple[Any, int], tmp_path: Path) -> None:
    root = tmp_path / "mine"
    server = Server(root, number)
    with serving(server) as running, cluster() if where == "cluster" else nullcontext("") as address:
        words = ["--ray", address] if address else []
        process = start(tmp_path, running.url, *words)
        server.process.put(process)
        out, err = process.communicate(timeout=PROCESS)
        assert process.returncode == (75 if number == signal.SIGTERM else -9), err
        assert ("Stopped as asked. Nothing is lost. Go on with: evokd compare " in out) == (number == signal.SIGTERM)
        before = stamps(root)
        assert before, "a cell had ended"
        process = start(tmp_path, running.url, *words)
        out, err = process.communicate(timeout=PROCESS)
    assert process.returncode == 0, err
    assert before.items() <= stamps(root).items(), "a finished cell is left as it is"
    assert results(root) == whole[0]
    lost = 2 if (where, number) == ("cluster", signal.SIGKILL) else 0  # calls in flight: Ray ends its workers at once
    assert whole[1] <= sum(server.answered.values()) <= whole[1] + lost


def test_one_budget_for_cells_side_by_side(whole: tuple[Any, int], tmp_path: Path) -> None:
    """Half of the calls that all cells need: none is made beyond, and with more it goes on where it was."""
    limit, server = whole[1] // 2, Server()
    with serving(server) as running:
        process = start(tmp_path, running.url, budget={"max_calls": limit})
        out, err = process.communicate(timeout=PROCESS)
        assert process.returncode == 0, err
        assert f"has reached budget.max_calls. Raise it in {tmp_path / 'mine.toml'} and go on with: " in out
        assert limit // 2 < sum(server.answered.values()) <= limit
        process = start(tmp_path, running.url, budget={"max_calls": 1000})
        out, err = process.communicate(timeout=PROCESS)
    assert process.returncode == 0 and results(tmp_path / "mine") == whole[0], err
    assert set(server.answered.values()) == {1}
