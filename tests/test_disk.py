"""A disk that is full: the run says so, and goes on once there is room."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evokd.testing.loopback import serving
from tests import parts


@pytest.mark.slow
@pytest.mark.parametrize("size", [1_000, 30_000, 200_000, 300_000])
def test_a_full_disk_is_told_and_once_there_is_room_the_run_goes_on(size: int, tmp_path: Path) -> None:
    """No file may grow beyond `size` bytes: the folder, the cache, the memory or a step of the run is the first."""

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    with serving(parts.answer) as server:
        command: list[Any] = [sys.executable, "main.py", "run", parts.write(tmp_path, server.url), "--runs", tmp_path]
        done = subprocess.run(command, cwd=parts.ROOT, preexec_fn=full, capture_output=True, text=True, check=False)
        assert done.returncode in (1, 2) and "Traceback" not in done.stderr
        first = done.stderr.splitlines()[0]
        assert first.startswith("evokd: ") and ("disk I/O error" in first or "File too large" in first)
        if (tmp_path / "small" / "students").exists():
            command = [sys.executable, "main.py", "resume", tmp_path / "small", *parts.ALLOW]
        done = subprocess.run(command, cwd=parts.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
