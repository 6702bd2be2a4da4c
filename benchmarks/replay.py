"""A teacher that replays recorded texts: an OpenAI-compatible server on loopback, for measuring without a teacher.

A strong LLM wrote the texts once, as plain static generation (`A.jsonl`) and as the evolving loop (`B.jsonl` with its
lessons). The server hands them out in their order and labels them as recorded, so that gates, selection and training
can be compared on the same texts. It does not react to what it is sent: it is a recording, not a teacher.

    python benchmarks/replay.py RECORDED_FOLDER [PORT]
"""

import json
import re
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Body = dict[str, Any]


@dataclass
class Recording:
    """The recorded texts of one task, and how far each kind has been handed out."""

    static: list[Row]
    evolving: list[Row]
    advice: dict[tuple[int, str], str]
    """(cycle of the recording, lesson id) -> what the analyst wrote."""
    labels: dict[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> "Recording":
        """Read `A.jsonl`, `B.jsonl` and `lessons.json`."""
        static, evolving = read_rows(folder / "A.jsonl"), read_rows(folder / "B.jsonl")
        labels = {_squeezed(row["text"]): row["label"] for row in [*static, *evolving]}
        return cls(static, evolving, _advice(folder / "lessons.json"), labels, tuple(sorted(set(labels.values()))))


class Replay:
    """Answers requests by the name of the schema they ask for.

    Every answer depends on the request and on how many different requests of its kind came before, so that a request
    sent again (after a kill) gets the answer it had.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.calls: dict[str, int] = {}
        """Canonical request -> how often it came; more than once means something was paid for twice."""
        self._given: dict[str, Any] = {}
        self._static = 0
        self._cycle = 1
        self._lock = threading.Lock()

    def answer(self, body: Body) -> str:
        """The content of the assistant's message."""
        key = json.dumps([body["messages"], body.get("seed")], sort_keys=True)
        with self._lock:
            self.calls[key] = self.calls.get(key, 0) + 1
            if key not in self._given:
                self._given[key] = self._new(body)
            return json.dumps(self._given[key], ensure_ascii=False)

    def _new(self, body: Body) -> Any:
        name = body["response_format"]["json_schema"]["name"]
        kinds: Mapping[str, Callable[[str], Any]] = {
            "Outline": self._outline,
            "Listed": self._breadth,
            "Analysis": self._analysis,
            "Written": self._lesson,
            "Labels": self._labels,
        }
        return kinds[name.split("_")[0]](body["messages"][-1]["content"])

    def _outline(self, text: str) -> Any:
        return {"classes": [{"label": label, "subtypes": []} for label in self.recording.classes]}

    def _breadth(self, text: str) -> Any:
        """The next unused static texts of the class that is asked for; none when they are used up."""
        count, label = re.search(r'Write (\d+) typical texts of the class "(.*?)"', text).groups()  # type: ignore[union-attr]
        given = {item for answer in self._given.values() for item in _texts(answer)}
        rows = [r for r in self.recording.static if r["label"] == label and r["text"] not in given]
        return {"texts": [{"text": row["text"]} for row in rows[: int(count)]]}

    def _analysis(self, text: str) -> Any:
        """The lessons of the next recorded cycle."""
        self._cycle += 1
        found = {i: a for (cycle, i), a in self.recording.advice.items() if cycle == self._cycle}
        lessons = [{"name": name, "pattern": advice, "advice": advice, "cases": [1]} for name, advice in found.items()]
        return {"lessons": lessons, "probe": None}

    def _lesson(self, text: str) -> Any:
        """The recorded hard texts of this lesson in this cycle, and its share of the cycle's easy ones."""
        name = re.search(r"^Lesson: (.*)$", text, re.MULTILINE).group(1)  # type: ignore[union-attr]
        rows = [row for row in self.recording.evolving if row["cycle"] == self._cycle]
        lessons = [i for cycle, i in self.recording.advice if cycle == self._cycle]
        easy = [row["text"] for row in rows if row["stance"] != "hard"]
        place = lessons.index(name)
        return {
            "hard": [{"text": row["text"]} for row in rows if row["lesson"] == name and row["stance"] == "hard"],
            "typical": [{"text": each} for each in easy[place :: len(lessons)]],
            "probe": [],
        }

    def _labels(self, text: str) -> Any:
        listed = re.findall(r"^\[(\d+)\] (.*)$", text, re.MULTILINE)
        known = self.recording.labels
        return {"labels": [{"id": int(i), "label": known.get(_squeezed(each), "drop")} for i, each in listed]}


def serve(replay: Replay, port: int = 0) -> ThreadingHTTPServer:
    """Start the server on loopback in a daemon thread; `server.server_port` is its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = replay.answer(body)
            sent = sum(len(message["content"]) for message in body["messages"]) // 4
            usage = {
                "prompt_tokens": sent,
                "completion_tokens": len(content) // 4,
                "total_tokens": sent + len(content) // 4,
            }
            message = {"role": "assistant", "content": content}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            answer = {
                "id": "replay",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [choice],
                "usage": usage,
            }
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, form: str, *values: object) -> None:
            """Say nothing per request."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def read_rows(path: Path) -> list[Row]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _texts(answer: Any) -> list[str]:
    return [item["text"] for item in answer.get("texts", [])]


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _advice(path: Path) -> dict[tuple[int, str], str]:
    """Both forms in which lessons were recorded: a list of lessons, or a list of cycles with their lessons."""
    found: dict[tuple[int, str], str] = {}
    for entry in json.loads(path.read_text(encoding="utf-8")):
        if "lessons" in entry:
            found |= {(entry["for_batch"], name): text for name, text in entry["lessons"].items()}
        else:
            found[entry["cycle"], entry["id"]] = entry["lesson"]
    return found


if __name__ == "__main__":
    running = serve(Replay(Recording.read(Path(sys.argv[1]))), int(sys.argv[2]) if len(sys.argv) > 2 else 8200)
    print(f"http://127.0.0.1:{running.server_port}/v1")
    threading.Event().wait()
