"""The doctor: what is well is said, each problem comes with what helps, and no secret is told."""

import socket
from pathlib import Path
from typing import Any

import pytest

from evokd.graph.config.run_config import load
from evokd.main import main
from evokd.planning import doctor
from evokd.planning.doctor import examine
from evokd.testing.loopback import chat, serving
from tests import parts


def found(runs: Path, **more: Any) -> dict[str, doctor.Finding]:
    return {each.of: each for each in examine(runs, **more)}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_sound_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "PROBLEM" not in said and "tracing is off" in said and "torch " in said
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_teacher_that_answers_is_told_with_its_mode_and_price(tmp_path: Path) -> None:
    with serving(lambda body: chat('{"word": "ready"}')) as server:
        seen = found(tmp_path / "runs", config=load(parts.write(tmp_path, server.url)))
    assert seen["teacher"].is_well and "the server answers by JSON schema" in seen["teacher"].said
    assert seen["price"].is_well and "is unknown" in seen["price"].said


def test_a_teacher_that_is_not_there_is_a_problem_with_what_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = parts.write(tmp_path, f"http://127.0.0.1:{free_port()}/v1", teacher={"patience": 0.1, "retries": 0})
    assert main(["doctor", str(config), "--runs", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "PROBLEM  teacher: " in said and "cannot be reached" in said and "Look at [teacher]" in said


def test_what_is_wrong_with_the_machine_comes_with_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM", 1e18)
    monkeypatch.setattr(doctor, "NEEDED", ("torch", "no-such-package"))
    monkeypatch.setattr(doctor, "OLDEST", (9, 9))

    def refused(**how: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    seen = found(tmp_path / "a" / "b")
    problems = {name: each for name, each in seen.items() if not each.is_well}
    assert set(problems) == {"python", "packages", "disk", "writing"} and all(each.advice for each in problems.values())
    assert seen["packages"].said == "missing: no-such-package"
    assert seen["writing"].said == f"{tmp_path} cannot be written to: Permission denied"


def test_a_langsmith_that_is_silent_is_told_without_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langsmith.utils.tracing_is_enabled", lambda: True)
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_very_secret")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    seen = found(tmp_path)["langsmith"]
    assert not seen.is_well and "does not answer" in seen.said and "LANGSMITH_ENDPOINT" in seen.advice
    assert "secret" not in seen.said
