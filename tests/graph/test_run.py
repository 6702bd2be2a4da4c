"""Driving a run: start, end, going on, limits, the test set; over the real wire, with fast parts."""

import json
import re
import shutil
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from evokd.graph.checkpoints import open_checkpoints
from evokd.graph.config.parts import allow
from evokd.graph.config.run_config import load
from evokd.graph.run import Outcome, drive, flush_traces
from evokd.graph.setup.create import create, read_config, with_cycles
from evokd.tasks.errors import ConfigError, StepError
from evokd.testing.loopback import Body, Loopback, Said, error, serving
from tests import parts


class Trial:
    """One small run in a folder, driven as often as wanted."""

    def __init__(self, folder: Path, server: Loopback, **changes: Any) -> None:
        self.server, self.folder = server, parts.folder(folder / "runs" / "small")
        self.events: list[dict[str, Any]] = []
        create(load(parts.write(folder, server.url, **changes)), folder, self.folder)

    def drive(self, answer: Any = None) -> Outcome:
        return drive(read_config(self.folder), self.folder, self.events.append, answer)

    def refuses(self, why: str) -> None:
        """It is the user's mistake to go on, and nobody is asked anything."""
        asked = len(self.server.requests)
        with pytest.raises(ConfigError, match=why):
            self.drive()
        assert len(self.server.requests) == asked

    def allow(self, calls: int) -> None:
        path = self.folder.root / "config.toml"
        path.write_text(path.read_text().replace("max_calls = 3", f"max_calls = {calls}"))


def test_a_run_from_start_to_end_and_again(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server)
        assert trial.drive() == Outcome("finished", "all 2 cycles are done")
        asked = len(server.requests)
        shown = [event["row"]["cycle"] for event in trial.events if "row" in event]
        assert shown == [0, 1, 2]
        assert {event["step"] for event in trial.events if "step" in event} == {
            "trainer", "evaluator", "analyst", "generator", "annotator", "last_training", "calibration",
                "final_test",
        }  # fmt: skip
        result = json.loads((trial.folder.root / "result.json").read_text())
        assert result["champion score"]["value"] > result["seeds only"]["value"] and result["seeds only"]["n"] == 24
        assert trial.drive() == Outcome("finished", "all 2 cycles are done")
        assert len(server.requests) == asked


def test_a_role_asks_and_the_run_goes_on_with_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = ["trainer", "evaluator", "analyst", "generator", "tests.parts:Asker", "annotator"]
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, order=order)
        with pytest.raises(ConfigError, match="nothing is asked"):
            trial.drive(answer="yes")
        asked = Outcome("asks", '{"question": "Are these texts like yours?"}')
        assert trial.drive() == asked
        calls = len(server.requests)
        assert trial.drive() == asked and len(server.requests) == calls, "nobody has answered yet"
        assert not (trial.folder.root / "result.json").exists()
        monkeypatch.setenv("EVOKD_TEST_FAULT", "1")
        with pytest.raises(StepError, match="step 'asker' of cycle 1 failed: ValueError: a role of the user's own"):
            trial.drive(answer={"like mine": True})
        monkeypatch.delenv("EVOKD_TEST_FAULT")
        assert trial.drive().how == "finished", "the answer is not lost by the fault"
    with open_checkpoints(trial.folder.root) as saver:
        [latest] = saver.list({"configurable": {"thread_id": "small"}}, limit=1)
    assert latest.checkpoint["channel_values"]["answers"] == [{"like mine": True}]
    assert (trial.folder.root / "result.json").exists()


def test_a_finished_run_goes_on_when_it_may_have_more_cycles(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server)
        trial.drive()
        before = parts.rows(trial.folder.root / "metrics.jsonl")
        with_cycles(trial.folder, 3)
        assert trial.drive() == Outcome("finished", "all 3 cycles are done")
        after = parts.rows(trial.folder.root / "metrics.jsonl")
        assert after[:3] == before and [row["cycle"] for row in after] == [0, 1, 2, 3]
        answered = [json.dumps(request, sort_keys=True) for request in server.requests]
        assert len(set(answered)) == len(answered), "nothing is paid for twice"
        best = json.loads((trial.folder.root / "result.json").read_text())["champion"]
        assert best == (trial.folder.root / "best").resolve().name


