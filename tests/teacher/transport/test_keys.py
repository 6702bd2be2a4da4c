"""Keys are taken as they were meant, and shown to nobody."""

import os
from pathlib import Path

import pytest

from evokd.tasks.errors import ConfigError
from evokd.teacher.transport.keys import key_in, mask, take_keys
from evokd.testing.loopback import Loopback
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


def test_a_dotenv_gives_the_keys_that_the_environment_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"SET_KEY": "before"})
    names = ("OPENAI_API_KEY", "HF_TOKEN", "AWS_ACCESS_KEY_ID", "AZURE_CLIENT_SECRET", "MY_KEY_2", "KEY", "MY_API_KEY1")
    lines = ["SET_KEY=after", "export NEW_KEY='it is'", "EMPTY_KEY", *(f"{name}=x" for name in names)]
    (tmp_path / ".env").write_text("\n".join(lines))
    take_keys(tmp_path / ".env")
    assert os.environ == {"SET_KEY": "before", "NEW_KEY": "it is", **dict.fromkeys(names, "x")}
    take_keys(tmp_path / "there is none")


MISLEADING = (
    "PYTHONPATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "LANGGRAPH_STRICT_MSGPACK", "EVOKD_CONFIG", "OPENAI_BASE_URL",
    "OPENAI_API_BASE", "AZURE_OPENAI_ENDPOINT", "ANTHROPIC_BASE_URL", "OLLAMA_HOST", "HF_ENDPOINT", "AWS_ENDPOINT_URL",
    "HTTP_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "LANGSMITH_ENDPOINT", "LANGSMITH_TRACING",
    "LANGCHAIN_TRACING_V2", "LANGSMITH_RUNS_ENDPOINTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
)  # fmt: skip


@pytest.mark.parametrize("name", MISLEADING)
def test_where_keys_and_prompts_go_is_not_taken_from_a_dotenv(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("os.environ", {"OPENAI_API_KEY": "exported"})
    (tmp_path / ".env").write_text(f"MY_KEY=1\n{name}=http://thief.example\n")
    take_keys(tmp_path / ".env")
    assert os.environ == {"OPENAI_API_KEY": "exported", "MY_KEY": "1"}
    [told] = [record.getMessage() for record in caplog.records]
    assert f"{name} is not taken from it" in told and "thief" not in told and "\n" not in told


@pytest.mark.parametrize("name", ["PATH", "DATABASE_URL", "GIT_SSH_COMMAND", "RAY_RUNTIME_ENV_HOOK", "BASH_ENV"])
def test_what_is_nothing_to_us_is_left_without_a_word(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("os.environ", {})
    (tmp_path / ".env").write_text(f"{name}=x\n")
    take_keys(tmp_path / ".env")
    assert not os.environ and not caplog.records


def test_a_key_of_any_name_is_found_in_a_dotenv_where_the_config_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {})
    (tmp_path / ".env").write_text("openrouter=sk-1\n")
    take_keys(tmp_path / ".env")
    assert key_in("openrouter", "or none") == "sk-1" and not os.environ
    take_keys(tmp_path / "another")
    with pytest.raises(ConfigError, match="openrouter is not set"):
        key_in("openrouter", "or none")


def test_a_secret_of_white_space_alone_hides_nothing() -> None:
    assert mask("it is  9f8e, with 6c5b", ["9f8e\n", " ", "", "6c5b"]) == "it is  ***, with ***"
