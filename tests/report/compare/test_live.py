"""The screen while a comparison is at work."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from evokd.report.compare.live import LiveComparison


@dataclass
class Standing:
    finished: int = 0
    total: int = 2
    at_work: dict[str, dict[str, Any]] = field(default_factory=dict)
    news: tuple[str, ...] = ()


def test_starts_ends_and_news_are_lines_of_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    event = {"cycle": 1, "step": "trainer", "what": "training [/x]", "done": 1, "total": 2}
    with LiveComparison("mine", "/out/[bold]/mine") as live:
        live.show(Standing(at_work={"a": {}, "b": {}}))
        live.show(Standing(at_work={"a": event, "b": event}))
        live.show(Standing(1, at_work={"b": event}, news=("c failed: [no] key\x1b[2J",)))
        live.show(Standing(2))
    live.say("Done [well].")
    assert capsys.readouterr().out.splitlines() == [
        "mine  /out/[bold]/mine",
        "started  a",
        "started  b",
        "c failed: [no] key\\x1b[2J",
        "ended    a (1 of 2 finished)",
        "ended    b (2 of 2 finished)",
        "Done [well].",
    ]
