"""Two starts of one name at the same moment, as processes: one goes on, the other is refused in one line."""

from pathlib import Path

import pytest

from evokd.testing.loopback import serving
from tests import parts


@pytest.mark.slow
def test_of_two_processes_one_wins(tmp_path: Path) -> None:
    with serving(parts.answer) as server:
        configs = [parts.write(tmp_path / str(seed), server.url, seed=seed) for seed in (1, 2)]
        processes = [parts.start("run", config, "--runs", tmp_path / "runs") for config in configs]
        errors = [process.communicate(timeout=300)[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [0, 2]
    lost = codes.index(2)
    assert errors[lost].startswith("evokd: ") and errors[lost].count("\n") == 1 and "in use" in errors[lost]
    assert f"seed = {2 - lost}" in (tmp_path / "runs" / "small" / "config.toml").read_text()
