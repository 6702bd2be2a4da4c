"""A run that lost a part, or has another one's, ends as if it had not, or says so in one line and changes nothing."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evokd.graph.consistency import check_memory, ties
from evokd.graph.restoring import saved
from evokd.graph.run import drive
from evokd.graph.setup.create import ask_anew, read_config, with_cycles
from evokd.memory.base import Status
from evokd.memory.run_folder import RunFolder
from evokd.tasks.base import Example, Origin
from evokd.tasks.errors import ConfigError
from evokd.testing import world
from evokd.testing.loopback import serving
from main import main
from tests import parts
from tests.graph.damaging import World, delete, empty, exchange, halve
from tests.graph.test_run import Trial

PARTS = (
    "best", "checkpoints.sqlite", "answers.sqlite", "config.toml", "cycles", "cycles/001", "cycles/002/cases.jsonl",
    "cycles/002/drafts.jsonl", "cycles/002/conversation.json", "data", "data/dev.jsonl", "data/pool.jsonl",
    "data/seed.jsonl", "data/test.jsonl", "end.json", "ledger.id", "ledger.jsonl", "lessons.jsonl", "memory",
    "memory/chroma.sqlite3", "metrics.jsonl", "minutes.json", "taxonomy.jsonl", "result.json", "samples.jsonl",
    "scored.jsonl", "students", "students/cycle-000", "students/cycle-001", "students/cycle-002", "students/final-002",
    "transcripts.jsonl",
)  # fmt: skip


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with serving(parts.answer) as server:
        yield World(tmp_path_factory.mktemp("left"), server)


@pytest.mark.parametrize("moment", ["finished", "between", "failed"])
def test_a_run_that_lost_nothing_goes_on(left: World, tmp_path: Path, moment: str) -> None:
    assert left.resumed(moment, tmp_path / "run", lambda folder: None) == "same"


LOST: list[tuple[str, str, Callable[[Path], None], str]] = [
    (
        "finished",
        "checkpoints.sqlite",
        delete,
        "checkpoints.sqlite is missing or empty, while students is there; it would",
    ),
    ("between", "checkpoints.sqlite", empty, "checkpoints.sqlite is missing or empty"),
    ("finished", "checkpoints.sqlite", halve, "the checkpoint in .* cannot be read"),
    ("finished", "memory", delete, "memory/chroma.sqlite3 is missing or empty"),
    ("failed", "memory", empty, "memory/chroma.sqlite3 is missing or empty"),
    ("between", "cycles/002/drafts.jsonl", delete, "cycles/002/drafts.jsonl is missing or empty"),
    ("between", "students/cycle-001", halve, "students/cycle-001/model.json is not as the run left it"),
    ("failed", "answers.sqlite", delete, r"answers.sqlite lacks \d+ answers that are paid for.*--no-cache`"),
    ("between", "ledger.id", delete, "ledger.id is missing or empty"),
    ("failed", "data/seed.jsonl", halve, "data/seed.jsonl is not as the run left it"),
    ("finished", "minutes.json", empty, "minutes.json, the minutes of work so far, cannot be read"),
]


@pytest.mark.parametrize(("moment", "part", "damage", "why"), LOST)
def test_what_is_lost_is_told(
    left: World, tmp_path: Path, moment: str, part: str, damage: Callable[[Path], None], why: str
) -> None:
    assert re.search(why, left.resumed(moment, tmp_path / "run", lambda folder: damage(folder / part)))


@pytest.mark.parametrize("part", ["checkpoints.sqlite", "memory", "ledger.jsonl", "students/cycle-001"])
def test_a_part_of_another_run_is_told(left: World, tmp_path: Path, part: str) -> None:
    told = left.resumed("between", tmp_path / "run", lambda folder: exchange(folder / part, left.other / part))
    assert "cannot go on: " in told


MADE = ["best", "metrics.jsonl", "lessons.jsonl", "samples.jsonl", "result.json", "scored.jsonl", "students/final-002"]


@pytest.mark.parametrize("part", MADE)
def test_what_can_be_made_again_is_made_again(left: World, tmp_path: Path, part: str) -> None:
    assert left.resumed("finished", tmp_path / "lost", lambda folder: delete(folder / part)) == "same"
    if part != "best":
        assert left.resumed("finished", tmp_path / "cut", lambda folder: halve(folder / part)) == "same"


@pytest.mark.parametrize(("moment", "other"), [("finished", "between"), ("between", "finished")])
def test_a_memory_of_another_time_of_the_run_is_told(left: World, tmp_path: Path, moment: str, other: str) -> None:
    """Put back from a copy that was made before or after the others were."""
    elsewhere = left.left[other] / "memory"
    assert "memory/ holds" in left.resumed(moment, tmp_path / "run", lambda f: exchange(f / "memory", elsewhere))


def test_a_checkpoint_of_an_earlier_time_of_the_run_is_told(left: World, tmp_path: Path) -> None:
    def gone_on(folder: Path) -> None:
        assert drive(read_config(RunFolder(folder)), RunFolder(folder), lambda event: None).how == "finished"
        exchange(folder / "checkpoints.sqlite", left.left["between"] / "checkpoints.sqlite")

    told = left.resumed("between", tmp_path / "run", gone_on)
    assert re.search("memory/ holds . verdicts of cycle 2 where the checkpoint knows of no", told)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["finished", "between", "failed"])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_lost_damaged_or_exchanged(left: World, tmp_path: Path, moment: str, part: str) -> None:
    if not (left.left[moment] / part).exists():
        pytest.skip("a run has no such part then")
    left.resumed(moment, tmp_path / "deleted", lambda folder: delete(folder / part))
    left.resumed(moment, tmp_path / "exchanged", lambda folder: exchange(folder / part, left.other / part))
    if part != "best":
        left.resumed(moment, tmp_path / "emptied", lambda folder: empty(folder / part))
        left.resumed(moment, tmp_path / "halved", lambda folder: halve(folder / part))


class Memories:
    """A memory and the state whose checkpoint knows it."""

    def __init__(self, folder: Path, due: str) -> None:
        self.services, self.due = world.services(folder), due
        self.services.folder.write_rows(folder / "data" / "seed.jsonl", [])
        self.state = world.state(cycle=1)
        self.state["ties"] = ties(self.services, self.state)

    def add(self, cycle: int, text: str = "a new goal") -> None:
        example = Example(text=text, label="sports", split="train", origin=Origin(cycle=cycle))
        self.services.memory.remember([example], status="candidate")

    def check(self) -> None:
        check_memory(self.services.folder, self.services.memory, self.state, self.due)


@pytest.mark.parametrize(
    ("due", "cycle", "fine"),
    [
        ("annotator", 1, True),  # the step under way had remembered some when it was killed
        ("generator", 1, False),  # the checkpoint is older than the memory
        ("annotator", 2, False),
        ("annotator", 0, False),
        ("critic", 0, True),  # a role of the user's own may write what it likes
    ],
)
def test_only_the_step_under_way_may_have_added(tmp_path: Path, due: str, cycle: int, fine: bool) -> None:
    memories = Memories(tmp_path, due)
    memories.check()
    memories.add(cycle)
    if fine:
        memories.check()
    else:
        with pytest.raises(
            ConfigError, match=f"memory/ holds . samples of cycle {cycle} where the checkpoint knows of"
        ):
            memories.check()


def test_the_fate_of_the_batch_may_change_in_a_step_and_that_of_no_other_text(tmp_path: Path) -> None:
    memories = Memories(tmp_path, "evaluator")
    for text in ("a goal", "a match"):
        memories.add(1, text)
    first, second = memories.services.memory.samples("train", "candidate")
    memories.state["batch"] = [first.id]
    memories.state["ties"] = ties(memories.services, memories.state)
    verdicts: tuple[Status, ...] = ("shelved", "kept")
    for verdict in verdicts:
        memories.services.memory.mark([first.id], verdict)
        memories.check()
    memories.due = "trainer"
    with pytest.raises(ConfigError, match="1 verdicts of cycle 1 where the checkpoint knows of no"):
        memories.check()
    memories.due = "evaluator"
    memories.services.memory.mark([second.id], "shelved")
    with pytest.raises(
        ConfigError, match="2 samples of cycle 1 where the checkpoint knows of 2, and not the same ones"
    ):
        memories.check()


def test_files_of_the_users_own_do_no_harm(left: World, tmp_path: Path) -> None:
    def add(folder: Path) -> None:
        for part in ("students/cycle-001", "data", "cycles/002", "."):
            (folder / part / "model.onnx").write_text("mine")

    assert left.resumed("between", tmp_path / "run", add) == "same"


def test_a_finished_cell_without_its_other_students_has_nothing_to_do(left: World, tmp_path: Path) -> None:
    assert left.resumed("finished", tmp_path / "run", lambda folder: RunFolder(folder).drop_students()) == "same"


def test_answers_that_are_lost_can_be_paid_for_again(left: World, tmp_path: Path) -> None:
    shutil.copytree(left.left["failed"], tmp_path / "run", symlinks=True)
    folder = RunFolder(tmp_path / "run")
    delete(folder.root / "answers.sqlite")
    ask_anew(folder)
    assert drive(read_config(folder), folder, lambda event: None).how == "finished"


def test_a_run_of_an_older_version_goes_on(left: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checkpoints know of nothing; from the next step on they do."""
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server, stop={"cycles": 1})
        with monkeypatch.context() as before:
            before.setattr("evokd.graph.build.ties", lambda services, state: {})
            trial.drive()
        with_cycles(trial.folder, 2)
        assert trial.drive().how == "finished"
        delete(trial.folder.root / "memory")
        trial.refuses("memory/chroma.sqlite3 is missing")


def test_one_line_and_exit_code_2(left: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(left.left["between"], tmp_path / "run", symlinks=True)
    delete(tmp_path / "run" / "memory")
    assert main(["resume", str(tmp_path / "run")]) == 2
    [line] = [each for each in capsys.readouterr().err.splitlines() if each.startswith("evokd: ")]
    assert "memory/chroma.sqlite3 is missing" in line


def test_what_a_checkpoint_knows_is_small(left: World) -> None:
    folder = parts.folder(left.left["finished"])
    state: Any = saved(read_config(folder), folder)[0]
    assert len(json.dumps(state["ties"])) < 3000
