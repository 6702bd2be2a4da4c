"""A run goes on with the config it began with, but for what is on the list."""

import re
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from evokd.graph.config.edits import fixed, refuse_edits
from evokd.graph.config.run_config import read_toml
from evokd.graph.prediction import open_student
from evokd.graph.setup.create import ask_anew, read_config, with_cycles
from evokd.memory.run_folder import RunFolder
from evokd.tasks.errors import ConfigError
from evokd.testing.loopback import serving
from tests import parts
from tests.graph.test_run import Trial

ORDER = ["trainer", "evaluator", "analyst", "generator", "tests.parts:Critic", "annotator"]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path_factory.mktemp("ended"), server, stop={"cycles": 1}, order=ORDER)
        trial.drive()
    return trial.folder


def edit(folder: RunFolder, changes: dict[str, Any]) -> None:
    """Change dotted keys of a run's config; None takes one out."""
    raw = read_toml(folder.root / "config.toml")
    for dotted, value in changes.items():
        *sections, last = dotted.split(".")
        table = raw
        for section in sections:
            table = table[section]
        if value is None:
            del table[last]
        else:
            table[last] = value
    (folder.root / "config.toml").write_text(tomli_w.dumps(raw))


@pytest.fixture
def folder(ended: RunFolder) -> Any:
    before = (ended.root / "config.toml").read_text()
    yield ended
    (ended.root / "config.toml").write_text(before)


FORBIDDEN = [
    ("seed", 5, "seed is 5 and was 0 when"),
    ("strategy", "paper", 'strategy is "paper" and was "gated"'),
    ("data.dev", "other.jsonl", 'data.dev is "other.jsonl" and was "dev.jsonl"'),
    ("data.test", None, 'data.test is not there and was "test.jsonl"'),
    ("data.pool", "pool.jsonl", 'data.pool is "pool.jsonl" and was not there'),
    ("task.labels.food", None, 'task.labels.food is not there and was "'),
    ("task.labels.news", "x", 'task.labels.news is "x" and was not there'),
    ("task.description", "x" * 200, re.escape('xxx... and was "What is')),
    ("student.model", "mpnet", 'student.model is "mpnet" and was "minilm"'),
    ("memory.duplicate_cosine", 0.5, "memory.duplicate_cosine is 0.5 and was 0.999"),
    ("agents.generator.batch", 4, "agents.generator.batch is 4 and was 8"),
]


@pytest.mark.parametrize(("key", "value", "said"), FORBIDDEN)
def test_what_may_not_change_is_refused_before_anything_is_asked_or_written(
    folder: RunFolder, key: str, value: Any, said: str
) -> None:
    edit(folder, {key: value})
    marker, config = ((folder.root / name).read_text() for name in ("run.json", "config.toml"))
    for use in (read_config, ask_anew, lambda run: with_cycles(run, 9)):
        with pytest.raises(ConfigError, match=said) as refused:
            use(folder)
        assert "\n" not in str(refused.value) and "--name NEW" in str(refused.value)
    assert [marker, config] == [(folder.root / name).read_text() for name in ("run.json", "config.toml")]


def test_a_student_labels_no_texts_for_another_task(folder: RunFolder) -> None:
    edit(folder, {"task.labels": {"sports": "x", "food": "y"}})
    with pytest.raises(ConfigError, match=r"config\.toml: task\.labels\.\w+ is "):
        open_student(str(folder.root), Path("runs"))


def test_limits_teacher_and_place_may_change(folder: RunFolder) -> None:
    edit(
        folder,
        {
            "name": "other",
            "budget.max_calls": 50,
            "stop.cycles": 9,
            "teacher.model": "another",
            "teacher.usd_per_million_input": 1.0,
            "student.device": "cpu",
            "student.threads": 2,
            "order": [role for role in ORDER if ":" not in role],
            "agents.critic": None,
        },
    )
    assert read_config(folder).stop["cycles"] == 9
    edit(folder, {"order": ORDER, "agents.critic": {"shortest": 7}})
    assert read_config(folder).agents["critic"] == {"shortest": 7}


def test_until_a_student_is_there_only_what_the_first_files_were_made_with_is_fixed(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path, server)
        edit(trial.folder, {"student.model": "mpnet", "agents.generator.batch": 4})
        assert read_config(trial.folder).student.model == "mpnet"
        edit(trial.folder, {"seed": 7})
        trial.refuses("seed is 7 and was 0")


def test_what_only_one_version_knows_is_not_compared(folder: RunFolder) -> None:
    config = read_config(folder)
    for began in ({**fixed(config), "student.of_old": 1}, {"seed": 0}, {}, None, [], "x"):
        refuse_edits(began, config, "config.toml", is_trained=True)
