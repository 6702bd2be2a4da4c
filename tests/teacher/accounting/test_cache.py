"""Answers shared between runs and processes, and runs that share nothing."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evokd.tasks.errors import ConfigError, StepError
from evokd.teacher.accounting.cache import AnswerCache, measure
from evokd.testing.loopback import Loopback, chat
from tests.teacher.asking import GOOD, Label, Open, ledger, many, said


def test_two_processes_make_and_fill_the_same_files_at_once(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, str(Path(__file__).parents[1] / "sharing.py"), str(tmp_path / "x")]
    env = {**os.environ, "PYTHONPATH": str(root)}
    pipe = subprocess.PIPE
    both = [subprocess.Popen([*command, name], stdin=pipe, stderr=pipe, env=env, text=True) for name in ("a", "b")]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    for number in range(10):
        cache = AnswerCache(tmp_path / f"{number}.sqlite")
        assert len(cache.entries("a")) == len(cache.entries("b")) == 20, "no paid call is forgotten"
        cache.close()


def test_runs_that_share_a_cache_pay_once(server: Loopback, opened: Open, tmp_path: Path) -> None:
    shared = str(tmp_path / "deep" / "shared.sqlite")
    first, second = opened(folder=tmp_path / "one", cache=shared), opened(folder=tmp_path / "two", cache=shared)
    told = first.ask(many(5), Label, role="a", cycle=0)
    again = second.ask(many(5), Label, role="b", cycle=3)
    assert len(server.requests) == 5 and [a.value for a in told] == [a.value for a in again]
    assert first.spent()["calls"] == 5 and second.spent()["calls"] == 0
    second.ask(many(5), Label, role="b", cycle=3)
    assert first.spent()["tokens"] == second.spent(3)["tokens"] > 0 == second.spent()["input"], "what they are worth"
    assert all(row["from_cache"] for row in ledger(tmp_path / "two"))
    assert opened(folder=tmp_path / "two", cache=shared).spent()["calls"] == 0, "nor charged when it goes on"


def test_a_run_needs_the_shared_cache_no_more_once_it_has_an_answer(
    server: Loopback, opened: Open, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.sqlite"
    opened(folder=tmp_path / "one", cache=str(shared)).ask(many(3), Label, role="a", cycle=0)
    opened(folder=tmp_path / "two", cache=str(shared)).ask(many(3), Label, role="a", cycle=0)
    for folder in ("one", "two"):
        teacher = opened(folder=tmp_path / folder, cache=str(tmp_path / "empty.sqlite"))
        teacher.ask(many(3), Label, role="a", cycle=0)
    assert len(server.requests) == 3


def test_without_a_cache_each_cycle_asks_anew_but_no_call_is_paid_twice(
    server: Loopback, opened: Open, tmp_path: Path
) -> None:
    server.script = lambda body: chat(json.dumps({"label": "good", "why": str(len(server.requests))}))
    shared = tmp_path / "shared.sqlite"
    opened(folder=tmp_path / "other", cache=str(shared)).ask([said("x")], Label, role="a", cycle=0)
    for _ in range(2):  # the second is the same run, killed and resumed
        teacher = opened(folder=tmp_path / "run", cache=str(shared), use_cache=False, concurrency=1)
        answers = [teacher.ask([said("x")], Label, role="a", cycle=cycle)[0].value for cycle in (0, 1)]
        assert [answer.why for answer in answers if answer] == ["2", "3"]
        assert teacher.spent()["calls"] == 2
    assert len(server.requests) == 3
    rows = [json.loads(line) for line in (tmp_path / "run" / "transcripts.jsonl").read_text().splitlines()]
    assert [json.loads(row["answer"])["why"] for row in rows] == ["2", "3"]
    size = measure(shared)
    assert size is not None and size.answers == 1


def test_the_size_of_a_cache_is_known_while_it_is_in_use(opened: Open, tmp_path: Path) -> None:
    assert measure(tmp_path / "answers.sqlite") is None
    opened().ask(many(4), Label, role="a", cycle=0)
    size = measure(tmp_path / "answers.sqlite")
    assert size is not None and size.answers == 4 and size.bytes > 1000
    (tmp_path / "text").write_text("not a cache, but long enough for SQLite to look at it" * 20)
    with pytest.raises(ConfigError, match="is not an answer cache"):
        measure(tmp_path / "text")


def test_a_relative_cache_stays_where_it_was_when_a_run_goes_on_elsewhere(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert opened(cache="here.sqlite")._roles.settings.cache == str(tmp_path / "here.sqlite")


def test_a_cache_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "new.sqlite")) as base:
        base.execute("pragma user_version = 99")
    with pytest.raises(ConfigError, match=r"made by a newer EvoKD \(format 99"):
        AnswerCache(tmp_path / "new.sqlite")


@pytest.mark.parametrize("version", [0, 1, 7])
def test_a_database_of_something_else_is_refused_and_left_as_it_is(version: int, tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    with closing(sqlite3.connect(path)) as base:
        base.executescript(f"create table books (title text); pragma user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"is a database of something else, not an answer cache\. Name another"):
        AnswerCache(path)
    assert path.read_bytes() == before


def test_a_table_of_the_same_name_is_not_enough(tmp_path: Path) -> None:
    path = tmp_path / "quiz.sqlite"
    with closing(sqlite3.connect(path)) as base:
        base.execute("create table answers (question text, answer text)")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="is a database of something else"):
        AnswerCache(path)
    assert path.read_bytes() == before


def test_a_text_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("theirs" * 100)
    with pytest.raises(ConfigError, match=r"notes\.txt cannot be used.*If it is a file of yours, name another"):
        AnswerCache(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "theirs" * 100


def test_a_file_that_is_called_like_the_lock_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text("theirs")
    with pytest.raises(ConfigError, match=r"poetry\.lock is a file of something else"):
        AnswerCache(tmp_path / "poetry")
    assert [path.name for path in tmp_path.iterdir()] == ["poetry.lock"]
    assert (tmp_path / "poetry.lock").read_text() == "theirs"


def test_one_that_was_cut_off_while_it_was_made_is_completed(tmp_path: Path) -> None:
    AnswerCache(tmp_path / "a.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as base:
        base.executescript("drop index by_run; pragma user_version = 0")
    cache = AnswerCache(tmp_path / "a.sqlite")
    cache.adopt("k", "r")
    assert cache.get("k") == "r"
    cache.close()


def test_a_cache_nobody_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used as the answer cache"):
        AnswerCache(tmp_path / "file" / "answers.sqlite")


def test_a_full_disk_stops_the_run_with_the_reason(server: Loopback, opened: Open, tmp_path: Path) -> None:
    teacher = opened(concurrency=1)
    server.script = lambda body: chat(json.dumps({"label": "good", "why": "x" * 100_000}))
    teacher._calls.answers._own._base.execute("pragma max_page_count = 20")
    with pytest.raises(StepError, match=r"answers.sqlite cannot be read or written .*full.*Make room"):
        teacher.ask(many(3), Label, role="a", cycle=0)


def test_the_first_answer_of_a_run_stays_whatever_others_were_told(
    server: Loopback, opened: Open, tmp_path: Path
) -> None:
    """Two runs ask the same at the same moment: each goes on with what it was told, also after a kill."""
    shared = str(tmp_path / "shared.sqlite")
    slow = opened(folder=tmp_path / "slow", cache=shared)

    def script(body: object) -> object:
        if len(server.requests) == 1:  # while the slow one waits, the quick one is answered
            opened(folder=tmp_path / "quick", cache=shared).ask([said("x")], Label, role="a", cycle=0)
            return chat('{"label": "bad", "why": "slow"}')
        return chat(GOOD)

    server.script = script  # type: ignore[assignment]
    [told] = slow.ask([said("x")], Label, role="a", cycle=0)
    [again] = opened(folder=tmp_path / "slow", cache=shared).ask([said("x")], Label, role="a", cycle=0)
    assert told.value is not None and told.value.why == "slow" and again.value == told.value


def test_the_size_of_a_cache_that_nobody_may_write_is_known(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = opened()
    teacher.ask(many(4), Label, role="a", cycle=0)
    teacher.close()
    open_base = sqlite3.connect

    def refused(where: str, **more: Any) -> sqlite3.Connection:
        if "mode=ro" in where:
            raise sqlite3.OperationalError("unable to open database file")
        return open_base(where, **more)

    monkeypatch.setattr(sqlite3, "connect", refused)
    size = measure(tmp_path / "answers.sqlite")
    assert size is not None and size.answers == 4
