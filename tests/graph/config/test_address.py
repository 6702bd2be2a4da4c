"""An address in a config holds no password, and no error repeats one."""

import sys
from typing import Any

import pytest

from evokd.graph import checkpoints
from evokd.graph.checkpoints import open_checkpoints
from evokd.tasks.errors import ConfigError
from tests.graph.config.test_run_config import config


@pytest.mark.parametrize("url", ["postgresql://me@host:5432/runs", "postgres://host/runs?sslmode=require"])
def test_an_address_is_taken_as_it_is(url: str) -> None:
    assert config(checkpoints=url).checkpoints == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@host/runs",
        "postgresql://host/runs?password=hunter2",
        "postgresql://host/runs?sslmode=require&sslpassword=hunter2",
        "mysql://me:hunter2@host/runs",
    ],
)
def test_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as error:
        config(checkpoints=url)
    said = str(error.value)
    assert "checkpoints holds a password" in said and "PGPASSWORD" in said and "hunter2" not in said


@pytest.mark.parametrize("url", ["mysql://host/runs", "runs.sqlite", ""])
def test_what_is_no_address_of_postgres_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=f"checkpoints = {url!r} must be postgresql://user@host/database"):
        config(checkpoints=url)


def test_a_missing_package_is_named(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, f"{checkpoints.__package__}.postgres", raising=False)
    with (
        pytest.raises(ConfigError, match=r"needs a package: `pip install 'evokd\[postgres\]'`"),
        open_checkpoints(tmp_path, "postgresql://host/runs"),
    ):
        pass


@pytest.mark.parametrize(
    "url",
    ["host:8000", "http://host", "http://host:8000/path", "ftp://host:21", "http://h:x"],
)
def test_the_address_of_a_chroma_server_is_host_and_port(url: str) -> None:
    with pytest.raises(ConfigError, match=r"memory\.server = .*must be the address of a Chroma server and no more"):
        config(memory={"server": url})
    assert config(memory={"server": "http://host:8000"}).memory.server == "http://host:8000"


def test_the_address_of_a_chroma_server_holds_no_password() -> None:
    with pytest.raises(ConfigError, match=r"memory\.server is an address with a user") as caught:
        config(memory={"server": "http://me:secret@host:8000"})
    assert "secret@" not in str(caught.value)
