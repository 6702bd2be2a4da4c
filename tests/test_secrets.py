"""A key is nowhere but in the environment and on the wire: not on disk, in traces, in logs, or on the screen."""

import json
from pathlib import Path

import pytest

from evokd.testing.loopback import Body, Said, chat, error, serving
from tests import parts
from tests.test_tracing import Sink

pytestmark = pytest.mark.slow

KEY = "sk-proj-0123456789-abcdefghij"

PATIENT = "patient 4711"
"""What the user's `redact` is about."""


class Indiscreet:
    """The world's teacher, who says the key back wherever there is room, and at last refuses it."""

    def __init__(self) -> None:
        self.count = 0
        self.refuses = True

    def __call__(self, body: Body) -> Said:
        self.count += 1
        if self.count == 4:
            return error(500, f"cannot read {KEY}")
        if self.count >= 12 and self.refuses:
            return error(401, f"Incorrect API key provided: {KEY}")
        said = parts.answer(body).body["choices"][0]["message"]["content"]
        return chat(f"Thank you for {body['authorization']}. {said} It is {KEY}.")


def test_a_key_is_in_no_file_trace_log_or_message(tmp_path: Path) -> None:
    sink, teacher = Sink(), Indiscreet()
    seen = {"LOOPBACK_KEY": KEY, "OPENAI_LOG": "debug", "LANGCHAIN_VERBOSE": "true"}
    seen |= {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": sink.url, "LANGSMITH_API_KEY": "lsv2-not-a-key"}
    said = ""
    try:
        with serving(teacher) as server:
            given = {
                "api_key_env": "LOOPBACK_KEY",
                "cache": str(tmp_path / "shared.sqlite"),
                "redact": [r"patient \d+"],
            }
            task = {"description": f"What is the text of {PATIENT} about?"}
            config = parts.write(tmp_path, server.url, teacher=given, task=task)
            again = ("resume", tmp_path / "runs" / "small", *parts.ALLOW)
            for words in (("run", config, "--runs", tmp_path / "runs"), again):
                process = parts.start(*words, **seen)
                out, err = process.communicate(timeout=120)
                said += out + err
                assert process.returncode == int(teacher.refuses), err
                teacher.refuses = False
    finally:
        sink.close()
    assert "HTTP 401" in said and "DEBUG" in said, "the run was refused once, and its log is a full one"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"ledger.jsonl", "transcripts.jsonl", "answers.sqlite", "shared.sqlite", "checkpoints.sqlite"} <= names
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    traced = json.dumps(list(sink.spans.values()), ensure_ascii=False)
    assert len(sink.spans) > 20 and "[redacted]" in traced
    assert KEY not in said and KEY not in traced and PATIENT not in traced
