"""A teacher that replays recorded texts: an OpenAI-compatible server on loopback, for measuring without a teacher.

A strong LLM wrote the texts once, as plain static generation (`A.jsonl`) and as the evolving loop (`B.jsonl` with its
lessons). The server hands them out in their order and labels them as recorded, so that gates, selection and training
can be compared on the same texts. It does not react to what it is sent: it is a recording, not a teacher.

    python -m benchmarks.teachers.replay DATA TASK [PORT]

What is asked it reads from what the prompt is about, not from its words: whoever asks it needs EVOKD_TELL_LOOPBACK=1.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.data_sets import data_set_task
from evokd.agents.prompting import About
from evokd.tasks.base import Label
from evokd.tasks.task import Task

Row = dict[str, Any]
Body = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """One recorded text."""

    text: str
    label: Label
    cycle: int = 0
    source: str = ""
    lesson: str | None = None


@dataclass
class Recording:
    """The recorded texts of one task."""

    task: Task
    static: list[Text]
    evolving: list[Text]
    advice: dict[tuple[int, str], str]
    """(cycle of the recording, lesson id) -> what the analyst wrote."""
    pool: Mapping[str, str] = field(default_factory=dict)
    """Text of a pool (white space collapsed) -> label as the teacher gives it, in the task's one-line form."""

    @classmethod
    def read(cls, folder: Path, task: Task, pool: Mapping[str, str] | None = None) -> "Recording":
        """Read `A.jsonl` and, where they are, `A2.jsonl`, `B.jsonl` and the lessons.

        `A2.jsonl` has further plain texts; it is read where there is a pool, so that older figures can be made again.
        """
        plain = ("A", "A2") if pool else ("A",)
        static = [_recorded(row, task) for name in plain for row in _rows_if_any(folder / f"{name}.jsonl")]
        evolving = [_recorded(row, task) for row in _rows_if_any(folder / "B.jsonl")]
        return cls(task, static, evolving, _advice(folder) if evolving else {}, pool or {})

    def label(self, text: str) -> str:
        """The label of a recorded text or one of the pool, in the task's one-line form; `drop` for any other."""
        found = next((each for each in (*self.static, *self.evolving) if _squeezed(each.text) == _squeezed(text)), None)
        return self.task.say(found.text, found.label) if found else self.pool.get(_squeezed(text), "drop")


class Replay:
    """Answers requests by their purpose.

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

    def resume(self, answers: Iterable[str]) -> None:
        """Take what an interrupted trial has received as given: no text comes twice, and the cycles go on."""
        for number, answer in enumerate(answers):
            self._given[f"earlier {number}"] = given = json.loads(answer)
            self._cycle += "lessons" in given

    def answer(self, body: Body) -> str:
        """The content of the assistant's message."""
        key = json.dumps([body["messages"], body.get("seed")], sort_keys=True)
        with self._lock:
            self.calls[key] = self.calls.get(key, 0) + 1
            if key not in self._given:
                self._given[key] = self._new(body)
            return json.dumps(self._given[key], ensure_ascii=False)

    def _new(self, body: Body) -> Any:
        about = about_of(body)
        kinds: Mapping[str, Callable[[About], Any]] = {
            "taxonomy": self._taxonomy,
            "breadth": self._breadth,
            "rewrite": self._rewrite,
            "guidelines": self._guidelines,
            "analysis": self._analysis,
            "lesson": self._lesson,
            "labels": self._labels,
        }
        return kinds[about["purpose"]](about)

    def _taxonomy(self, about: About) -> Any:
        return {"classes": [{"label": label, "subtypes": []} for label in self.recording.task.labels]}

    def _guidelines(self, about: About) -> Any:
        return {"conventions": []}

    def _rewrite(self, about: About) -> Any:
        """Nothing: the recording has no other versions of a text."""
        return {"texts": []}

    def _breadth(self, about: About) -> Any:
        """The next unused static texts that fit what is asked for; where texts of its kind run out, any others.

        Where a text has one class, another class is not what was asked for, and fewer are given.
        """
        task, given = self.recording.task, {item for answer in self._given.values() for item in texts_in(answer)}
        unused = [each for each in self.recording.static if each.text not in given]
        chosen = [each for each in unused if task.fits(about["target_class"], each.label)]
        if any(len(task.names(each.label)) != 1 for each in self.recording.static):
            chosen += [each for each in unused if each not in chosen]
        return {"texts": [{"text": each.text} for each in chosen[: about["count"]]]}

    def _analysis(self, about: About) -> Any:
        """The lessons of the next recorded cycle."""
        self._cycle += 1
        found = {i: a for (cycle, i), a in self.recording.advice.items() if cycle == self._cycle}
        lessons = [{"name": name, "pattern": advice, "advice": advice, "cases": [1]} for name, advice in found.items()]
        return {"lessons": lessons, "probe": None}

    def _lesson(self, about: About) -> Any:
        """The recorded hard texts of this lesson in this cycle, and its share of the cycle's easy ones."""
        name = about["lesson_name"]
        texts = [each for each in self.recording.evolving if each.cycle == self._cycle]
        lessons = [i for cycle, i in self.recording.advice if cycle == self._cycle]
        easy = [each.text for each in texts if each.source != "hard" or each.lesson not in lessons]
        place = lessons.index(name)
        return {
            "hard": [{"text": each.text} for each in texts if each.lesson == name and each.text not in easy],
            "typical": [{"text": each} for each in easy[place :: len(lessons)]],
            "probe": [],
        }

    def _labels(self, about: About) -> Any:
        return {"labels": [{"id": each["id"], "label": self.recording.label(each["text"])} for each in about["texts"]]}