def test_a_limit_ends_the_run_with_the_best_student_and_raised_it_goes_on(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, budget={"max_calls": 3})
        outcome = trial.drive()
        assert outcome.how == "budget" and "max_calls" in outcome.why
        assert (trial.folder.root / "best").resolve().name == "cycle-000"
        assert (trial.folder.root / "result.json").exists()
        trial.allow(1000)
        assert trial.drive().how == "finished"
        answered = [json.dumps(request, sort_keys=True) for request in server.requests]
        assert len(set(answered)) == len(answered), "nothing is paid for twice"


def test_a_role_of_ones_own_and_ones_own_stop_rule_run_in_the_graph(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        order = ["trainer", "evaluator", "analyst", "generator", "tests.parts:Critic", "annotator"]
        changes: dict[str, Any] = {
            "order": order,
            "agents": {"generator": {"backbone": 16, "gate_size": 8, "batch": 4}},
        }
        changes["agents"]["critic"] = {"shortest": 7}
        trial = Trial(tmp_path, server, **changes)
        path = trial.folder.root / "config.toml"
        path.write_text(path.read_text().replace("cycles = 2\npatience = 4", 'kind = "tests.parts:After"'))
        allow(["tests.parts:After"])
        assert trial.drive() == Outcome("finished", "1 lesson batches")
    rows = parts.rows(trial.folder.root / "metrics.jsonl")
    assert [row["stats"].get("other") for row in rows] == [None, {"critic asks for": 7}, {"critic asks for": 7}]
    assert "critic" in rows[1]["seconds"]


@pytest.mark.parametrize("after", ["trainer", "evaluator", "annotator"])
def test_a_checkpoint_that_could_not_be_written_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """The writes of a step are on disk before its checkpoint is: a kill or a full disk may come in between."""
    put, ring = SqliteSaver.put, ["trainer", "evaluator", "analyst", "generator", "annotator"]
    due, failed = f"branch:to:{ring[(ring.index(after) + 1) % len(ring)]}", []

    def full(self: SqliteSaver, config: Any, checkpoint: Any, metadata: Any, new: Any) -> Any:
        values = checkpoint["channel_values"]
        if not failed and due in values and values["cycle"] >= 1:
            failed.append(due)
            raise sqlite3.OperationalError("database or disk is full")
        return put(self, config, checkpoint, metadata, new)

    with serving(parts.answer) as server:
        undisturbed = Trial(tmp_path / "a", server, stop={"cycles": 1})
        undisturbed.drive()
        asked = len(server.requests)
        trial = Trial(tmp_path / "b", server, stop={"cycles": 1})
        monkeypatch.setattr(SqliteSaver, "put", full)
        with pytest.raises(StepError, match="disk is full"):
            trial.drive()
        assert failed and trial.drive() == Outcome("finished", "all 1 cycles are done")
        assert len(server.requests) == 2 * asked
    found = [parts.rows(each.folder.root / "metrics.jsonl") for each in (undisturbed, trial)]
    told = [[(row["batch_kind"], row["stats"], row["scores"]) for row in rows] for rows in found]
    assert told[0] == told[1]


def test_a_run_of_another_name_is_the_same_run(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, stop={"cycles": 1})
        trial.drive()
        asked = len(server.requests)
        path = trial.folder.root / "config.toml"
        path.write_text(path.read_text().replace('name = "small"', 'name = "other"'))
        assert read_config(trial.folder).name == "other"
        assert trial.drive() == Outcome("finished", "all 1 cycles are done") and len(server.requests) == asked


def test_a_role_that_is_taken_out_while_it_is_next_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = ["trainer", "evaluator", "analyst", "generator", "annotator", "tests.parts:Critic"]
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, order=order)
        monkeypatch.setattr(parts.Critic, "__call__", lambda self, state, services: 1 / 0)
        with pytest.raises(StepError, match="step 'critic' of cycle 1"):
            trial.drive()
        path = trial.folder.root / "config.toml"
        path.write_text(re.sub(r'\s*"tests.parts:Critic",|\[agents.critic\]\nshortest = 3', "", path.read_text()))
        trial.refuses("order does not name the role any more that is next")


def test_a_cell_of_a_comparison_that_has_lost_its_students_cannot_go_on(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, stop={"cycles": 1})
        trial.drive()
        trial.folder.drop_students()
        with_cycles(trial.folder, 2)
        trial.refuses(r"its students but the best one have been removed.*a run of its own")


