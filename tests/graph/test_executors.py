"""Cells as processes of this machine; tests/test_compare.py has them on a Ray cluster."""

import sys
from pathlib import Path

import pytest

from graph import executors
from graph.executors import Executor, Job, LocalProcesses, RayCluster
from tasks.errors import ConfigError
from teacher.settings import BudgetSettings

CELL = """
import os, signal, sys, threading
folder, limits, cache = sys.argv[2], sys.argv[4], sys.argv[6]
def told(name):
    open(os.path.join(folder, name), "w").write(name)
def stop(number, frame):
    told("stopped")
    os._exit(75)
signal.signal(signal.SIGTERM, stop)
print(limits, cache, os.environ["OMP_NUM_THREADS"], flush=True)
told("begun")
if "quick" in folder:
    sys.exit(3)
while os.read(0, 1):
    pass
told("orphaned")
"""
"""Stands for `main.py cell`: what it was given stands in its log, and it goes on until a signal or the parent's end."""


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "main.py").write_text(CELL)
    monkeypatch.setattr(executors, "MAIN", tmp_path / "main.py")
    folder = tmp_path / "cells" / "slow"
    folder.mkdir(parents=True)
    return folder


def ended(job: Job) -> int:
    """The exit code, once it has ended."""
    code = None
    while code is None:
        code = job.poll()
    return code


def begun(job: Job, folder: Path) -> Job:
    """The job, once its process is at work."""
    while not (folder / "begun").exists():
        assert job.poll() is None
    return job


def check(executor: Executor, folder: Path, cache: str, threads: int) -> None:
    """All that the contract says."""
    limits = BudgetSettings(max_tokens=5)
    job = begun(executor.start(folder, limits), folder)
    assert (folder / "cell.log").read_text() == f'{{"max_tokens":5}} {folder.parents[1] / cache} {threads}\n'
    job.stop()
    assert ended(job) == 75 and (folder / "stopped").exists()
    (folder / "begun").unlink()
    job = begun(executor.start(folder, limits), folder)
    job.kill()
    assert ended(job) == -9 and not (folder / "orphaned").exists()
    quick = folder.with_name("quick")
    quick.mkdir()
    assert ended(executor.start(quick, limits)) == 3


@pytest.mark.slow
def test_cells_are_processes_of_this_machine(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    check(LocalProcesses(jobs=3), cell, "answers.sqlite", threads=2)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"--ray needs Ray, which is not installed: pip install 'evokd\[ray\]'"):
        RayCluster("auto")
