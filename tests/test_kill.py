"""A run that is killed anywhere and resumed is the run that was not, and pays for no finished call twice."""

import json
import queue
import random
import signal
import subprocess
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from evokd.graph.build import build
from evokd.graph.config.run_config import agents, stop_rule, validate
from evokd.testing import world
from evokd.testing.loopback import Body, Said, serving
from tests import parts

pytestmark = pytest.mark.slow

PROCESS = 240
"""Seconds after which a process that should have ended is a failure."""


class Server:
    """The world's teacher, which does something to a run's process at the n-th request of a role."""

    def __init__(self, role: str = "", number: int = 0, *, sends: signal.Signals = signal.SIGKILL) -> None:
        self.role, self.number, self.sends = role, number, sends
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.process: queue.Queue[subprocess.Popen[str]] = queue.Queue()

    def __call__(self, body: Body) -> Said:
        role = parts.role_of(body)
        self.asked[role] += 1
        if (role, self.asked[role]) == (self.role, self.number):
            self.process.get().send_signal(self.sends)
            if self.sends == signal.SIGKILL:
                return Said(reset=True)
        self.answered[json.dumps(body, sort_keys=True)] += 1
        return parts.answer(body)


def outcome(folder: Path) -> tuple[Any, Any, Any]:
    """All that must be the same: the texts, the cycles without their times, and what the test set said."""
    metrics = parts.rows(folder / "metrics.jsonl")
    for row in metrics:
        del row["seconds"], row["teacher"]["seconds"]
    return parts.rows(folder / "samples.jsonl"), metrics, json.loads((folder / "result.json").read_text())


def finish(*words: Any, **env: str) -> tuple[int, str, str]:
    process = parts.start(*words, **env)
    out, err = process.communicate(timeout=PROCESS)
    return process.returncode, out, err


def next_step(folder: Path) -> str:
    """The step the checkpoint would go on with."""
    config = validate(tomllib.loads((folder / "config.toml").read_text()), "config", trusted=True)
    with SqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver:
        graph = build(agents(config), stop_rule(config)).compile(checkpointer=saver)
        return str(graph.get_state({"configurable": {"thread_id": config.name}}).next[0])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, int]:
    """An uninterrupted run: its outcome, and how many requests it made."""
    folder, server = tmp_path_factory.mktemp("whole"), Server()
    with serving(server) as running:
        code, _, err = finish("run", parts.write(folder, running.url), "--runs", folder / "runs")
    assert code == 0, err
    assert set(server.answered.values()) == {1}
    kept = outcome(folder / "runs" / "small")
    assert [row["batch_kind"] for row in kept[1]] == ["seed", "breadth", "lessons"]
    return kept, sum(server.answered.values())


@pytest.mark.parametrize(
    ("step", "die"),
    [
        ("trainer", "fit:1"),  # nothing is saved yet
        ("trainer", "save:3"),  # between the students of a comparison
        ("evaluator", "predict:8"),  # the gate is being read
        ("evaluator", "mark:1"),  # the verdict is half written
        ("analyst", "fit:8"),  # the second of three cross-fits
        ("annotator", "remember:8"),  # accepted texts are remembered, the step is not over
    ],
)
def test_killed_in_a_part(step: str, die: str, whole: tuple[Any, int], tmp_path: Path) -> None:
    server = Server()
    with serving(server) as running:
        config = parts.write(tmp_path, running.url)
        code, _, err = finish("run", config, "--runs", tmp_path / "runs", EVOKD_TEST_DIE=die)
        assert code == -signal.SIGKILL, err
        assert next_step(tmp_path / "runs" / "small") == step
        code, _, err = finish("resume", "small", "--runs", tmp_path / "runs", *parts.ALLOW)
    assert code == 0, err
    assert outcome(tmp_path / "runs" / "small") == whole[0]
    assert set(server.answered.values()) == {1} and sum(server.answered.values()) == whole[1]


@pytest.mark.parametrize(("step", "number"), [("analyst", 1), ("generator", 3), ("annotator", 2)])
def test_killed_while_the_teacher_is_asked(step: str, number: int, whole: tuple[Any, int], tmp_path: Path) -> None:
    server = Server(step, number)
    with serving(server) as running:
        process = parts.start("run", parts.write(tmp_path, running.url), "--runs", tmp_path / "runs")
        server.process.put(process)
        process.communicate(timeout=PROCESS)
        assert process.returncode == -signal.SIGKILL
        assert next_step(tmp_path / "runs" / "small") == step
        code, _, err = finish("resume", "small", "--runs", tmp_path / "runs", *parts.ALLOW)
    assert code == 0, err
    assert outcome(tmp_path / "runs" / "small") == whole[0]
    assert set(server.answered.values()) == {1} and sum(server.answered.values()) == whole[1]


