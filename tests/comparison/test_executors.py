"""Cells as processes of this machine; tests/test_compare.py has them on a Ray cluster."""

import platform
import sys
from pathlib import Path
from types import ModuleType

import pytest

from evokd.comparison import executors
from evokd.comparison.executors import Job, LocalProcesses, NodeProcess, RayCluster
from evokd.tasks.errors import ConfigError
from evokd.teacher.settings import BudgetSettings

CELL = """
import os, signal, sys, threading
folder, limits, cache = sys.argv[2], sys.argv[4], sys.argv[6]
def told(name):
    open(os.path.join(folder, name), "w").write(name)
def stop(number, frame):
    told("stopped")
    os._exit(75)
signal.signal(signal.SIGTERM, stop)
print(limits, cache, os.environ["OMP_NUM_THREADS"], os.getcwd(), *sys.argv[7:], flush=True)
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


@pytest.mark.slow
def test_cells_are_processes_of_this_machine(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    executor, folder = LocalProcesses(jobs=3, own_parts=("a:B", "c:D")), cell
    limits = BudgetSettings(max_tokens=5)
    job = begun(executor.start(folder, limits), folder)
    cache = folder.parents[1] / "answers.sqlite"
    assert (folder / "cell.log").read_text() == f'{{"max_tokens":5}} {cache} 2 {Path.cwd()} --allow a:B --allow c:D\n'
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
def test_on_a_node_a_cell_has_the_users_folder_and_the_nodes_own_answers(cell: Path, tmp_path: Path) -> None:
    job = begun(NodeProcess(cell, "{}", tmp_path, ("a:B",)), cell)
    answers = tmp_path / f"answers-{platform.node()}.sqlite"
    assert (cell / "cell.log").read_text() == f"{{}} {answers} 1 {tmp_path} --allow a:B\n"
    job.stop()
    assert ended(job) == 75


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"--ray needs Ray, which is not installed: pip install 'evokd\[ray\]'"):
        RayCluster("auto")


def test_an_address_where_nothing_listens_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    with pytest.raises(ConfigError, match=r"--ray 127\.0\.0\.1:9: no Ray cluster can be reached there \(.*refused\)\."):
        RayCluster("127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"--ray host:x: no Ray cluster can be reached there \(invalid literal"):
        RayCluster("host:x")
