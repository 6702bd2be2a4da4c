"""What the tests of the teacher ask, and what a good answer is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from teacher.base import Message, Prompt
from teacher.chat import ChatTeacher

KEY = "sk-secret-0123456789abcdef"

Open = Callable[..., ChatTeacher]


class Label(BaseModel):
    label: str = Field(pattern="^(good|bad)$")
    why: str


GOOD = '{"label": "good", "why": "it says so"}'


def said(what: str, sample: int = 0) -> Prompt:
    return Prompt((Message(role="user", content=what),), sample=sample)


def many(count: int) -> list[Prompt]:
    return [said(f"text {number}") for number in range(count)]


def ledger(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
