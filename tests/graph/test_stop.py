"""When a run is over."""

from typing import Any

import pytest

from evokd.graph.stop import Stop
from evokd.testing import world


def history(**scores: float) -> list[Any]:
    return [
        {"batch_kind": "breadth", "stats": {}, "scores": {split: {"value": value} for split, value in scores.items()}}
    ]


def drafted(*counts: int) -> list[Any]:
    counted: list[dict[str, int]] = [{}, *({"drafted": count} for count in counts)]
    return [{"batch_kind": "breadth", "stats": each, "scores": {}} for each in counted]


@pytest.mark.parametrize(
    ("rule", "changes", "why"),
    [
        (Stop(cycles=3), {"cycle": 3}, ""),
        (Stop(cycles=3), {"cycle": 4}, "all 3 cycles are done"),
        (Stop(cycles=0), {"cycle": 1}, "all 0 cycles are done"),
        (Stop(patience=2), {"shelved_in_a_row": 1}, ""),
        (Stop(patience=2), {"shelved_in_a_row": 2}, "no batch of the last 2 made the student better"),
        (Stop(target=0.9), {"history": history(dev=0.89, gate=1.0)}, ""),
        (Stop(target=0.9), {"history": history(dev=0.9)}, "the target is reached: 0.900 is at least 0.900"),
        (Stop(target=0.9), {"history": history(gate=0.95)}, "the target is reached: 0.950 is at least 0.900"),
        (Stop(target=0.9), {"history": history()}, ""),
        (Stop(target=0.9), {"history": []}, ""),
        (Stop(), {"nothing_left": True, "history": [{"outlook": "buy more"}]}, "buy more"),
        (Stop(), {"history": drafted(30, 0)}, ""),
        (Stop(), {"history": drafted(0, 0, 9)}, ""),
        (Stop(), {"history": drafted(9, 0, 0), "batch_kind": "label"}, ""),
        (
            Stop(),
            {"history": [{**each, "batch_kind": "label"} for each in drafted(0, 0)], "batch_kind": "label"},
            "the last 2 batches had no new text: what the pool holds is there already",
        ),
        (
            Stop(),
            {"history": drafted(9, 0, 0)},
            "the last 2 batches had no new text: what the teacher writes is there already",
        ),
    ],
)
def test_the_rule(rule: Stop, changes: dict[str, Any], why: str) -> None:
    assert rule(world.state(**{"batch_kind": "breadth", **changes})) == why
