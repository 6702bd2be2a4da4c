"""The batch API of a server on loopback, as a script: files, batches that take a few looks, and what can go wrong."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import Body, Said, Script, error

Twist = Callable[[list[str]], list[str]]


@dataclass
class BatchPlay:
    """Answers ordinary calls as `answer` says, and the lines of a batch likewise when the batch ends."""

    answer: Script
    stages: tuple[str, ...] = ("validating", "in_progress", "finalizing")
    """What the first looks show."""
    ends: str = "completed"
    done: float = 1.0
    """Share of the lines that is answered before the end."""
    twist: Twist = list
    """What becomes of the lines of answers on their way."""
    trouble: Callable[[Body], Said | None] = lambda body: None
    """A look at every request before it is served."""
    lost: Callable[[], bool] = lambda: False
    """Whether the answer to the making of a batch gets lost on its way."""
    files: dict[str, str] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    ordinary: list[Body] = field(default_factory=list)
    """Calls outside any batch."""
    looks: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, body: Body) -> Said:
        with self.lock:
            if (said := self.trouble(body)) is not None:
                return said
            path = body["path"].partition("?")[0]
            if path == "/files":
                return Said(body=self._upload(body["form"]))
            if path == "/batches":
                return self._listed() if body.get("method") == "GET" else self._make(body)
            if path.startswith("/batches/"):
                return self._look(path.removeprefix("/batches/"))
            if path.endswith("/content"):
                text = self.files[path.split("/")[2]]
                return Said(body=text.encode(), headers={"Content-Type": "application/octet-stream"})
            self.ordinary.append(body)
        return self.answer(body)

    def lines(self, batch: str) -> list[Body]:
        """The requests of a batch."""
        return [json.loads(line) for line in self.files[self.batches[batch]["input_file_id"]].splitlines()]

    def _upload(self, form: str) -> Body:
        [content] = re.findall(r'name="file";.*?\r\n\r\n(.*?)\r\n--', form, flags=re.DOTALL)
        assert re.search(r'name="purpose"\r\n\r\nbatch\r\n', form)
        return {**_file(self._keep(content)), "bytes": len(content)}

    def _make(self, body: Body) -> Said:
        assert body["endpoint"] == "/v1/chat/completions" and body["completion_window"] == "24h"
        made = {
            "id": f"batch_{len(self.batches)}", "object": "batch", "endpoint": body["endpoint"], "errors": None,
            "input_file_id": body["input_file_id"], "completion_window": "24h", "status": "validating",
            "created_at": 1_800_001_000, "metadata": body["metadata"], "looks": 0,
        }  # fmt: skip
        self.batches[made["id"]] = made
        return Said(reset=True) if self.lost() else Said(body=made)

    def _listed(self) -> Said:
        return Said(body={"object": "list", "data": [*reversed(self.batches.values())], "has_more": False})

    def _look(self, name: str) -> Said:
        self.looks += 1
        if name not in self.batches:
            return error(404, f"No batch found with id '{name}'.")
        batch, lines = self.batches[name], self.lines(name)
        at = batch["looks"]
        batch["looks"] = at + 1
        if at < len(self.stages):
            done = len(lines) * at // len(self.stages)
            batch |= {
                "status": self.stages[at],
                "request_counts": {"total": len(lines), "completed": done, "failed": 0},
            }
        elif batch["status"] not in ("completed", "expired", "cancelled", "failed"):
            batch |= self._end(lines)
        return Said(body=batch)

    def _end(self, lines: list[Body]) -> Body:
        if self.ends == "failed":
            return {"status": "failed", "errors": {"object": "list", "data": [{"code": "x", "message": "no room"}]}}
        fine, wrong = [], []
        for number, line in enumerate(lines):
            said = self.answer(line["body"])
            response = {"status_code": said.status, "request_id": "r", "body": said.body}
            told = {"id": f"r{number}", "custom_id": line["custom_id"], "response": response, "error": None}
            if number >= self.done * len(lines):
                told |= {"response": None, "error": {"code": "batch_expired", "message": "too late"}}
            (wrong if told["error"] or said.status != 200 else fine).append(json.dumps(told))
        made: Body = {"status": self.ends, "output_file_id": self._keep("\n".join(self.twist(fine)) + "\n")}
        return made | ({"error_file_id": self._keep("\n".join(wrong) + "\n")} if wrong else {})

    def _keep(self, text: str) -> str:
        self.files[name := f"file-{len(self.files)}"] = text
        return name


def _file(name: str) -> Body:
    made = {"created_at": 1_800_000_900, "filename": "x", "status": "processed"}
    return {"id": name, "object": "file", "purpose": "batch", **made}