class Answering(Protocol):
    """What a server asks for its answers."""

    def answer(self, body: Body) -> str:
        """The content of the assistant's message."""


def serve(replay: Answering, port: int = 0) -> ThreadingHTTPServer:
    """Start the server on loopback in a daemon thread; `server.server_port` is its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                content = replay.answer(body)
            except ValueError as error:
                self.send_error(400, str(error))
                return
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


def about_of(body: Body) -> About:
    """What a request asks, as data.

    Raises:
        ValueError: it does not say.
    """
    if "about" not in body:
        raise ValueError("This teacher reads no prompts: set EVOKD_TELL_LOOPBACK=1 for the process that asks it.")
    about: About = body["about"]
    return about


def read_rows(path: Path) -> list[Row]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _rows_if_any(path: Path) -> list[Row]:
    return read_rows(path) if path.exists() else []


def texts_in(answer: Any) -> list[str]:
    """The texts that an answer brings, of whatever kind."""
    return [item["text"] for kind in ("texts", "hard", "typical", "probe") for item in answer.get(kind) or ()]


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _recorded(row: Row, task: Task) -> Text:
    text = row["text"] if "text" in row else " ".join(row["tokens"])
    label = task.gold(text, row["label"] if "label" in row else row["tags"])
    source = str(row.get("stance") or "")  # the word that the files were made with
    return Text(text, label, row.get("cycle", 0), source, row.get("lesson"))


def _advice(folder: Path) -> dict[tuple[int, str], str]:
    """The forms in which lessons were recorded: a list of lessons, of cycles with their lessons, or a row for each."""
    found: dict[tuple[int, str], str] = {}
    if (folder / "lessons.jsonl").exists():
        entries = read_rows(folder / "lessons.jsonl")
    else:
        entries = json.loads((folder / "lessons.json").read_text(encoding="utf-8"))
    for entry in entries:
        if "lessons" in entry:
            found |= {(entry["for_batch"], name): text for name, text in entry["lessons"].items()}
        elif "slug" in entry:
            found[entry["from_batch"] + 1, entry["slug"]] = entry["text"]
        else:
            found[entry["cycle"], entry["id"]] = entry["lesson"]
    return found


if __name__ == "__main__":
    data, name = Path(sys.argv[1]), sys.argv[2]
    recording = Recording.read(data / "teacher_texts" / name, data_set_task(name))
    running = serve(Replay(recording), int(sys.argv[3]) if len(sys.argv) > 3 else 8200)
    print(f"http://127.0.0.1:{running.server_port}/v1")
    threading.Event().wait()