def test_time_at_work_counts_from_one_sitting_to_the_next(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, budget={"max_calls": 3, "max_minutes": 60.0})
        assert trial.drive().how == "budget"
        noted = trial.folder.root / "minutes.json"
        finished = sum(sum(row["seconds"].values()) for row in parts.rows(trial.folder.root / "metrics.jsonl")) / 60
        assert float(noted.read_text()) > finished, "the cycle that was cut off is work too"
        noted.write_text("60.0")
        trial.allow(30)
        outcome = trial.drive()
        assert outcome.how == "budget" and "max_minutes = 60 is reached" in outcome.why and len(server.requests) == 3


def test_a_signal_ends_the_run_after_the_step(tmp_path: Path) -> None:
    def script(body: Body) -> Said:
        if len(server.requests) == 1:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        return parts.answer(body)

    before = signal.getsignal(signal.SIGTERM)
    with serving(script) as server:
        trial = Trial(tmp_path, server)
        assert trial.drive() == Outcome("interrupted", "as asked, after a whole step")
        assert signal.getsignal(signal.SIGTERM) is before
        assert not (trial.folder.root / "result.json").exists()
        assert trial.drive().how == "finished"


def test_a_failed_step_is_an_error_and_the_run_goes_on_from_it(tmp_path: Path) -> None:
    with serving(lambda body: error(401, "wrong key")) as server:
        trial = Trial(tmp_path, server)
        with pytest.raises(StepError, match=r"step 'generator' of cycle 1: The teacher at .* refuses with HTTP 401"):
            trial.drive()
        server.script = parts.answer
        assert trial.drive().how == "finished"


def test_a_stop_rule_that_never_stops_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evokd.graph.run.most_steps", lambda ring, stop: 4)
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server)
        with pytest.raises(StepError, match=r"\[stop\] did not end the run: Recursion limit of 4 reached"):
            trial.drive()


def test_a_copy_without_its_link_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, stop={"cycles": 1})
        trial.drive()
        trial.folder = parts.folder(Path(shutil.copytree(trial.folder.root, tmp_path / "copy")))
        trial.refuses(r"copy/best is a folder, not a link.*`cp -a`")


def test_a_torn_checkpoint_is_told(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server)
        (trial.folder.root / "checkpoints.sqlite").write_bytes(b"not a database" * 100)
        trial.refuses(r"the checkpoint in .* cannot be read: file is not a database\. Put checkpoints.sqlite back from")


def test_two_processes_at_one_run_are_refused(tmp_path: Path) -> None:
    from evokd.graph.setup.services import open_services

    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server)
        with (
            open_services(read_config(trial.folder), trial.folder),
            pytest.raises(ConfigError, match="in use by another"),
        ):
            trial.drive()


def test_a_folder_that_holds_a_run_is_kept_and_a_false_start_is_replaced(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, student={"kind": "tests.graph.test_run:Unloadable"})
        with pytest.raises(ConfigError, match="step 'trainer' of cycle 0: no such weights"):
            trial.drive()
        seeds = parts.rows(tmp_path / "seeds.jsonl")
        path = parts.write(tmp_path, server.url)
        (tmp_path / "seeds.jsonl").write_text(
            "".join(json.dumps({**r, "text": r["text"] + "!?"}) + "\n" for r in seeds)
        )
        create(load(path), tmp_path, trial.folder)
        assert trial.drive().how == "finished"
        kept = [row["text"] for row in parts.rows(trial.folder.root / "samples.jsonl") if row["split"] == "seed"]
        assert sorted(kept) == sorted(row["text"] + "!?" for row in seeds)
        with pytest.raises(ConfigError, match=r"already holds a run\. `evokd resume .*` goes on with it"):
            create(load(path), tmp_path, trial.folder)


class Unloadable(parts.Students):
    def new(self, seed: int) -> parts.MortalStudent:
        raise ConfigError("no such weights")


def test_traces_are_flushed_for_a_bounded_time_and_only_if_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[float] = []

    class Client:
        def flush(self, timeout: float) -> None:
            flushed.append(timeout)

    monkeypatch.setattr("langsmith.run_trees.get_cached_client", Client)
    monkeypatch.setattr("langsmith.utils.tracing_is_enabled", lambda: False)
    flush_traces()
    monkeypatch.setattr("langsmith.utils.tracing_is_enabled", lambda: True)
    flush_traces(2.5)
    assert flushed == [2.5]
