"""Keys are taken as they were meant, and shown to nobody."""

import os
from pathlib import Path

import pytest

from evokd.tasks.errors import ConfigError
from evokd.teacher.transport.keys import key_in, mask, take_keys
from tests.loopback import Loopback
from tests.teacher.asking import KEY, Label, Open, said


@pytest.mark.parametrize("around", ["{}\r\n", " {}", "{}\n"])
def test_white_space_around_a_key_is_nobodys_intention(
    server: Loopback, opened: Open, monkeypatch: pytest.MonkeyPatch, around: str
) -> None:
    monkeypatch.setenv("COPIED", around.format(KEY))
    opened(api_key_env="COPIED").ask([said("x")], Label, role="a", cycle=0)
    assert server.requests[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("odd", ["\r", " ", "\u201c", "é", "\x00"])
def test_what_no_header_can_carry_is_told_without_the_key(monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    monkeypatch.setattr("os.environ", {"COPIED": f"9f8e7d{odd}6c5b"})
    with pytest.raises(ConfigError, match="the key in COPIED has a character at place 7 of 11 that no key has") as told:
        key_in("COPIED", "or none")
    assert "9f8e" not in str(told.value) and "6c5b" not in str(told.value)


@pytest.mark.parametrize("held", [{}, {"COPIED": ""}, {"COPIED": " \n"}])
def test_a_key_that_is_not_there(monkeypatch: pytest.MonkeyPatch, held: dict[str, str]) -> None:
    monkeypatch.setattr("os.environ", held)
    with pytest.raises(ConfigError, match=r"COPIED is not set\. Export it or put it into \.env; or do without\."):
        key_in("COPIED", "or do without")


def test_a_dotenv_gives_what_the_environment_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"SET": "before"})
    (tmp_path / ".env").write_text("SET=after\nexport NEW='it is'\n")
    take_keys(tmp_path / ".env")
    assert os.environ["SET"] == "before" and os.environ["NEW"] == "it is"
    take_keys(tmp_path / "there is none")


@pytest.mark.parametrize("name", ["PYTHONPATH", "PythonPath", "PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES",
                                  "OPENSSL_CONF", "GIT_SSH_COMMAND", "LANGGRAPH_STRICT_MSGPACK"])  # fmt: skip
def test_what_chooses_code_is_not_taken_from_a_dotenv(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {})
    (tmp_path / ".env").write_text(f"FINE=1\n{name}=x\n")
    with pytest.raises(ConfigError, match=f"{name} decides which code runs, and is taken from your environment only"):
        take_keys(tmp_path / ".env")
    assert not os.environ


def test_a_secret_of_white_space_alone_hides_nothing() -> None:
    assert mask("it is  9f8e, with 6c5b", ["9f8e\n", " ", "", "6c5b"]) == "it is  ***, with ***"
