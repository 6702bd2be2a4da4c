"""Real servers on this machine for the time of a test: Chroma as `chroma run` starts it, and Postgres."""

import gc
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

PASSWORD = "correct horse battery staple"


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def chroma() -> Iterator[str]:
    """The address of a Chroma server with nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [str(Path(sys.executable).parent / "chroma"), "run", "--path", folder, "--host", "127.0.0.1"]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen([*command, "--port", str(port)], stdout=quiet, stderr=quiet)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process)
            yield url
        finally:
            process.kill()
            process.wait()
            with warnings.catch_warnings():  # Chroma's client leaves its connections to the garbage collector
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{url}/api/v2/heartbeat").raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.1)  # nothing tells when it listens
    raise AssertionError(f"`chroma run` does not answer; it ended with {process.poll()}")


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a Postgres server that asks for `PASSWORD`; the test is skipped where none is installed."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="evokd-postgres-"))
    user = _unprivileged()
    if user is not None:
        shutil.chown(folder, user)
    try:
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        data = str(folder / "data")
        given = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--username=evokd", "--no-sync"]
        _call([initdb, "-D", data, *given], user)
        port = free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        _call([pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start"], user)
        try:
            yield f"postgresql://evokd@127.0.0.1:{port}/postgres"
        finally:
            _call([pg_ctl, "-D", data, "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    found = shutil.which(name) or next(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), None)
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install postgresql)")
    return str(found)


def _unprivileged() -> str | None:
    """Whom the server runs as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _call(command: list[str], user: str | None) -> None:
    found = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert found.returncode == 0, f"{command}: {found.stdout}{found.stderr}"
