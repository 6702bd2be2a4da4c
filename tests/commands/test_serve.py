"""`evokd serve`: what is in the way is told at once, and a real student answers until it is told to stop."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import evokd
from evokd import main
from evokd.commands import models
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudents
from evokd.tasks.base import Example
from evokd.testing import world
from tests.parts import ROOT
from tests.student import tiny
from tests.student.serving import little

HEAVY = ("torch", "transformers", "chromadb", "langgraph", "langchain_core", "openai", "datasets", "sklearn", "scipy")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main.main(["serve", *words]) == 2
    return capsys.readouterr().err


def test_an_empty_token_is_no_token_and_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOKD_TOKEN", " ")
    assert said(capsys, "nix") == (
        "evokd: EVOKD_TOKEN is set in the environment, and is empty. Give it a value, or unset it.\n"
    )


def test_an_address_in_use_is_told_before_anything_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert said(capsys, "nix", "--port", port).startswith(
            f"evokd: cannot listen at 127.0.0.1, port {port}: address"
        )


def test_a_student_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = said(capsys, "nix", "--port", "0", "--runs", str(tmp_path))
    assert told.startswith("evokd: 'nix' is neither a run with a champion nor") and told.count("\n") == 1


def test_a_missing_package_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evokd.student.serving.http.app", None)
    assert "serve needs a package that is missing: pip install 'evokd[serve]'" in said(capsys, "nix")


def test_without_the_rest_of_evokd_only_exported_students_are_served(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "evokd.graph.prediction", None)
    told = said(capsys, "nix", "--port", "0")
    assert told.startswith("evokd: 'nix' is no exported student, and others need the whole of EvoKD (")


SERVED = """
import sys
from pathlib import Path
import evokd.main, evokd.student.serving.http.app, evokd.student.serving.http.server
from evokd.commands.models import _open_served
served = _open_served(sys.argv[1], Path("runs"), (), 1)
heavy = [name for name in sys.argv[2:] if name in sys.modules]
print(served.name, *served.labels, served.reach.tokens, served.model.predict(["play a song"])[0].label, heavy)
"""


def test_an_exported_student_is_served_without_torch_or_anything_heavy(tmp_path: Path) -> None:
    folder = little.exported(tmp_path / "small")
    command = [sys.executable, "-c", SERVED, str(folder), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    name, *labels, tokens, label, heavy = done.stdout.split()
    assert (name, tuple(labels), tokens, heavy) == ("small", little.LABELS, "12", "[]") and label in labels


def test_an_exported_folder_that_is_damaged_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = little.exported(tmp_path / "small")
    (folder / "onnx" / "model.onnx").write_bytes(b"no network")
    told = said(capsys, str(folder), "--port", "0")
    assert told.startswith(f"evokd: The student in {folder} cannot be read: ") and told.count("\n") == 1


@contextmanager
def serving(*words: str, **more: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`evokd serve` in a process of its own, and its address."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "serve", *words, "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1", **more},
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    try:
        found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
        assert found, process.stderr.read()
        while "startup complete" not in process.stderr.readline():
            assert process.poll() is None
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny student that was fitted."""
    folder = tmp_path_factory.mktemp("served")
    settings = StudentSettings(model=str(tiny.encoder(folder / "encoder")), max_length=16, max_steps=8)
    fitted = TransformerStudents(settings, ("music", "weather")).new(1)
    fitted.fit([Example(text="play the song", label="music"), Example(text="will it rain", label="weather")])
    fitted.save(folder / "tiny")
    return folder / "tiny"


@pytest.mark.slow
def test_a_real_student_says_over_http_what_predict_says_and_ends_well(
    student: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "texts.txt").write_text("play a song\nsnow today\n")
    assert main.main(["predict", str(student), str(tmp_path / "texts.txt")]) == 0
    known = [json.loads(line)["probabilities"] for line in capsys.readouterr().out.splitlines()]
    with serving(str(student), EVOKD_TOKEN="right") as (process, address):
        body: dict[str, Any] = {"inputs": [["play a song"], ["snow today"]]}
        assert httpx.post(f"{address}/predict", json=body).status_code == 401
        headers = {"authorization": "Bearer right"}
        answers = httpx.post(f"{address}/predict", json=body, headers=headers).json()
        for answer, probabilities in zip(answers, known, strict=True):
            assert {each["label"]: each["score"] for each in answer} == pytest.approx(probabilities, abs=1e-4)
        long = {"inputs": "song " * 15, "truncate": False}
        refused = httpx.post(f"{address}/predict", json=long, headers=headers)
        assert refused.status_code == 422 and "has 17 tokens; the student reads 16" in refused.json()["error"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_run_means_its_champion_whoever_made_the_student(tmp_path: Path) -> None:
    evokd.run(world.write(tmp_path), runs=tmp_path, cycles=1)
    served = models._open_served("small", tmp_path, world.PARTS, 1)
    assert (served.name, set(served.labels), served.reach) == ("small", set(world.VOCABULARY), None)
    assert served.model.predict(["soup with bread"])[0].label == "food"
