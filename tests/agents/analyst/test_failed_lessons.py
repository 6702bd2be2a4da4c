"""Lessons that did not pay: what counts as that, what the analyst is told, and when one is refused."""

from pathlib import Path
from typing import Any

import pytest

from evokd.agents.analyst.failed_lessons import describe_failed_lessons, find_failed_lessons, find_repeated_failures
from evokd.agents.base import Services
from evokd.testing import world
from tests.agents.acting import lesson

PAID = {"samples": 6.0, "too_hard": 0.0, "kept": 1.0}
SHELVED = {"samples": 6.0, "too_hard": 0.0, "kept": 0.0}
UNWRITTEN = {"samples": 0.0, "too_hard": 0.0, "kept": 0.0}
BEYOND = {"samples": 0.0, "too_hard": 6.0, "kept": 1.0}


def remembering(folder: Path, *effects: dict[str, float], **changes: Any) -> Services:
    """Services whose memory holds one lesson of the same name and pattern per effect."""
    services = world.services(folder)
    services.memory.remember(
        lessons=[
            lesson(id=f"{cycle}-short", cycle=cycle, effect=effect, **changes) for cycle, effect in enumerate(effects)
        ]
    )
    return services


def test_shelved_and_out_of_reach_did_not_pay_and_no_effect_is_no_verdict(tmp_path: Path) -> None:
    services = remembering(tmp_path, PAID, SHELVED, BEYOND, {}, UNWRITTEN)
    assert [each.cycle for each in find_failed_lessons(services)] == [1, 2]


@pytest.mark.parametrize(
    ("effects", "refused"),
    [([SHELVED], False), ([SHELVED, BEYOND], True), ([SHELVED, PAID], False), ([SHELVED, SHELVED, PAID], True)],
)
def test_a_lesson_is_refused_when_its_like_failed_twice(tmp_path: Path, effects: Any, refused: bool) -> None:
    services = remembering(tmp_path, *effects)
    assert bool(find_repeated_failures(services, [lesson(id="9-short", cycle=9)])) is refused
    assert find_repeated_failures(services, [lesson("names of stars", pattern="an orbit and a planet")]) == []
    assert find_repeated_failures(services, []) == []


def test_two_of_one_batch_failed_once(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    services.memory.remember(lessons=[lesson(id=name, cycle=3, effect=SHELVED) for name in ("a", "b")])
    assert find_repeated_failures(services, [lesson(id="9-short", cycle=9)]) == []


def test_the_analyst_is_told_on_one_line_each(tmp_path: Path) -> None:
    assert describe_failed_lessons(remembering(tmp_path / "a", PAID)) == ""
    said = describe_failed_lessons(remembering(tmp_path / "b", SHELVED, pattern="few\nwords"))
    assert said.endswith("- short: few words")
