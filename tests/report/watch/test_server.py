"""The live page: who may read it, who may stop the run, and what it says of a run at work."""

import http.client
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import evokd
from evokd.main import main
from evokd.memory.run_folder import RunFolder
from evokd.report.run.progress import Note, standing
from evokd.report.run_files import Run
from evokd.report.watch.server import Watched, serve
from evokd.testing import world
from tests.report.runs import write_run

EVENT = {"step": "trainer", "cycle": 3, "what": "fit 1 of 2", "done": 5, "total": 20}


@contextmanager
def watched(root: Path) -> Iterator[tuple[Any, Watched]]:
    run = Watched(root, RunFolder(root).stop_file.touch)
    server = serve(run, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server, run
    finally:
        run.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def ask(server: Any, method: str, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_the_page_is_served_with_its_button(tmp_path: Path) -> None:
    write_run(tmp_path / "a")
    with watched(tmp_path / "a") as (server, run):
        code, said = ask(server, "GET", "/")
        assert code == 200 and run.token in said and "connect-src 'self'" in said and said.count("<script>") == 2
        assert ask(server, "GET", "/report.html")[0] == 404 and ask(server, "GET", "/../run.json")[0] == 404


def test_only_its_own_page_may_stop_the_run(tmp_path: Path) -> None:
    write_run(tmp_path / "a")
    stop = tmp_path / "a" / "stop"
    with watched(tmp_path / "a") as (server, run):
        for token in ({}, {"X-Token": "guess"}, {"X-Token": "ü"}):
            assert ask(server, "POST", "/stop", **token)[0] == 403 and not stop.exists()
        assert ask(server, "GET", "/stop")[0] == 404 and not stop.exists()
        assert ask(server, "POST", "/stop", **{"X-Token": run.token})[0] == 202 and stop.exists()


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/events"), ("POST", "/stop")])
def test_a_name_that_was_made_to_lead_here_is_refused(tmp_path: Path, method: str, path: str) -> None:
    write_run(tmp_path / "a")
    with watched(tmp_path / "a") as (server, run):
        code, said = ask(server, method, path, Host="evil.example", **{"X-Token": run.token})
        assert code == 403 and said == f"Ask for this page as http://127.0.0.1:{server.server_port}/."
        assert run.token not in said and not (tmp_path / "a" / "stop").exists()
        assert ask(server, "GET", "/", Host=f"localhost:{server.server_port}")[0] == 200


def test_its_news_tell_what_is_done_now(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a")
    Note(run.root / "progress.json").take(EVENT)
    with watched(run.root) as (server, _):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("GET", "/events")
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "text/event-stream"
        line = answer.readline().decode()
        connection.close()
    said = json.loads(line.removeprefix("data: "))
    assert said["now"] == "Cycle 3, trainer: fit 1 of 2 (5 of 20)" and said["share"] == 0.25 and said["at_work"]
    assert said["cost"].startswith("1.00 USD, 4,000 tokens") and said["cycles"] == 3


def test_a_damaged_file_is_told_and_not_the_end(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a")
    (run.root / "metrics.jsonl").write_text("{\n{}\n")
    with watched(run.root) as (server, _):
        code, said = ask(server, "GET", "/")
        assert code == 500 and "metrics.jsonl, line 1: not JSON" in said
        assert ask(server, "GET", "/elsewhere")[0] == 404


def test_time_left_is_told_by_the_cycles_so_far(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a")
    (run.root / "config.toml").write_text("name = 'a'\nstop.cycles = 10\n")
    (run.root / "progress.json").write_text(json.dumps(EVENT))
    said = standing(Run(run.root))
    assert said["left"] == "At most about 5 minutes more, by the 2 cycles so far.", "8 cycles of 35 seconds"
    (run.root / "metrics.jsonl").write_text("")
    assert "not known before the first cycle" in standing(Run(run.root))["left"]
    (run.root / "progress.json").unlink()
    assert standing(Run(run.root)) | {"cost": ""} == {
        "at_work": False, "now": "Nobody is at work on this run.", "cycles": 0, "cost": "", "left": "",
    }  # fmt: skip


def test_a_run_at_work_says_so_and_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    root, seen = tmp_path / "runs" / "small", list[bool]()

    def show(event: dict[str, Any]) -> None:
        seen.append((root / "progress.json").exists())
        if event.get("step") == "annotator":
            RunFolder(root).stop_file.touch()

    outcome = evokd.run(world.write(tmp_path), runs=tmp_path / "runs", cycles=3, show=show)
    assert outcome.how == "interrupted" and outcome.why == "as asked, after a whole step"
    assert [row["cycle"] for row in outcome.metrics] == [0], "it was asked in the first cycle, after the seeds' own"
    assert any(seen) and not (root / "progress.json").exists() and not (root / "stop").exists()
    (root / "stop").touch()  # left by a process that was killed before it saw it
    outcome = evokd.resume(root, cycles=1, allow=world.PARTS)
    assert outcome.how == "finished" and not (root / "stop").exists()


def test_an_address_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.report.run.test_page import marked

    marked(tmp_path / "a")
    with watched(tmp_path / "a") as (server, _):
        assert main(["watch", str(tmp_path / "a"), "--port", str(server.server_port)]) == 2
    assert "cannot be served: Address already in use. Try --port 0." in capsys.readouterr().err


def test_a_cell_that_has_ended_is_not_at_work(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a")
    (run.root / "progress.json").write_text(json.dumps(EVENT))
    assert standing(run)["at_work"]
    (run.root / "outcome.json").write_text("{}")
    assert not standing(run)["at_work"]


def test_long_silence_is_told(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a")
    path = run.root / "progress.json"
    path.write_text(json.dumps({**EVENT, "total": 0}))
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 600))
    said = standing(run)
    assert said["now"].startswith("Cycle 3, trainer: fit 1 of 2. No news for 10 minutes") and said["share"] is None
