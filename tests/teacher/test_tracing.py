"""What must not be shown is in no trace; and a run that is told a key back keeps it in no file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from evokd.teacher.settings import TeacherSettings
from evokd.teacher.tracing import Redactor
from evokd.testing.loopback import Body, Loopback, Said, chat, error, prompt_of, text
from tests.teacher.asking import GOOD, KEY, Label, Open, said
from tests.test_tracing import Sink


def test_every_text_is_redacted_at_any_depth_names_of_fields_included() -> None:
    data: dict[str, object] = {"deep": "IBAN DE123", "DE456": [1, None, ("DE7",)]}
    for _ in range(50):
        data = {"in": [data]}
    told = json.dumps(Redactor([r"DE\d+"], ["a.b"])({"x": data, "y": "a.b axb"}))
    assert "DE" not in told.replace("IBAN [redacted]", "") and told.count("[redacted]") == 4 and "axb" in told


@pytest.mark.parametrize(("pattern", "words"), [("(", "not a regular expression"), ("x*", "matches the empty text")])
def test_a_pattern_that_cannot_work_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TeacherSettings(redact=(pattern,))


def test_a_key_that_a_server_says_back_is_kept_nowhere(server: Loopback, opened: Open, tmp_path: Path) -> None:
    def script(body: Body) -> Said:
        if "fail" in prompt_of(body):
            return error(400, f"bad key {KEY}")
        return chat(f"You sent {body['authorization']}: {GOOD}")

    server.script = script
    got, lost = opened(cache=str(tmp_path / "shared.sqlite")).ask([said("x"), said("fail")], Label, role="a", cycle=0)
    assert got.value is not None and "***" in got.text and lost.problem
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"ledger.jsonl", "transcripts.jsonl", "answers.sqlite", "shared.sqlite"} <= {path.name for path in files}
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


SECRET = "DE89 3704 0044"
"""What the user's pattern is about; the child puts it wherever a trace could show it."""


@pytest.mark.slow
@pytest.mark.parametrize("redact", [[r"DE\d\d[ \d]*\d"], []])
def test_neither_key_nor_pattern_reaches_the_trace_server(server: Loopback, tmp_path: Path, redact: list[str]) -> None:
    def script(body: Body) -> Said:
        if "fail" in prompt_of(body):
            return error(400, f"{SECRET} refused for {KEY}")
        if body["path"] == "/completions":
            return text(f" {SECRET} {KEY}")
        return chat(json.dumps({"said": f"{SECRET} {body['authorization']}"}))

    server.script = script
    sink = Sink()
    tracing = {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": sink.url, "LANGSMITH_API_KEY": "lsv2-not-a-key"}
    root = Path(__file__).parents[2]
    env = {**os.environ, **tracing, "PYTHONPATH": str(root), "LOOPBACK_KEY": KEY, "SECRET": SECRET}
    command = [
        sys.executable,
        str(Path(__file__).with_name("traced.py")),
        server.url,
        str(tmp_path),
        json.dumps(redact),
    ]
    try:
        subprocess.run(command, env=env, check=True, timeout=100)
    finally:
        sink.close()
    sent = json.dumps(list(sink.spans.values()), ensure_ascii=False)
    assert KEY not in sent and "weather" in sent and len(sink.spans) >= 6
    assert (SECRET in sent) is not bool(redact), "without a pattern it is there, so the test looks in the right place"
    kept = (tmp_path / "transcripts.jsonl").read_text(encoding="utf-8")
    assert SECRET in kept and KEY not in kept, "the run's own files stay whole"
