"""A run's trace as a LangSmith server gets it: one tree, named by role, tagged, training without texts."""

import json
import threading
import uuid
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import zstandard

from evokd.graph.checkpoints import run_id
from evokd.testing import world
from evokd.testing.loopback import serving
from tests import parts
from tests.student.tiny import encoder

pytestmark = pytest.mark.slow

Span = dict[str, Any]

KEY = "lsv2-not-a-key"

PROJECT = {
    "id": str(uuid.UUID(int=7)), "tenant_id": str(uuid.UUID(int=8)), "name": "p", "reference_dataset_id": None,
    "start_time": "2026-01-01T00:00:00Z",
}  # fmt: skip
"""What a server says of the project that the traces are in."""


INGEST = {
    "batch_ingest_config": {
        "use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 20_971_520,
        "scale_up_qsize_trigger": 1000, "scale_up_nthreads_limit": 16, "scale_down_nempty_trigger": 4,
    }
}  # fmt: skip
"""What a server says it takes."""


class Sink:
    """A LangSmith that keeps every run (span) it is sent: id -> what was posted and patched."""

    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self.feedback: list[dict[str, Any]] = []
        self.received: list[tuple[str, int]] = []
        """Names of parts and their bytes."""
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/sessions"):
                    return self.answer([PROJECT])
                self.answer({"version": "0.10.0", "instance_flags": {"zstd_compression_enabled": True}, **INGEST})

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["content-length"])) if "content-length" in self.headers else b""
                if self.headers.get("transfer-encoding") == "chunked":
                    data = b"".join(chunks(self.rfile))
                if self.headers.get("content-encoding") == "zstd":
                    data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
                assert self.path.endswith("/runs/multipart"), self.path
                sink.take(self.headers["content-type"], data)
                self.answer({})

            do_PATCH = do_POST

            def answer(self, value: Any) -> None:
                body = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=lambda: self.server.serve_forever(poll_interval=0.02), daemon=True)
        self.thread.start()

    def take(self, kind: str, data: bytes) -> None:
        """Parts are named `post.ID` or `patch.ID`, and `.inputs`, `.outputs`, `.extra`, ... of them."""
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + data)
        with self.lock:
            for part in message.iter_parts():
                name = str(part.get_param("name", header="content-disposition"))
                kind, run, *field = name.split(".")
                payload: bytes = part.get_payload(decode=True)  # type: ignore[assignment]
                self.received.append((name, len(payload)))
                value = json.loads(payload)
                if kind == "feedback":
                    self.feedback.append(value)
                    continue
                span = self.spans.setdefault(run, {"id": run})
                span.update({field[0]: value} if field else {k: v for k, v in value.items() if v is not None})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def children(self, span: Span) -> list[Span]:
        found = [each for each in self.spans.values() if each.get("parent_run_id") == span["id"]]
        return sorted(found, key=lambda each: str(each["start_time"]))