def test_killed_again_and_again_while_the_clock_goes_back(whole: tuple[Any, int], tmp_path: Path) -> None:
    server, runs, hour = Server(), tmp_path / "runs", 3600
    with serving(server) as running:
        config = parts.write(tmp_path, running.url)
        code, _, err = finish("run", config, "--runs", runs, EVOKD_TEST_DIE="mark:1")
        for sitting, die in enumerate(["remember:8", "save:2", "predict:3"], start=1):
            assert code == -signal.SIGKILL, err
            env = {"EVOKD_TEST_DIE": die, "EVOKD_TEST_CLOCK": str(-sitting * hour)}
            code, _, err = finish("resume", "small", "--runs", runs, *parts.ALLOW, **env)
        for off in (-9 * hour, 0, hour):
            code, _, err = finish("resume", "small", "--runs", runs, *parts.ALLOW, EVOKD_TEST_CLOCK=str(off))
            assert code == 0, err
            assert outcome(runs / "small") == whole[0]
    assert set(server.answered.values()) == {1} and sum(server.answered.values()) == whole[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_step_end_and_says_how_to_go_on(
    number: signal.Signals, whole: tuple[Any, int], tmp_path: Path
) -> None:
    server, folder = Server("annotator", 1, sends=number), tmp_path / "runs" / "small"
    with serving(server) as running:
        process = parts.start("run", parts.write(tmp_path, running.url), "--runs", tmp_path / "runs")
        server.process.put(process)
        out, err = process.communicate(timeout=PROCESS)
        assert process.returncode == 75, err
        assert f"Stopped as asked, after a whole step. Nothing is lost. Go on with: evokd resume {folder}" in out
        assert (folder / "best" / "model.json").exists()
        assert next_step(folder) == "trainer", "the annotator's step ended, the next did not begin"
        code, _, err = finish("resume", folder, *parts.ALLOW)
    assert code == 0, err
    assert outcome(folder) == whole[0]
    assert set(server.answered.values()) == {1}


def test_a_role_that_asks_is_answered_after_a_kill_and_killed_after_the_answer(tmp_path: Path) -> None:
    """Killed while the texts are written, asked, answered, killed while they are labelled, and finished."""
    order = ["trainer", "evaluator", "analyst", "generator", "tests.parts:Asker", "annotator"]
    allow = (*parts.ALLOW, "--allow", "tests.parts:Asker")
    server, runs = Server("generator", 2), tmp_path / "runs"
    with serving(server) as running:
        process = parts.start("run", parts.write(tmp_path, running.url, order=order), "--runs", runs)
        server.process.put(process)
        process.communicate(timeout=PROCESS)
        assert process.returncode == -signal.SIGKILL
        code, out, err = finish("resume", "small", "--runs", runs, *allow)
        assert code == 75 and "Are these texts like yours?" in out, err
        server.role, server.number = "annotator", server.asked["annotator"] + 1
        process = parts.start("resume", "small", "--runs", runs, *allow, "--answer", "yes")
        server.process.put(process)
        process.communicate(timeout=PROCESS)
        assert process.returncode == -signal.SIGKILL
        code, out, err = finish("resume", "small", "--runs", runs, *allow)
    assert code == 0 and "The run ended" in out, err
    assert set(server.answered.values()) == {1}, "no answered call is made again"


def with_pool(folder: Path, url: str) -> Path:
    """A run whose gate is of the pool, and whose second batch is labelled texts of it."""
    rng = random.Random(4)
    pool = [f"{world.make_text(label, rng)} real{n}" for n in range(30) for label in world.VOCABULARY]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pool.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in pool), encoding="utf-8")
    return parts.write(folder, url, data={"pool": "pool.jsonl"})


@pytest.mark.parametrize("die", ["remember:6", "fit:8", "predict:9", "mark:2"])
def test_killed_while_real_texts_are_held_out_and_labelled(die: str, tmp_path: Path) -> None:
    server = Server()
    with serving(server) as running:
        code, _, err = finish("run", with_pool(tmp_path / "a", running.url), "--runs", tmp_path / "a")
        assert code == 0, err
        asked = sum(server.answered.values())
        code, _, err = finish(
            "run", with_pool(tmp_path / "b", running.url), "--runs", tmp_path / "b", EVOKD_TEST_DIE=die
        )
        assert code == -signal.SIGKILL, err
        code, _, err = finish("resume", "small", "--runs", tmp_path / "b", *parts.ALLOW)
    assert code == 0, err
    whole = outcome(tmp_path / "a" / "small")
    assert outcome(tmp_path / "b" / "small") == whole
    assert sum(server.answered.values()) == 2 * asked and set(server.answered.values()) == {2}
    assert [row["batch_kind"] for row in whole[1]] == ["seed", "breadth", "label"]
    assert whole[2]["agreement with the teacher"]["texts"] == "of the pool, at random"
    assert whole[2]["outlook"] == whole[1][-1]["outlook"] != ""
