"""An annotator that is always right: an OpenAI-compatible server on loopback that labels from the gold of a train file.

It writes nothing: with it a run labels texts of its unlabelled pool and learns from those. What a loop reaches with it
by number of texts is ours alone, and owes nothing to a teacher. Never a result of the method.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.teachers.replay import Body, about_of, read_rows
from evokd.tasks.task import Task

EMPTY: dict[str, Any] = {
    "taxonomy": {"classes": []},
    "guidelines": {"conventions": []},
    "analysis": {"lessons": [], "probe": None},
    "breadth": {"texts": []},
    "rewrite": {"texts": []},
    "lesson": {"hard": [], "typical": [], "probe": []},
}
"""What it answers to whoever asks for anything but labels."""


@dataclass
class Oracle:
    """Answers requests for labels by the gold, `drop` for a text that is not in it."""

    gold: dict[str, str]
    """Text (white space collapsed) -> label in the task's one-line form."""

    @classmethod
    def read(cls, file: Path, task: Task) -> "Oracle":
        """Read the gold of a train file."""
        rows = read_rows(file)
        text, label = next(pair for pair in task.columns if pair[0] in rows[0] and pair[1] in rows[0])
        gold = {}
        for row in rows:
            said = row[text] if isinstance(row[text], str) else " ".join(row[text])
            gold[" ".join(said.split())] = task.say(said, task.gold(said, row[label]))
        return cls(gold)

    def answer(self, body: Body) -> str:
        """The content of the assistant's message."""
        about = about_of(body)
        if about["purpose"] != "labels":
            return json.dumps(EMPTY[about["purpose"]])
        labels = [{"id": each["id"], "label": self._label(each["text"])} for each in about["texts"]]
        return json.dumps({"labels": labels}, ensure_ascii=False)

    def _label(self, text: str) -> str:
        return self.gold.get(" ".join(text.split()), "drop")
