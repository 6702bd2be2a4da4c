"""A teacher over a scripted server on loopback."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evokd.teacher.accounting.budget import Budget
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, TeacherSettings
from evokd.teacher.teacher import ChatTeacher
from evokd.teacher.transport.rate_limiter import Clock
from evokd.testing.loopback import Loopback, chat, serving
from tests.teacher.asking import GOOD, KEY, Open, Ticking


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving(lambda body: chat(GOOD)) as running:
        yield running


@pytest.fixture
def opened(server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setenv("LOOPBACK_KEY", KEY)
    teachers: list[ChatTeacher] = []
    moving = Ticking()

    def make(
        *, budget: BudgetSettings | None = None, folder: Path = tmp_path, seed: int = 1,
        clock: Clock = moving, **more: Any,
    ) -> ChatTeacher:  # fmt: skip
        given = {
            "kind": "openai",
            "model": "m",
            "base_url": server.url,
            "api_key_env": "LOOPBACK_KEY",
            "retries": 1,
            **more,
        }
        settings = TeacherSettings(**given)
        limits = Budget(budget or BudgetSettings(), settings)
        named = {"run": "run-1", "seed": seed, "clock": clock}
        teachers.append(open_teacher(settings, limits, folder, **named))
        return teachers[-1]

    yield make
    for teacher in teachers:
        teacher.close()
