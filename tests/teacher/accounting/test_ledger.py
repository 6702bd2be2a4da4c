"""Cache and ledger survive what a kill can leave behind."""

import json
import math
import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from evokd.tasks.errors import ConfigError, StepError
from evokd.teacher.accounting.budget import Budget
from evokd.teacher.accounting.cache import AnswerCache
from evokd.teacher.accounting.ledger import Entry, Ledger
from evokd.teacher.accounting.reuse import Answers
from evokd.teacher.calls import Calls
from evokd.teacher.settings import BudgetSettings, TeacherSettings


def entry(name: str, **given: Any) -> Entry:
    row: dict[str, Any] = {
        "id": name, "time": "2026-01-01T00:00:00.000+00:00", "role": "analyst", "cycle": 1, "lesson": None,
        "model": "m",
        "prompt": name, "sample": 0, "input": 10, "output": 5, "cached_input": 2, "usd": 0.5, "seconds": 1.0,
        "attempt": "first", "from_cache": False, "outcome": "ok", **given,
    }  # fmt: skip
    return cast(Entry, row)


def test_a_torn_line_is_cut_and_the_call_comes_back_from_the_cache(tmp_path: Path) -> None:
    ledger, cache = Ledger(tmp_path), AnswerCache(tmp_path / "answers.sqlite")
    for name in ("one", "two", "three"):
        cache.put(name, "{}", ledger.run, dict(entry(name, outcome="answered")))
        ledger.write(entry(name))
    ledger.close()
    path = tmp_path / "ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b'"id": "three"') + 30])
    again = Ledger(tmp_path)
    assert again.spent()["calls"] == 2
    budget = Budget(BudgetSettings(), TeacherSettings())
    calls = Calls(Answers(cache), again, budget)
    assert again.spent() == {"calls": 3, "input": 30, "output": 15, "cached": 6, "seconds": 3, "usd": 1.5, "tokens": 45}
    assert (budget.spent.calls, budget.spent.tokens, budget.spent.usd) == (3, 45, 1.5)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["outcome"] for row in rows] == ["ok", "ok", "answered"]
    calls.close()


def test_a_call_that_stands_twice_counts_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for outcome in ("answered", "ok"):  # another process completed the ledger while this one was about to write
        ledger.write(entry("one", outcome=outcome))
    ledger.close()
    assert Ledger(tmp_path).spent()["calls"] == 1


def test_a_shared_cache_tells_runs_apart(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "shared.sqlite")
    mine, yours = Ledger(tmp_path / "mine"), Ledger(tmp_path / "yours")
    cache.put("k", "{}", mine.run, dict(entry("one")))
    cache.put("k", "{}", yours.run, dict(entry("two")))  # both paid for the same call at the same moment
    assert (mine.complete(cache.entries(mine.run)), yours.complete(cache.entries(yours.run))) == (1, 1)
    assert mine.complete(cache.entries(mine.run)) == 0
    for part in (cache, mine, yours):
        part.close()
        part.close()


def test_cached_answers_cost_nothing_and_cycles_are_kept_apart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.write(entry("one"))
    ledger.write(entry("two", from_cache=True, usd=0.0, input=0, output=0))
    ledger.write(entry("three", cycle=2, usd=None))
    assert ledger.spent(1)["calls"] == 1 and ledger.spent(1)["usd"] == 0.5
    assert "usd" not in ledger.spent(2) and "usd" not in ledger.spent() and ledger.spent(7)["calls"] == 0
    ledger.close()


def test_a_transcript_is_written_once_also_after_reopening(tmp_path: Path) -> None:
    for _ in range(2):
        ledger = Ledger(tmp_path)
        for _ in range(2):
            ledger.transcribe(entry("one"), [{"role": "user", "content": "hi"}], "an\nswer \ud800")
        ledger.close()
    [line] = (tmp_path / "transcripts.jsonl").read_text().splitlines()
    assert json.loads(line)["messages"] == [{"role": "user", "content": "hi"}]


def test_damage_in_the_middle_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text("{}}\n")
    with pytest.raises(StepError, match=r"ledger.jsonl line 1 is damaged"):
        Ledger(tmp_path)


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_bytes(b"not a database, by any means" * 100)
    with pytest.raises(ConfigError, match="cannot be used as the answer cache"):
        AnswerCache(tmp_path / "answers.sqlite")


def test_two_connections_write_at_once(tmp_path: Path) -> None:
    one, two = AnswerCache(tmp_path / "a.sqlite"), AnswerCache(tmp_path / "a.sqlite")
    for number in range(20):
        (one if number % 2 else two).put(f"k{number}", "{}", "run", {"id": str(number)})
    assert one.get("k0") == "{}" and two.get("k1") == "{}" and one.get("none") is None and len(two.entries("run")) == 20
    one.close()
    two.close()
    with sqlite3.connect(tmp_path / "a.sqlite") as base:
        assert base.execute("pragma journal_mode").fetchone()[0] == "wal"
    base.close()


@pytest.mark.parametrize(
    "odd", ["-5", "1" + 30 * "0", "1" + 400 * "0", "NaN", "Infinity", "-Infinity", '"many"', "null"]
)
@pytest.mark.parametrize("field", ["input", "output", "cached_input", "usd", "seconds", "tokens"])
def test_a_row_with_figures_that_cannot_be_is_read(tmp_path: Path, field: str, odd: str) -> None:
    row = {
        "id": "1", "time": "", "role": "a", "cycle": 1, "lesson": None, "model": "m", "prompt": "p", "sample": 0,
        "input": 10, "output": 5, "cached_input": 2, "usd": 1.0, "seconds": 1.0, "attempt": "first",
        "from_cache": False, "tokens": 15, "outcome": "ok",
    }  # fmt: skip
    told = json.dumps({**row, field: "ODD"}).replace('"ODD"', odd)
    (tmp_path / "ledger.jsonl").write_text(told + "\n")
    ledger = Ledger(tmp_path)
    spent = ledger.spent(1)
    assert all(math.isfinite(value) and 0 <= value <= 1e7 for value in spent.values())
    assert 0 <= ledger.cost.tokens <= 15 and ledger.cost.usd in (0.0, 1.0)
    ledger.close()
