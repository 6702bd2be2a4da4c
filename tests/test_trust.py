"""A run folder, and the folder one stands in, may have been sent by somebody: no command runs code that lies there."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from evokd import main
from evokd.graph.config import parts as plug_ins
from evokd.memory.marker import run_marker
from evokd.memory.run_folder import RunFolder
from evokd.testing import WordStudent, world
from tests import parts
from tests.comparison import comparisons

Said = tuple[int, str, str]

MARK = "import pathlib\npathlib.Path({!r}).write_text('it ran')\n"
PART = "from tests.parts import Students as Own\nclass Students(Own): pass\n"
DOCTEST = ">>> import pathlib; n = pathlib.Path({!r}).write_text('it ran')\n"


@pytest.fixture
def evokd(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """A process in which nothing is allowed yet; path and modules are put back afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.setattr(plug_ins, "_allowed", set())

    def call(*words: str | Path) -> Said:
        plug_ins._allowed.clear()
        return main.main([str(word) for word in words]), *capsys.readouterr()

    return call


class Sent:
    """A run with a champion, as it is unpacked, with the code of its sender beside it."""

    def __init__(self, root: Path, **changes: Any) -> None:
        self.folder, self.mark = RunFolder(root), root / "mark"
        student = WordStudent(list(world.VOCABULARY))
        run_marker(root).claim()
        student.save(self.folder.student(1))
        self.folder.crown("students/cycle-001")
        (root / "data").mkdir()
        (root / "data" / "pool.jsonl").touch()
        (root / "texts.txt").write_text("soup with bread\n")
        self.ran("sent_part.py", PART)
        changes = {"student": {"kind": "sent_part:Students"}} | changes
        (root / "config.toml").write_text(tomli_w.dumps(parts.config("http://127.0.0.1:9/v1", **changes)))

    def ran(self, name: str, more: str = "") -> None:
        """A module that leaves a mark when it is imported."""
        (self.folder.root / name).write_text(MARK.format(str(self.mark)) + more)


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    made = Sent(tmp_path / "sent")
    monkeypatch.chdir(made.folder.root)
    return made


@pytest.mark.parametrize("words", [("predict", ".", "texts.txt"), ("resume", "."), ("resume", ".", "--cycles", "3"),
                                   ("resume", ".", "--no-cache")])  # fmt: skip
def test_a_run_that_was_sent_runs_nothing_until_a_flag_names_it(
    words: tuple[str, ...], sent: Sent, evokd: Callable[..., Said]
) -> None:
    before = (sent.folder.root / "config.toml").read_text()
    code, out, err = evokd(*words)
    assert (code, out, err.count("\n")) == (2, "", 1) and "sent_part:Students" in err and not sent.mark.exists()
    assert "--allow sent_part:Students" in err and (sent.folder.root / "config.toml").read_text() == before
    assert evokd(*words, "--allow", "other_part:Students")[0] == 2 and not sent.mark.exists()


def test_with_its_flag_it_predicts_and_what_predicting_does_not_need_is_not_imported(
    sent: Sent, evokd: Callable[..., Said]
) -> None:
    code, out, err = evokd("predict", ".", "texts.txt", "--allow", "sent_part:Students")
    assert (code, err) == (0, "") and json.loads(out)["text"] == "soup with bread" and sent.mark.exists()
    assert "tests.parts:Notes" in (sent.folder.root / "config.toml").read_text(), "its memory would need another flag"


@pytest.mark.parametrize("words", [(), ("--costs",), ("--prompts",)])
def test_a_run_that_was_sent_can_be_looked_at(words: tuple[str, ...], sent: Sent, evokd: Callable[..., Said]) -> None:
    assert evokd("show", ".", *words)[2] == "" and not sent.mark.exists()


@pytest.mark.parametrize(
    "words", [("predict", ".", "texts.txt"), ("predict", ".", "texts.txt", "--allow", "doctest:run_docstring_examples")]
)
def test_a_doctest_as_a_task_does_not_run(words: tuple[str, ...], tmp_path: Path, evokd: Callable[..., Said]) -> None:
    mark = tmp_path / "sent" / "mark"
    task = {"kind": "doctest:run_docstring_examples", "description": DOCTEST.format(str(mark))}
    run = Sent(tmp_path / "sent", task=task).folder.root
    code, _, err = evokd(words[0], run, run / "texts.txt", *words[3:], "--allow", "sent_part:Students")
    assert (code, err.count("\n")) == (2, 1) and "doctest:run_docstring_examples" in err
    assert "is a function, not a class" in err if "doctest:run_docstring_examples" in words else "add --allow" in err
    assert not mark.exists()


@pytest.mark.parametrize("words", [("plan", "--offline"), ("run",)])
def test_nor_from_a_config_that_the_user_names(
    words: tuple[str, ...], tmp_path: Path, evokd: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    task = {"kind": "doctest:run_docstring_examples", "description": DOCTEST.format(str(tmp_path / "mark"))}
    code, out, err = evokd(words[0], parts.write(tmp_path, "http://127.0.0.1:9/v1", task=task), *words[1:])
    assert (code, out) == (2, "") and "is a function, not a class" in err and err.count("\n") == 1
    assert not (tmp_path / "mark").exists()


def test_a_file_beside_the_user_stands_in_for_no_package(
    sent: Sent, evokd: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "ray",
        "matplotlib",
        "xllamacpp",
        "langchain",
        "langchain_anthropic",
        "kernels",
        "peft",
        "sitecustomize",
    ):
        sent.ran(f"{name}.py")
    (sent.folder.root / "config.toml").write_text(
        tomli_w.dumps(parts.config("http://127.0.0.1:9/v1", student={"kind": "tests.parts:Students"}))
    )
    assert evokd("predict", ".", "texts.txt", "--allow", "tests.parts:Students")[0] == 0
    file = comparisons.write(tmp_path / "mine", "http://127.0.0.1:9/v1")
    code, _, err = evokd("compare", file, "--ray", "127.0.0.1:9")
    assert code == 2 and err.startswith("evokd: --ray")
    assert str(sent.folder.root) not in sys.path and not sent.mark.exists()


@pytest.mark.parametrize("line", ["PYTHONPATH=.", "pythonstartup=x.py", "LD_PRELOAD=./x.so", "OPENSSL_CONF=./x.cnf"])
def test_a_dotenv_that_was_sent_chooses_no_code(
    line: str, sent: Sent, evokd: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    (sent.folder.root / ".env").write_text(f"FINE=1\n{line}\n")
    monkeypatch.delenv("FINE", raising=False)
    before = dict(os.environ)
    assert evokd("resume", ".", *parts.ALLOW)[0] == 2
    changed = {name for name in os.environ if os.environ[name] != before.get(name)}
    assert not changed & {"FINE", line.partition("=")[0]}
    assert "decides" not in evokd("predict", ".", "texts.txt")[2], "which needs no key, and reads none"
