"""Checkpoints on a real Postgres server: the same run, whatever ends it in between."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evokd.graph.checkpoints import open_checkpoints, thread_of
from evokd.graph.run import Outcome
from evokd.tasks.errors import ConfigError, StepError
from evokd.testing.loopback import Body, Said, serving
from tests import parts, servers
from tests.graph.test_checkpoints import HOUR, FalseClock, Interrupting, clock, outcome  # noqa: F401, clock is used
from tests.graph.test_run import Trial

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server, whose password is in the environment."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    with servers.postgres() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSWORD", servers.PASSWORD)
        yield url


def test_interrupted_after_every_step_it_is_one_run(server: str, tmp_path: Path, clock: FalseClock) -> None:  # noqa: F811
    with serving(parts.answer) as teacher:
        whole = Trial(tmp_path / "whole", teacher)
        whole.drive()
        asked = len(teacher.requests)
        teacher.script = stopping = Interrupting()
        trial, sittings, stopping.due = Trial(tmp_path / "cut", teacher, checkpoints=server), 0, True
        while trial.drive().how == "interrupted":
            sittings, stopping.due = sittings + 1, True
            clock.new_sitting(-HOUR * sittings)
        stopping.due = False
        assert sittings > 3 and trial.drive() == Outcome("finished", "all 2 cycles are done")
        assert len(teacher.requests) == 2 * asked, "nothing is paid for twice"
    assert outcome(trial) == outcome(whole)
    assert not list(trial.folder.root.glob("checkpoints.sqlite*"))
    files = [path for path in trial.folder.root.rglob("*") if path.is_file()]
    assert not [path for path in files if servers.PASSWORD.encode() in path.read_bytes()]


@pytest.mark.parametrize("die", ["save:3", "mark:1", "remember:8"])
def test_killed_and_resumed_it_is_the_same_run(server: str, tmp_path: Path, die: str) -> None:
    answered: list[str] = []

    def script(body: Body) -> Said:
        answered.append(json.dumps(body, sort_keys=True))
        return parts.answer(body)

    with serving(parts.answer) as teacher:
        whole = Trial(tmp_path / "whole", teacher)
        whole.drive()
        paid = len(teacher.requests)
        teacher.script = script
        config = parts.write(tmp_path, teacher.url, checkpoints=server)
        runs = ("--runs", tmp_path / "runs")
        process = parts.start("run", config, *runs, EVOKD_TEST_DIE=die)
        _, err = process.communicate(timeout=240)
        assert process.returncode == -signal.SIGKILL, err
        process = parts.start("resume", "small", *runs, *parts.ALLOW)
        _, err = process.communicate(timeout=240)
        assert process.returncode == 0, err
    killed = tmp_path / "runs" / "small"
    assert parts.rows(killed / "samples.jsonl") == parts.rows(whole.folder.root / "samples.jsonl")
    assert len(answered) == len(set(answered)) == paid


def test_runs_share_a_server_and_a_copy_waits_for_its_original(server: str, tmp_path: Path) -> None:
    with serving(parts.answer) as teacher:
        trials = [Trial(tmp_path / name, teacher, checkpoints=server, stop={"cycles": 0}) for name in ("a", "b")]
        for trial in trials:
            assert trial.drive().how == "finished"
    roots = [trial.folder.root for trial in trials]
    with open_checkpoints(roots[0], server) as saver, open_checkpoints(roots[1], server) as other:
        threads = {thread_of(saver, "x", roots[0]), thread_of(other, "x", roots[1])}
        assert len(threads) == 2 and all(next(saver.list({"configurable": {"thread_id": each}})) for each in threads)
        shutil.copytree(roots[0], tmp_path / "copy", symlinks=True)
        with (
            pytest.raises(ConfigError, match="Another process goes on with this run or with a copy"),
            open_checkpoints(tmp_path / "copy", server),
        ):
            pass
    with open_checkpoints(tmp_path / "copy", server):
        pass


def test_checkpoints_that_are_gone_are_told_and_no_run_begins_anew(server: str, tmp_path: Path) -> None:
    with serving(parts.answer) as teacher:
        trial = Trial(tmp_path, teacher, checkpoints=server, stop={"cycles": 0})
        trial.drive()
        with open_checkpoints(trial.folder.root, server) as saver:
            saver.delete_thread(thread_of(saver, "small", trial.folder.root))
        trial.refuses(r"postgresql://evokd@\S+ is missing or empty, while students is there")


@pytest.mark.parametrize("wrong", ["password", "port"])
def test_a_server_that_refuses_or_is_not_there_is_one_line(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    url: Any = server
    if wrong == "password":
        monkeypatch.setenv("PGPASSWORD", "guessed-secret")
    else:
        url = f"postgresql://evokd@127.0.0.1:{servers.free_port()}/postgres"
    with serving(parts.answer) as teacher, pytest.raises(StepError) as error:
        Trial(tmp_path, teacher, checkpoints=url).drive()
    said = str(error.value)
    assert said.startswith(f"the checkpoints on {url} cannot be read or written: ") and "\n" not in said
    assert "secret" not in said and not teacher.requests
