"""LangChain's factory and a real package behind it, where they are installed; and what is said where they are not."""

import subprocess
import sys
from typing import Any

import pytest

from evokd.tasks.errors import ConfigError
from evokd.teacher.base import TeacherDown
from evokd.teacher.settings import TeacherSettings
from evokd.testing.loopback import Loopback, chat, error
from tests.teacher.asking import GOOD, KEY, Open, Ticking, ask, many, said


def test_settings() -> None:
    assert TeacherSettings(kind="langchain", model="acme:big").role("").api_key_env == ""
    with pytest.raises(ValueError, match=r"teacher\.model = 'claude' needs its provider, e\.g\. 'anthropic:claude"):
        TeacherSettings(kind="langchain", model="claude")
    with pytest.raises(ValueError, match=r"teacher\.model is needed for kind = 'langchain'"):
        TeacherSettings(kind="langchain")
    with pytest.raises(ValueError, match="does not continue texts"):
        TeacherSettings(kind="langchain", model="acme:big", prompting="completion")
    mixed = TeacherSettings(kind="openai", model="m", roles={"annotator": {"kind": "langchain", "model": "acme:big"}})
    assert (mixed.role("annotator").kind, mixed.role("generator").kind) == ("langchain", "openai")


def test_the_factory_is_an_extra_that_is_named_where_it_is_missing(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    with pytest.raises(ConfigError, match=r"pip install 'evokd\[providers\]'"):
        opened(kind="langchain", model="openai:gpt-5-mini")


REAL = {"kind": "langchain", "model": "openai:m", "max_tokens": 77, "temperature": 0.5}


def test_langchains_factory_opens_a_real_package(server: Loopback, opened: Open) -> None:
    pytest.importorskip("langchain")
    teacher = opened(**REAL)
    assert ask(teacher, many(3)) == ["it says so"] * 3 and teacher.spent()["input"] == 30
    body = server.requests[0]
    assert (
        body["authorization"] == f"Bearer {KEY}" and body["max_completion_tokens"] == 77 and body["temperature"] == 0.5
    )
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["label", "why"]
    assert teacher._roles.keys == [KEY]


def test_a_real_packages_errors_are_understood(server: Loopback, opened: Open) -> None:
    pytest.importorskip("langchain")
    clock = Ticking()
    server.script = lambda body: (
        error(429, "slow", **{"Retry-After": "45"}) if len(server.requests) == 1 else chat(GOOD)
    )
    assert ask(opened(**REAL, clock=clock), many(1)) == ["it says so"] and clock.now() == 1045
    server.script = lambda body: error(401, f"Incorrect API key provided: {KEY}")
    with pytest.raises(TeacherDown, match="Check the key in the environment variable LOOPBACK_KEY"):
        ask(opened(**REAL), [said("y")])
    server.close()
    with pytest.raises(TeacherDown, match="cannot be reached"):
        ask(opened(**REAL, concurrency=1), [said("z")])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "anthropic:claude"}, "pip install langchain-anthropic"),
        ({"model": "acme:big"}, "acme"),
        ({"api_key_env": None}, "api_key"),
        ({"api_key_env": "NO_SUCH_KEY"}, "NO_SUCH_KEY is not set"),
    ],
)
def test_what_is_missing_is_told_before_the_run_starts(opened: Open, given: dict[str, Any], words: str) -> None:
    pytest.importorskip("langchain")
    with pytest.raises(ConfigError, match=words) as told:
        opened(**{**REAL, **given})
    assert KEY not in str(told.value)


@pytest.mark.slow
def test_without_such_a_teacher_the_factory_is_not_imported() -> None:
    code = "import sys, evokd.teacher.routing, evokd.teacher.teacher; sys.exit('langchain.chat_models' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
