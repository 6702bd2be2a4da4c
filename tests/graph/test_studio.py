"""The graph that `langgraph dev` serves: no checkpointer of its own, a context that is JSON, services made inside."""

import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evokd.memory.marker import run_marker
from evokd.tasks.errors import ConfigError
from evokd.testing.loopback import serving
from tests import parts


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module as the server loads it."""
    monkeypatch.delenv("EVOKD_CONFIG", raising=False)
    sys.modules.pop("evokd.graph.studio", None)
    module = importlib.import_module("evokd.graph.studio")
    yield module
    module._open_runs.close()
    sys.modules.pop("evokd.graph.studio", None)


def reload(monkeypatch: pytest.MonkeyPatch, config: Path) -> Any:
    monkeypatch.setenv("EVOKD_CONFIG", str(config))
    sys.modules.pop("evokd.graph.studio", None)
    return importlib.import_module("evokd.graph.studio")


def test_langgraph_json_names_it() -> None:
    named = json.loads((parts.ROOT / "langgraph.json").read_text())
    assert named["dependencies"] == ["."]
    path, _, name = named["graphs"]["evokd"].partition(":")
    assert (path, name) == ("evokd.graph.studio", "graph")
    assert "env" not in named or (parts.ROOT / named["env"]).exists()


def test_its_config_is_not_taken_from_dotenv_as_it_allows_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = parts.write(tmp_path, "http://127.0.0.1:9/v1")
    (tmp_path / ".env").write_text(f"EVOKD_CONFIG={config}\n")
    monkeypatch.setenv("EVOKD_CONFIG", "so that what is read is forgotten afterwards")
    monkeypatch.delenv("EVOKD_CONFIG")
    monkeypatch.chdir(tmp_path)
    sys.modules.pop("evokd.graph.studio", None)
    assert importlib.import_module("evokd.graph.studio").CONFIG == parts.ROOT / "configs" / "demo.toml"
    sys.modules.pop("evokd.graph.studio")


def test_it_has_no_checkpointer_and_its_context_is_json(studio: Any) -> None:
    assert studio.graph.checkpointer is None and studio.graph.name == "evokd"
    schema = studio.graph.get_context_jsonschema()
    assert {name: field["type"] for name, field in schema["properties"].items()} == {
        "config": "string",
        "run": "string",
    }
    assert json.loads(json.dumps(schema)) == schema


def test_it_runs_on_a_context_of_strings_and_an_empty_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(parts.answer) as server:
        config = parts.write(tmp_path, server.url, stop={"cycles": 1})
        studio = reload(monkeypatch, config)
        monkeypatch.chdir(tmp_path)
        state = studio.graph.invoke({}, context={"config": str(config), "run": "seen"})
        studio._open_runs.close()
    assert state["stop"] == "all 1 cycles are done"
    assert (tmp_path / "runs" / "seen" / "best" / "model.json").exists()


def test_a_config_with_other_roles_than_the_picture_is_refused(studio: Any, tmp_path: Path) -> None:
    config = parts.write(tmp_path, "http://127.0.0.1:1/v1", student={"kind": "transformer"}, memory={"kind": "chroma"})
    with pytest.raises(ConfigError, match=r"has other roles or another stop rule .* EVOKD_CONFIG="):
        studio.StudioContext(str(config), "seen").services()


def test_parts_of_ones_own_are_those_of_its_own_config_alone(
    studio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a client of the server sends, and the run folder that is there already, allow nothing."""
    monkeypatch.setattr("evokd.graph.config.parts._allowed", set())
    monkeypatch.chdir(tmp_path)
    config = parts.write(tmp_path, "http://127.0.0.1:1/v1")
    with pytest.raises(ConfigError, match=r"small\.toml names code .* name it in the config of EVOKD_CONFIG"):
        studio.StudioContext(str(config), "seen").services()
    folder = parts.folder(tmp_path / "runs" / "seen")
    run_marker(folder.root).claim()
    (folder.root / "config.toml").write_text(config.read_text())
    with pytest.raises(ConfigError, match=r"runs/seen/config\.toml names code "):
        studio.StudioContext(run="seen").services()


SERVER = next((str(path) for path in (parts.ROOT / ".venv" / "studio" / "bin" / "langgraph",) if path.exists()), None)
SERVER = SERVER or shutil.which("langgraph")
needs_server = pytest.mark.skipif(SERVER is None, reason="there is no `langgraph`; `make test-slow` installs it")


@pytest.mark.slow
@needs_server
def test_the_server_runs_it_over_its_api_and_hands_on_what_a_role_asks(tmp_path: Path) -> None:
    """A run that a role interrupts goes on with the answer, and ends with the final test."""
    shutil.copy(parts.ROOT / "langgraph.json", tmp_path)
    order = ["trainer", "evaluator", "analyst", "generator", "tests.parts:Asker", "annotator"]
    with serving(parts.answer) as teacher:
        config = parts.write(tmp_path / "config", teacher.url, stop={"cycles": 1}, order=order)
        with development_server(tmp_path, config) as address:
            given: Any = {"assistant_id": "evokd", "context": {"config": str(config), "run": "over-the-api"}}
            thread = f"{address}/threads/{asked(f'{address}/threads', {})['thread_id']}"
            asked(f"{thread}/runs/wait", {**given, "input": {}})
            [task] = asked(f"{thread}/state")["tasks"]
            assert [each["value"] for each in task["interrupts"]] == [{"question": "Are these texts like yours?"}]
            calls = len(teacher.requests)
            state = asked(f"{thread}/runs/wait", {**given, "command": {"resume": "yes"}})
            assert asked(f"{thread}/state")["values"]["answers"] == ["yes"] and len(teacher.requests) > calls
    assert state["stop"] == "all 1 cycles are done"
    assert [row["batch_kind"] for row in state["history"]] == ["seed", "breadth"]
    assert (tmp_path / "runs" / "over-the-api" / "best" / "model.json").exists()
    assert (tmp_path / "runs" / "over-the-api" / "result.json").exists(), "the final test is a step of the graph"


@contextmanager
def development_server(folder: Path, config: Path) -> Iterator[str]:
    """`langgraph dev` on a free port for the length of a block; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [str(SERVER), "dev", "--no-browser", "--no-reload", "--port", address.rpartition(":")[2]]
    env = {**os.environ, "EVOKD_CONFIG": str(config), "PYTHONPATH": str(parts.ROOT)}
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:  # its log tells when it is there
        said.append(line)
        if "Application started up" in "".join(said) and answers(address):
            break
    rest = threading.Thread(target=process.stdout.read)
    rest.start()
    try:
        assert process.poll() is None, "".join(said)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        rest.join()
        process.stdout.close()


def answers(address: str) -> bool:
    try:
        return bool(asked(f"{address}/ok")["ok"])
    except urllib.error.URLError:
        return False


def asked(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=240) as reply:
        return json.load(reply)
