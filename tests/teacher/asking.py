"""What the tests of the teacher ask, and what a good answer is."""

import json
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from evokd.teacher.base import Message, Prompt
from evokd.teacher.teacher import ChatTeacher
from evokd.teacher.transport.rate_limiter import Clock

KEY = "sk-secret-0123456789abcdef"

Open = Callable[..., ChatTeacher]


class Ticking(Clock):
    """A clock that jumps to the moment that is waited for."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.arriving = 0.0

    def now(self) -> float:
        return self.time

    def stopwatch(self) -> float:
        return self.arriving

    def date(self) -> float:
        return 1_800_000_000 + self.time

    def wait(self, changed: threading.Condition, until: float | None) -> None:
        if until is None:
            changed.wait()
        else:
            self.time = max(self.time, until)

    def jitter(self) -> float:
        return 1.0


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


PRICE = {"usd_per_million_input": 1e5, "usd_per_million_output": 2e5}  # 1 + 1 dollars a call


def ask(teacher: ChatTeacher, prompts: list[Prompt], **more: Any) -> list[str | None]:
    answers = teacher.ask(prompts, Label, role="annotator", cycle=1, **more)
    return [answer.value.why if answer.value else None for answer in answers]


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "self-signed certificate")
    error.verify_message = "self-signed certificate"
    return error
