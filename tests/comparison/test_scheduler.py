"""The order of a comparison: what is started when, what is never started again, and one budget for all."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from evokd.comparison import scheduler as comparing
from evokd.comparison.cells import prepare
from evokd.comparison.scheduler import Ended, Now, compare
from evokd.comparison.spec import ComparisonSpec
from evokd.memory.marker import comparison_marker
from evokd.tasks.errors import ConfigError
from tests.comparison.comparisons import Script, Scripted, ScriptedJob, end, finishing, read, spec, spend, spending
from tests.parts import rows
from tests.snapshots import snapshot


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "TICK", 0.0)


def run(
    found: ComparisonSpec, root: Path, script: Script, jobs: int = 1, show: Callable[[Now], None] = lambda now: None
) -> tuple[Ended, Scripted]:
    executor = Scripted(script)
    return compare(found, root, executor, jobs, show), executor


def tokens(root: Path) -> int:
    return sum(row["input"] for path in root.glob("cells/*/ledger.jsonl") for row in rows(path))


def test_all_cells_run_one_after_the_other(tmp_path: Path) -> None:
    seen: list[Now] = []
    ended, executor = run(spec(tmp_path), tmp_path / "out", finishing, show=seen.append)
    assert ended == Ended()
    assert executor.started == ["static.kall.s0", "gated.kall.s0", "static.kall.s1", "gated.kall.s1"]
    assert max(len(now.at_work) for now in seen) == 1 and (seen[-1].finished, seen[-1].total) == (4, 4)


def test_cells_at_work_at_once_have_different_seeds_where_they_can(tmp_path: Path) -> None:
    """Variants of one seed ask the same things: one after the other, the second finds the answers."""
    seen: list[set[str]] = []
    ended, executor = run(
        spec(tmp_path, random_seeds=[0, 1, 2]),
        tmp_path / "out",
        finishing,
        2,
        lambda now: seen.append(set(now.at_work)),
    )
    assert ended == Ended() and max(map(len, seen)) == 2
    assert executor.started[:4] == ["static.kall.s0", "static.kall.s1", "gated.kall.s0", "gated.kall.s1"]
    only_one, executor = run(spec(tmp_path / "one", random_seeds=[0]), tmp_path / "one" / "out", finishing, 2)
    assert only_one == Ended() and executor.started == ["static.kall.s0", "gated.kall.s0"]


def test_finished_cells_are_not_run_again(tmp_path: Path) -> None:
    found, root = spec(tmp_path), tmp_path / "out"
    prepare(found, root)
    for name, how in (("static.kall.s0", "finished"), ("gated.kall.s0", "interrupted"), ("static.kall.s1", "failed")):
        end(root / "cells" / f"small.{name}", how)
    ended, executor = run(found, root, finishing)
    assert ended == Ended() and executor.started == ["gated.kall.s0", "static.kall.s1", "gated.kall.s1"]
    assert run(found, root, finishing)[1].started == []


def test_a_cell_that_fails_does_not_stop_the_others_and_is_tried_again_later(tmp_path: Path) -> None:
    def script(job: ScriptedJob) -> int | None:
        if "static" not in job.folder.name:
            return finishing(job)
        end(job.folder, "failed", "the teacher is away")
        return 1

    found, root, news = spec(tmp_path), tmp_path / "out", list[str]()
    ended, _ = run(found, root, script, show=lambda now: news.extend(now.news))
    assert ended.failed == dict.fromkeys(["small.static.kall.s0", "small.static.kall.s1"], "the teacher is away")
    assert ended.waiting == () and not ended.interrupted and ended.limit == ""
    assert news[0] == "small.static.kall.s0 failed: the teacher is away"
    assert run(found, root, finishing)[1].started == ["static.kall.s0", "static.kall.s1"]


@pytest.mark.parametrize(("code", "said"), [(-9, "ended by signal 9; see "), (1, "ended with exit code 1; see ")])
def test_a_cell_that_says_nothing_has_failed(code: int, said: str, tmp_path: Path) -> None:
    ended, _ = run(spec(tmp_path, random_seeds=[0]), tmp_path / "out", lambda job: code)
    assert ended.failed["small.static.kall.s0"].startswith(said)


def test_after_three_failures_in_a_row_nothing_new_is_started(tmp_path: Path) -> None:
    ended, executor = run(spec(tmp_path, random_seeds=[0, 1, 2]), tmp_path / "out", lambda job: 2)
    assert len(executor.started) == len(ended.failed) == 3 and len(ended.waiting) == 3 and ended.limit == ""


def test_failures_that_do_not_follow_each_other_stop_nothing(tmp_path: Path) -> None:
    strategies = ["none", "static", "gated"]
    ended, executor = run(
        spec(tmp_path, strategies=strategies),
        tmp_path / "out",
        lambda job: finishing(job) if "gated" in job.folder.name else 2,
    )
    assert len(executor.started) == 6 and len(ended.failed) == 4 and not ended.waiting


def test_a_signal_is_passed_on_once_gently_and_then_not(tmp_path: Path) -> None:
    def script(job: ScriptedJob) -> int | None:
        if job.looks == 2 or job.told == ["stop"]:
            os.kill(os.getpid(), signal.SIGINT)
        if job.told != ["stop", "kill"]:
            return None
        return -9

    before = signal.getsignal(signal.SIGINT)
    found, root, news = spec(tmp_path), tmp_path / "out", list[str]()
    ended, executor = run(found, root, script, show=lambda now: news.extend(now.news))
    assert ended.interrupted and len(ended.waiting) == 4 and not ended.failed and len(executor.jobs) == 1
    assert news == ["Stopping 1 cells after their current step; once more ends them at once.", "Ending at once."]
    assert signal.getsignal(signal.SIGINT) == before
    assert len(run(found, root, finishing)[1].started) == 4


def test_an_error_of_our_own_leaves_no_cell_at_work(tmp_path: Path) -> None:
    def broken(now: Now) -> None:
        raise ZeroDivisionError

    executor = Scripted(finishing)
    with pytest.raises(ZeroDivisionError):
        compare(spec(tmp_path), tmp_path / "out", executor, 2, broken)
    assert [job.told for job in executor.jobs] == [["kill"], ["kill"]]


@pytest.mark.parametrize(("jobs", "finished"), [(1, 2), (2, 2), (3, 1)])
def test_all_cells_together_never_spend_more_than_the_whole(jobs: int, finished: int, tmp_path: Path) -> None:
    """Four cells want 40 tokens each, of 100. Of three at once each is cut at 30, one goes on."""
    found, root = spec(tmp_path, budget={"max_tokens": 100}), tmp_path / "out"
    spend_it = spending(40)

    def script(job: ScriptedJob) -> int | None:
        assert tokens(root) <= 100
        return spend_it(job)

    ended, _ = run(found, root, script, jobs)
    assert tokens(root) == 100 and ended.limit == "max_tokens"
    assert not ended.failed and not ended.interrupted and len(ended.waiting) == 4 - finished
    assert sum(read(path)["how"] == "finished" for path in root.glob("cells/*/outcome.json")) == finished
    raised = spec(tmp_path, budget={"max_tokens": 160})
    ended, _ = run(raised, root, spending(40), jobs)
    assert ended == Ended() and tokens(root) == 160, "with more it goes on where it was"


def test_what_a_cell_spent_that_is_no_longer_asked_for_is_spent(tmp_path: Path) -> None:
    root = tmp_path / "out"
    for seed, all_in_all in ((0, 80), (1, 100), (2, 100)):
        run(spec(tmp_path, random_seeds=[seed], budget={"max_tokens": 100}), root, spending(40), 1)
        assert tokens(root) == all_in_all


def test_what_a_cell_leaves_goes_to_one_that_was_cut_short(tmp_path: Path) -> None:
    """Each of two cells at once has 50 of 100. One needs 20; the other, which was cut at 50, goes on to 80."""
    wanted = {"static": spending(80), "gated": spending(20, step=2)}

    def script(job: ScriptedJob) -> int | None:
        return wanted["static" if "static" in job.folder.name else "gated"](job)

    ended, executor = run(spec(tmp_path, random_seeds=[0], budget={"max_tokens": 100}), tmp_path / "out", script, 2)
    assert ended == Ended() and executor.started == ["static.kall.s0", "gated.kall.s0", "static.kall.s0"]
    assert [job.limits.max_tokens for job in executor.jobs] == [50, 50, 80]


def test_a_cell_that_was_cut_short_is_first_in_line(tmp_path: Path) -> None:
    """Of three cells the first is cut at 50 of 100; when the second has left 30, it comes before the third."""
    wanted = {"static": spending(60), "gated": spending(20, step=2), "paper": spending(20)}
    found = spec(tmp_path, strategies=list(wanted), random_seeds=[0], budget={"max_tokens": 100})
    ended, executor = run(found, tmp_path / "out", lambda job: wanted[job.folder.name.split(".")[1]](job), 2)
    assert ended == Ended() and [name.split(".")[0] for name in executor.started[:3]] == ["static", "gated", "static"]


def test_a_cells_own_limit_is_its_end_and_not_a_cut(tmp_path: Path) -> None:
    found = spec(tmp_path, set={"budget.max_tokens": 20}, budget={"max_tokens": 1000})
    ended, executor = run(found, tmp_path / "out", spending(40))
    assert ended == Ended() and len(executor.started) == 4 and tokens(tmp_path / "out") == 80
    assert read(tmp_path / "out" / "cells" / "small.static.kall.s0" / "outcome.json")["how"] == "finished"


def test_where_nothing_is_left_nothing_is_started(tmp_path: Path) -> None:
    found, root = spec(tmp_path, budget={"max_tokens": 30}), tmp_path / "out"
    prepare(found, root)
    (root / "cells" / "small.static.kall.s0" / "ledger.jsonl").touch()
    spend(root / "cells" / "small.static.kall.s0", 30)
    ended, executor = run(found, root, finishing)
    assert executor.started == [] and ended.limit == "max_tokens" and len(ended.waiting) == 4


def test_two_processes_do_not_run_one_comparison(tmp_path: Path) -> None:
    comparison_marker(tmp_path / "out").claim()
    with FileLock(tmp_path / "out" / "in-use"), pytest.raises(ConfigError, match="another process is at work on the"):
        run(spec(tmp_path), tmp_path / "out", finishing)


def test_a_folder_of_the_users_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    (root / "cells").mkdir(parents=True)
    for name in ("in-use", "report.md", "cells.csv", "cells/mine.txt"):  # a lock would empty the first
        (root / name).write_text("theirs")
    before = snapshot(root)
    with pytest.raises(ConfigError, match=r"is not empty, and EvoKD did not make it \(no comparison\.json\)"):
        run(spec(tmp_path), root, finishing)
    assert snapshot(root) == before


def test_cells_that_outlived_a_killed_comparison_are_waited_for(tmp_path: Path) -> None:
    found, root, news = spec(tmp_path), tmp_path / "out", list[str]()
    prepare(found, root)
    orphan = FileLock(root / "cells" / "small.gated.kall.s0" / "at-work")
    orphan.acquire()

    def show(now: Now) -> None:
        news.extend(now.news)
        if news and orphan.is_locked:
            assert not now.at_work
            orphan.release()

    ended, executor = run(found, root, finishing, show=show)
    assert news == ["Waiting for small.gated.kall.s0, which an earlier comparison started, to end its step."]
    assert ended == Ended() and len(executor.started) == 4


def test_what_a_cell_is_doing_is_shown(tmp_path: Path) -> None:
    event: dict[str, Any] = {"step": "trainer", "cycle": 1, "what": "training", "done": 1, "total": 2}

    def script(job: ScriptedJob) -> int | None:
        (job.folder / "progress.json").write_text(json.dumps(event))
        return finishing(job)

    seen: list[dict[str, Any]] = []
    run(spec(tmp_path, random_seeds=[0]), tmp_path / "out", script, show=lambda now: seen.extend(now.at_work.values()))
    assert event in seen
