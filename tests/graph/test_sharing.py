"""A student is pushed whole, with its card, to a hub; nothing else is, and every refusal is one line."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

import evokd
from evokd import main
from evokd.graph.cards import facts_of, shared_rows, write_cards
from evokd.graph.config.sections import TeacherSection
from evokd.memory.marker import export_marker
from evokd.memory.run_folder import RunFolder
from evokd.student.serving.hub import check_name
from evokd.student.serving.parity import Parity
from evokd.tasks.errors import ConfigError
from evokd.testing import world

TOKEN = "hf_abcdefghijklmnop"
PARITY = Parity(difference=0.0, texts=0, megabytes=1.0, refused="there are no texts")


@dataclass
class Hub:
    """What a hub was asked, and what it has; it answers as the hub does to `create_repo` and `upload_folder`."""

    address: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Part of a path -> status and message it is answered with."""

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        if refusal := next((told for part, told in self.refusals.items() if part in path), None):
            return refusal[0], {"error": refusal[1]}
        if path == "/api/whoami-v2":
            return 200, {"name": "maria", "type": "user"}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            asked = json.loads(body)
            repo = f"{asked.get('type', 'model')}s/{asked['organization']}/{asked['name']}"
            self.repositories.setdefault(repo, asked)
            return 200, {"url": f"{self.address}/{repo.removeprefix('models/')}"}
        repo = "/".join(path.split("/")[2:5])
        if path.endswith("/preupload/main"):
            names = [each["path"] for each in json.loads(body)["files"]]
            return 200, {"files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]}
        if path.endswith("/commit/main"):
            rows = [json.loads(line)["value"] for line in body.splitlines()]
            self.files[repo] = {row["path"]: base64.b64decode(row["content"]) for row in rows if "content" in row}
            return 200, {"commitUrl": f"{self.address}/{repo}/commit/abc", "commitOid": "abc", "success": True}
        return 404, {"error": "no such route"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub on the loopback that knows one token, and the client pointed at it."""
    there = Hub()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            status, said = there.answer(self.path, body) if known else (401, {"error": "Invalid username or password."})
            sent = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            if status >= 400:
                self.send_header("X-Error-Message", said["error"])
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_GET

        def log_message(self, *args: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        there.address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", there.address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield there
        server.shutdown()


def exported(folder: Path) -> Path:
    """A folder like those of an export, with a card and a marker."""
    (folder / "onnx").mkdir(parents=True)
    config = {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {"0": "food", "1": "money"},
        "evokd_max_length": 12,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "onnx" / "model.onnx").write_bytes(b"network")
    write_cards(folder, "mine", PARITY, None)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    export_marker(folder).mark()
    export_marker(folder).note(files=files)
    return folder


def push(*words: str) -> int:
    return main.main(["push", *words])


def test_an_exported_folder_is_pushed_as_it_is_and_nothing_else(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(tmp_path / "out")
    (folder / "README.md").write_text((folder / "README.md").read_text().replace("license: unknown", "license: mit"))
    (folder / "LICENSE").write_text("mine")
    (folder / ".env").write_text("KEY=secret")
    assert push(str(folder), "maria/desk", "--private") == 0
    assert hub.repositories["models/maria/desk"]["visibility"] == "private"
    files = hub.files["models/maria/desk"]
    assert sorted(files) == ["LICENSE", "README.md", "config.json", "onnx/model.onnx"]
    assert b"license: mit" in files["README.md"] and files["onnx/model.onnx"] == b"network"
    told = capsys.readouterr()
    assert f"There: {hub.address}/maria/desk\n" in told.out and "Left here, as no export wrote it: .env.\n" in told.out
    assert TOKEN not in told.out + told.err and "names no licence" not in told.out


def test_a_repository_is_public_unless_asked(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert push(str(exported(tmp_path / "out")), "maria/desk") == 0
    assert "The card names no licence yet" in capsys.readouterr().out
    assert hub.repositories["models/maria/desk"].get("visibility") in (None, "public")


@pytest.mark.parametrize(
    ("part", "status", "code", "told"),
    [
        ("whoami", 401, 2, "refuses your account (401): it does not know your token. Make one"),
        ("create", 403, 2, "refuses maria/desk (403): your token may not write there"),
        ("create", 404, 2, "refuses maria/desk (404): there is no such owner"),
        ("commit", 403, 2, "refuses maria/desk (403)"),
        ("create", 429, 2, "(429): you have asked too often"),
        ("create", 418, 2, "refuses maria/desk (418): bad (token) \\x1b[2J two lines."),
        ("commit", 501, 1, "fails over maria/desk (501)"),
    ],
)
def test_a_refusal_is_one_line_without_the_token(
    part: str, status: int, code: int, told: str, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.refusals[part] = (status, f"bad {TOKEN} \x1b[2J two  lines")
    assert push(str(exported(tmp_path / "out")), "maria/desk") == code
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1 and TOKEN not in said


def test_an_unknown_token_and_none_are_told(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(exported(tmp_path / "out"))
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    assert push(folder, "maria/desk") == 2 and "does not know your token" in capsys.readouterr().err
    monkeypatch.delenv("HF_TOKEN")
    assert push(folder, "maria/desk") == 2 and "There is no token for the hub." in capsys.readouterr().err
    assert hub.repositories == {}


def test_without_a_network_that_is_told(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(exported(tmp_path / "out"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert push(folder, "maria/desk") == 2 and "HF_HUB_OFFLINE is set" in capsys.readouterr().err
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert push(folder, "maria/desk") == 1
    said = capsys.readouterr().err
    assert "The hub at http://127.0.0.1:9 cannot be reached (ConnectError)" in said and said.count("\n") == 1


@pytest.mark.parametrize("name", ["desk", "a/b/c", "maria/", "/desk", "maria/de sk", "maria/..", "maria/x\ny", "-a/b"])
def test_a_name_the_hub_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(ConfigError, match="is no name of the hub") as caught:
        check_name(name)
    assert "\n" not in str(caught.value)


def test_a_folder_that_no_export_wrote_is_refused(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_text("mine")
    assert push(str(tmp_path / "photos"), "maria/desk") == 2
    assert "is neither a run with a champion nor a student's folder" in capsys.readouterr().err
    (tmp_path / "photos" / "export.json").write_text("{}")
    assert push(str(tmp_path / "photos"), "maria/desk") == 2
    assert "is not a marker that this version of EvoKD knows" in capsys.readouterr().err
    folder = exported(tmp_path / "out")
    (folder / "config.json").unlink()
    assert push(str(folder), "maria/desk") == 2
    assert "lacks config.json, which the export wrote" in capsys.readouterr().err
    (folder / "config.json").symlink_to(tmp_path / "photos" / "one.jpg")  # by whoever made the folder
    assert push(str(folder), "maria/desk") == 2
    assert "lacks config.json, which the export wrote" in capsys.readouterr().err
    (tmp_path / "all").mkdir()
    export_marker(tmp_path / "all").mark()
    export_marker(tmp_path / "all").note(files=["*"])
    assert push(str(tmp_path / "all"), "maria/desk") == 2 and "lacks *" in capsys.readouterr().err
    assert hub.files == {}


def test_the_texts_are_in_the_run_alone(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert push(str(exported(tmp_path / "out")), "maria/desk", "--data") == 2
    assert "--data needs the run, which has the texts" in capsys.readouterr().err


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A finished run on fakes."""
    monkeypatch.chdir(tmp_path)
    return RunFolder(evokd.run(world.write("."), cycles=1).folder)


def test_a_run_is_exported_and_its_teachers_texts_are_pushed_as_a_data_set(
    hub: Hub, run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def export(model: str, to: Path, runs: Path, show: Any, allowed: Any) -> None:
        exported(to)
        write_cards(to, "x", PARITY, run)
        export_marker(to).note(files=["README.md", "DATASET_CARD.md", "config.json", "onnx/model.onnx"])

    monkeypatch.setattr("evokd.graph.sharing.export_student", export)
    assert push("small", "maria/texts", "--data", "--private") == 0
    assert sorted(hub.files) == ["datasets/maria/texts", "models/maria/texts"]
    assert hub.repositories["datasets/maria/texts"]["visibility"] == "private"
    rows = [json.loads(line) for line in hub.files["datasets/maria/texts"]["train.jsonl"].splitlines()]
    assert rows == list(shared_rows(run)) and rows
    assert not {row["text"] for row in rows} & set(world.SEEDS.values())
    card = hub.files["datasets/maria/texts"]["README.md"].decode()
    assert f"holds the {len(rows)} that the teacher wrote. The 4 of the author's own" in card
    assert f"pushing {len(rows)} texts" in capsys.readouterr().out


def test_the_facts_of_a_run_are_those_of_its_files(run: RunFolder) -> None:
    facts = facts_of(run)
    assert (facts.name, facts.description) == ("small", "What is the text about?")
    assert set(facts.labels) == set(world.VOCABULARY) and facts.texts.own == 4 and not facts.embedded
    assert facts.texts.total == facts.texts.written + 4 and facts.texts.written == len(list(shared_rows(run)))


def test_a_damaged_result_is_told(run: RunFolder) -> None:
    (run.root / "result.json").write_text('{"metric": 3}')
    with pytest.raises(ConfigError, match=r"result\.json cannot be read .*writes it anew") as caught:
        facts_of(run)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("teacher", "name"),
    [
        ({}, "SmolLM2-135M-Instruct"),
        ({"model": "/home/maria/secret/big.gguf"}, "big.gguf"),
        ({"kind": "openai", "model": "meta-llama/big", "base_url": "http://secret:1/v1"}, "meta-llama/big"),
        ({"kind": "openai", "model": "usual", "roles": {"generator": {"model": "other"}}}, "other"),
        ({"kind": "mine:Oracle"}, "Oracle"),
        ({"kind": "openai", "model": "usual", "roles": {"generator": {"kind": "local"}}}, "SmolLM2-135M-Instruct"),
    ],
)
def test_the_writer_is_named_without_paths_and_addresses(teacher: dict[str, Any], name: str) -> None:
    from evokd.graph.cards import _writer

    assert _writer(TeacherSection.model_validate(teacher)) == name