def chunks(stream: Any) -> Iterator[bytes]:
    while size := int(stream.readline().split(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()


def metadata(span: Span) -> dict[str, Any]:
    return dict(span.get("extra", {}).get("metadata", {}))


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sink, Path]]:
    """A whole run with a real, tiny student, traced."""
    folder = tmp_path_factory.mktemp("traced")
    model = str(encoder(folder / "encoder"))
    student = {"kind": "transformer", "model": model, "max_steps": 2, "min_steps": 0}
    sink = Sink()
    try:
        with serving(parts.answer) as server:
            config = parts.write(folder, server.url, student=student)
            tracing = {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": sink.url, "LANGSMITH_API_KEY": KEY}
            process = parts.start("run", config, "--runs", folder, **tracing)
            _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        yield sink, folder / "small"
    finally:
        sink.close()


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    """A run that ended, and went on in another process."""
    folder = tmp_path_factory.mktemp("resumed")
    sink = Sink()
    tracing = {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": sink.url, "LANGSMITH_API_KEY": KEY}
    try:
        with serving(parts.answer) as server:
            config = parts.write(folder, server.url)
            for words in (["run", config, "--cycles", "1"], ["resume", "small", "--cycles", "2", *parts.ALLOW]):
                process = parts.start(*words, "--runs", folder, **tracing)
                _, err = process.communicate(timeout=200)
                assert process.returncode == 0, err
                assert "LangSmith" not in err
        yield sink
    finally:
        sink.close()


def nodes(sink: Sink) -> list[Span]:
    [root] = [span for span in sink.spans.values() if span.get("parent_run_id") is None]
    [loop] = [span for span in sink.children(root) if span["name"] == "loop"]
    return sink.children(loop)


def test_a_run_is_one_trace_named_after_it(traced: tuple[Sink, Path]) -> None:
    sink, _ = traced
    [root] = [span for span in sink.spans.values() if span.get("parent_run_id") is None]
    assert root["name"] == "evokd/small" and {"strategy:gated", "task:classification"} <= set(root["tags"])
    assert metadata(root)["run"] == "small"
    assert {metadata(span)["thread_id"] for span in [root, *nodes(sink)]} == {run_id(traced[1])}, "no other run has it"
    assert len({span["trace_id"] for span in sink.spans.values()}) == 1
    assert all(span.get("end_time") for span in sink.spans.values()), "all that began was told to have ended"


def test_its_nodes_are_the_steps_in_order(traced: tuple[Sink, Path]) -> None:
    ring = ["trainer", "evaluator", "analyst", "generator", "annotator"]
    end = ["last_training", "calibration", "final_test"]
    assert [node["name"] for node in nodes(traced[0])] == [*ring, *ring, "trainer", "evaluator", *end]


def test_calls_hang_below_their_node_with_role_cycle_run_prompt_and_lesson(traced: tuple[Sink, Path]) -> None:
    sink, folder = traced
    prompts = {row["prompt"] for row in parts.rows(folder / "transcripts.jsonl")}
    seen: list[str] = []
    for number, node in enumerate(nodes(sink)):
        items = [each for each in sink.children(node) if each["name"] == node["name"]]
        for item in items:
            cycle = (number + 3) // 5
            assert {node["name"], f"cycle-{cycle}"} <= set(item["tags"])
            assert metadata(item)["run"] == "small" and metadata(item)["prompt"] in prompts
            [call] = sink.children(item)
            assert call["run_type"] == "llm" and {node["name"], f"cycle-{cycle}"} <= set(call["tags"])
            assert metadata(call)["prompt"] == metadata(item)["prompt"]
            seen.append(node["name"])
        lessons = {metadata(item).get("lesson") for item in items}
        assert (lessons == {None}) is (number != 8) or not items, "the second generator writes for lessons"
    assert set(seen) == {"analyst", "generator", "annotator"} and len(seen) == len(prompts)


def test_the_root_says_what_was_wanted_and_what_came_out(traced: tuple[Sink, Path]) -> None:
    sink, folder = traced
    [root] = [span for span in sink.spans.values() if span.get("parent_run_id") is None]
    assert root["inputs"]["task"] == "What is the text about?" and root["inputs"]["strategy"] == "gated"
    assert root["outputs"]["ended"] == "finished" and root["outputs"]["why"] == "all 2 cycles are done"
    score = json.loads((folder / "result.json").read_text())["champion score"]["value"]
    assert root["outputs"]["test"].startswith(f"{score:.3f} [")


def test_steps_are_shown_in_fields_that_a_person_reads(traced: tuple[Sink, Path]) -> None:
    sink, folder = traced
    steps = nodes(sink)
    assert not any({"history", "ties", "seconds"} & {*node["inputs"], *node["outputs"]} for node in steps)
    decided = [node["outputs"] for node in steps if node["name"] == "evaluator"]
    assert [each["kept"] for each in decided] == [row["kept"] for row in parts.rows(folder / "metrics.jsonl")]
    assert all(each["why"] and "(n=" in each["scores"]["dev"] for each in decided)
    assert steps[-1]["name"] == "final_test" and "(n=24)" in steps[-1]["outputs"]["test"]
    [last] = [step for step in steps if step["name"] == "last_training"]
    assert last["outputs"]["best student"].startswith("final")


def test_a_prompt_is_sent_once_and_an_answer_from_the_cache_has_its_prompt(
    traced: tuple[Sink, Path], resumed: Sink
) -> None:
    given = [name for name, _ in traced[0].received if name.endswith(".inputs")]
    assert len(given) == len(set(given)), "what a span was given is sent when it begins, and never again"
    items = [each for node in nodes(traced[0]) for each in traced[0].children(node) if each["name"] == node["name"]]
    assert items and not any("messages" in json.dumps(each["inputs"]) for each in items)
    for item in items:
        assert bool(traced[0].children(item)) != ("prompt" in item["outputs"])


def test_roles_get_feedback_from_what_became_of_their_work(traced: tuple[Sink, Path]) -> None:
    sink, folder = traced
    by_id = {node["id"]: node["name"] for node in nodes(sink)}
    found = {(by_id[each["run_id"]], each["key"]) for each in sink.feedback}
    assert found == {("generator", "new texts"), ("annotator", "labelled"), ("analyst", "gain")}
    [gain] = [each["score"] for each in sink.feedback if each["key"] == "gain"]
    assert gain == pytest.approx(-parts.rows(folder / "metrics.jsonl")[2]["gate"]["loss"]["value"], abs=1e-4)
    assert {each["session_id"] for each in sink.feedback} == {PROJECT["id"]}


def test_a_run_that_goes_on_stays_under_its_root(resumed: Sink) -> None:
    [root] = [span for span in resumed.spans.values() if span.get("parent_run_id") is None]
    loops = resumed.children(root)
    assert [each["name"] for each in loops] == ["loop", "loop"]
    assert {span["trace_id"] for span in resumed.spans.values()} == {root["id"]}
    assert root["name"] == "evokd/small" and root["inputs"]["task"] == "What is the text about?"
    assert root["outputs"]["why"] == "all 2 cycles are done" and root["end_time"] >= loops[1]["end_time"]


def test_a_training_is_shown_without_its_texts(traced: tuple[Sink, Path]) -> None:
    sink, folder = traced
    fits = [span for span in sink.spans.values() if span["name"] == "student.fit"]
    # The analyst trains as well, to see what students get wrong that have learnt the rest.
    fitting = {node["id"] for node in nodes(sink) if node["name"] in ("trainer", "analyst")}
    [last_training, calibration] = [node for node in nodes(sink) if node["name"] in ("last_training", "calibration")]
    ordered = sorted(fits, key=lambda span: str(span["start_time"]))
    cycles, last, folds = ordered[:-9], ordered[-9:-4], ordered[-4:]
    assert len(cycles) >= 5 and {span["parent_run_id"] for span in cycles} <= fitting
    assert {span["parent_run_id"] for span in last} == {last_training["id"]}
    assert {span["parent_run_id"] for span in folds} == {calibration["id"]}
    assert {4, 28} <= {span["inputs"]["texts"] for span in fits}, "how many texts there were is told"
    shown = json.dumps(fits, ensure_ascii=False)
    texts = [row["text"] for row in parts.rows(folder / "samples.jsonl")]
    assert len(texts) > 40 and not any(text in shown for text in texts)


def test_no_key_and_no_held_out_text_of_the_user_is_in_it(traced: tuple[Sink, Path]) -> None:
    sink, folder = traced
    sent = json.dumps(list(sink.spans.values()), ensure_ascii=False)
    assert all(text in sent for text in world.SEEDS.values()), "what the teacher is told is in the trace"
    held_out = [row["text"] for name in ("dev", "test") for row in parts.rows(folder / "data" / f"{name}.jsonl")]
    assert len(held_out) == 48 and not any(text in sent for text in held_out)
    assert KEY not in sent


def test_a_dead_endpoint_costs_no_result(tmp_path: Path) -> None:
    dead = {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": "http://127.0.0.1:9",
        "LANGSMITH_API_KEY": KEY,
    }
    with serving(parts.answer) as server:
        process = parts.start("run", parts.write(tmp_path, server.url), "--runs", tmp_path, **dead)
        out, err = process.communicate(timeout=120)  # without the daemon it would wait for three minutes
    assert process.returncode == 0, err
    assert "The run ended: all 2 cycles are done." in out
    assert KEY not in out + err


def test_opentelemetry_gets_the_same_spans_without_langsmith_and_redacted(tmp_path: Path) -> None:
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as collector, serving(parts.answer) as server:
        threading.Thread(target=lambda: collector.serve_forever(poll_interval=0.02), daemon=True).start()
        url = f"http://127.0.0.1:{collector.server_port}"
        config = parts.write(tmp_path, server.url, teacher={"redact": ["recipe|chef"]})
        process = parts.start(
            "run", config, "--runs", tmp_path, LANGSMITH_TRACING="true", LANGSMITH_TRACING_MODE="otel",
            LANGSMITH_API_KEY=KEY, LANGSMITH_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_ENDPOINT=url,
        )  # fmt: skip
        _, err = process.communicate(timeout=200)
        collector.shutdown()
    assert process.returncode == 0 and "LangSmith" not in err, err
    sent = b"".join(body for _, body in received)
    assert {path for path, _ in received} == {"/v1/traces"}
    assert all(name in sent for name in (b"evokd/small", b"trainer", b"evaluator", b"final_test", b"ThoughtfulChat"))
    assert b"[redacted]" in sent and b"chef" not in sent and b"recipe" not in sent
