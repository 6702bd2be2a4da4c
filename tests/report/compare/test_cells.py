"""A comparison as it lies on disk: states, costs, learning curves."""

import json
from pathlib import Path

import pytest

from evokd.report.compare.cells import ComparisonRun, Cost
from evokd.tasks.errors import ConfigError
from tests.report.comparisons import call, cell, listed, right, row, sample


def test_an_answer_from_the_shared_cache_costs_as_much_as_for_the_cell_that_paid(tmp_path: Path) -> None:
    """The second cell got `p` from the first, asked `p` again after a kill, and paid for `q` in cycle 2."""
    cell(tmp_path, "t.static.kall.s0", right(0), ledger=[call("p", tokens=100)])
    again = [call("p", cached=True), call("p", cached=True), call("q", cycle=2, tokens=30)]
    cell(tmp_path, "t.gated.kall.s0", right(0), ledger=again)
    cell(tmp_path, "t.gated.kall.s1", right(0), ledger=[call("p", cached=True)])
    first, second, other_seed = listed(tmp_path, "t.static.kall.s0", "t.gated.kall.s0", "t.gated.kall.s1").cells
    assert first.cost() == first.paid == Cost(100, 0.01, 1)
    assert second.cost() == Cost(130, 0.02, 2) and second.paid == Cost(30, 0.01, 1)
    assert second.cost(upto=1) == Cost(100, 0.01, 1)
    assert other_seed.cost() == Cost() and other_seed.unpriced == 1, "another seed is another request"
    assert first.unpriced == second.unpriced == 0


def test_an_unknown_price_makes_the_sum_unknown(tmp_path: Path) -> None:
    cell(tmp_path, "t.static.kall.s0", right(0), ledger=[call("p"), call("q", usd=None)])
    [only] = listed(tmp_path, "t.static.kall.s0").cells
    assert only.cost() == Cost(200, None, 2)


@pytest.mark.parametrize(
    ("how", "verdicts", "state"),
    [
        ("finished", right(0), "finished"),
        ("finished", [], "failed"),  # no result: it cannot be counted
        ("budget", right(0), "cut"),
        ("interrupted", [], "interrupted"),
        (None, [], "waiting"),
    ],
)
def test_only_a_finished_cell_has_a_score(
    how: str, verdicts: list[tuple[str, str, str]], state: str, tmp_path: Path
) -> None:
    cell(tmp_path, "t.static.kall.s0", verdicts, how=how)
    [only] = listed(tmp_path, "t.static.kall.s0").cells
    assert only.state == state and bool(only.result) == (state == "finished")


def test_a_curve_holds_what_was_known_and_spent_up_to_each_cycle(tmp_path: Path) -> None:
    samples = [
        sample("x", "a", 1),
        sample("y", "a", 2),
        sample("z", "a", 2, status="shelved"),
        sample("g", "a", 1, "gate"),
    ]
    calls = [call("p", 1, 100), call("q", 2, 50)]
    metrics = [row(0, 0.2), row(1, 0.5), row(2, 0.75), {"cycle": 3, "scores": {}, "seconds": {}}]
    for name, champion in (("t.static.kall.s0", "cycle-002"), ("t.gated.kall.s0", "final-002")):
        cell(tmp_path, name, right(0), ledger=calls, samples=samples, metrics=metrics, champion=champion)
    plain, final = listed(tmp_path, "t.static.kall.s0", "t.gated.kall.s0").cells
    found = [(point.cycle, point.score, point.cost.tokens, point.samples) for point in plain.curve]
    assert found == [(0, 0.2, 0, 0), (1, 0.5, 100, 1), (2, 0.75, 150, 2)]
    assert [each["id"] for each in plain.learnt] == ["x", "y"] and plain.seconds == 4.5
    assert [each["id"] for each in final.learnt] == ["x", "y", "g"], "the last student learns the gate's texts too"


def test_a_folder_without_a_comparison_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no comparison \(no comparison\.json\)"):
        ComparisonRun.read(tmp_path)


def test_gold_is_read_where_there_is_some(tmp_path: Path) -> None:
    cell(tmp_path, "t.static.kall.s0")
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "t.jsonl").write_text(json.dumps({"id": "x", "label": "a"}) + "\n")
    found = listed(tmp_path, "t.static.kall.s0")
    assert found.gold("t") == {"x": "a"} and found.gold("other") == {}
