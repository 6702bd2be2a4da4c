"""`evokd new-role` writes a role that works as it stands, and refuses names that could not."""

import subprocess
import sys
from pathlib import Path

import pytest

from evokd.main import main
from evokd.testing import world

TEACHER = """
from evokd.testing import ScriptedTeacher, world


class Answering(ScriptedTeacher):
    def __init__(self, settings, budget, folder, *, run, seed):
        super().__init__({
            "generator": world.generator, "analyst": world.analyst, "annotator": world.annotator,
            "winnow": lambda prompt: {"drop": [1]},
        })
"""


def test_the_new_role_passes_its_tests_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new-role", "sieve"]) == 0
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "sieve"], capture_output=True, text=True
    )
    assert run.returncode == 0 and "5 passed" in run.stdout, run.stdout + run.stderr


def test_the_new_role_is_a_step_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import evokd

    monkeypatch.chdir(tmp_path)
    assert main(["new-role", "winnow"]) == 0
    (tmp_path / "answering.py").write_text(TEACHER, encoding="utf-8")
    order = ["trainer", "evaluator", "analyst", "generator", "winnow.agent:Winnow", "annotator"]
    parts = {"order": order, "teacher": {"kind": "answering:Answering"}}
    config = world.config(tmp_path)
    config["agents"] = {**config["agents"], "winnow": {"most": 3}}
    outcome = evokd.run({**config, **parts}, cycles=1)
    assert outcome.how == "finished"
    assert outcome.metrics[1]["stats"]["other"] == {"dropped by the winnow": 1}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Critic", "lower-case"),
        ("my_role", "lower-case"),
        ("../critic", "lower-case"),
        ("class", "lower-case"),
        ("annotator", "is a role of EvoKD"),
        ("json", "Python has a module 'json'"),
        ("there", "is there already"),
    ],
)
def test_a_name_that_cannot_work_is_refused(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert main(["new-role", name]) == 2
    assert said in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
