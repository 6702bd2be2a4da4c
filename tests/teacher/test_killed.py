"""A run killed in the middle of its calls pays for none twice that was finished."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from evokd.testing.loopback import Body, Said, chat, prompt_of, serving

pytestmark = pytest.mark.slow


def test_a_rerun_asks_only_what_was_not_answered(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()
    lock, hold = threading.Lock(), threading.Event()

    def script(body: Body) -> Said:
        said = prompt_of(body)
        with lock:
            asked[said] += 1
            late = sum(asked.values()) > 15 and not hold.is_set()
        return Said(hang=True) if late else chat(json.dumps({"said": said}))

    with serving(script) as server:
        root = Path(__file__).parents[2]
        command = [sys.executable, str(Path(__file__).with_name("killed.py")), server.url, str(tmp_path)]
        run = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(root)})
        ledger = tmp_path / "ledger.jsonl"
        while not (ledger.exists() and ledger.read_bytes().count(b"\n") == 15):
            with pytest.raises(subprocess.TimeoutExpired):  # it must not end by itself
                run.wait(0.05)
        run.send_signal(signal.SIGKILL)
        run.wait()
        with ledger.open("r+b") as file:  # as if the kill had fallen between cache and ledger, inside a line
            file.truncate(ledger.stat().st_size - 40)
        hold.set()
        before = Counter(asked)
        again = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(root)}, check=False)
    assert again.returncode == 0
    answered_before = 15
    assert sum((asked - before).values()) == 40 - answered_before
    rows = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert (
        sum(not row["from_cache"] for row in rows) == 40 and sum(row["from_cache"] for row in rows) == answered_before
    )
