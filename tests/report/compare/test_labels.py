"""Single labels over a comparison: adaptivity, label noise."""

from pathlib import Path

import pytest

from evokd.report.compare.labels import LabelLine, adaptivity, noise, trend
from evokd.report.compare.statistics import lines
from tests.report.comparisons import cell, listed, sample

OSLO = {"start": 0, "end": 4, "type": "PLACE"}
ROME = {"start": 5, "end": 9, "type": "PLACE"}


def test_adaptivity_sets_what_was_learnt_of_a_label_beside_its_f1_before_and_after(tmp_path: Path) -> None:
    """The student of the seeds never says `b`; two seeds bring three and one texts of it."""
    verdicts = [("a", "a", "a"), ("b", "a", "b")]
    for seed, count in ((0, 3), (1, 1)):
        texts = [sample(str(number), "b") for number in range(count)]
        cell(tmp_path, f"t.static.kall.s{seed}", verdicts, samples=texts)
    found = adaptivity(lines(listed(tmp_path, "t.static.kall.s0", "t.static.kall.s1"), "t", "all"))
    assert found == [LabelLine("a", "static", 2 / 3, 0.0, 1.0), LabelLine("b", "static", 0.0, 2.0, 1.0)]


def test_the_trend_is_a_rank_correlation_and_needs_four_labels() -> None:
    weak_first = [LabelLine(name, "gated", 0.2 * n, 10.0 - n, 1.0) for n, name in enumerate("abcd")]
    even = [LabelLine(name, "static", 0.2 * n, 5.0, 1.0) for n, name in enumerate("abcd")]
    assert trend([*weak_first, *even]) == {"gated": (pytest.approx(-1.0), 4)}
    assert trend(weak_first[:3]) == {}


def test_noise_is_the_share_of_learnt_texts_that_gold_contradicts(tmp_path: Path) -> None:
    """Four learnt texts, three of them with gold, one of those wrong; Wilson's interval of 1 in 3 is 6.1 to 79.2 %."""
    texts = [
        sample("w", "a"),
        sample("x", "a"),
        sample("y", "b"),
        sample("z", "b"),
        sample("q", "b", status="quarantined"),
    ]
    cell(tmp_path, "t.static.kall.s0", [("a", "a", "a")], samples=texts)
    [line] = lines(listed(tmp_path, "t.static.kall.s0"), "t", "all")
    found = noise(line, {"w": "a", "x": "b", "y": "b", "q": "a"})
    assert found is not None and (found.n, round(found.value, 3)) == (3, 0.333)
    assert found.low == pytest.approx(0.0615, abs=1e-3) and found.high == pytest.approx(0.7923, abs=1e-3)
    assert noise(line, {"other": "a"}) is None


def test_spans_are_compared_whatever_their_order(tmp_path: Path) -> None:
    cell(tmp_path, "t.static.kall.s0", [("a", "a", "a")], samples=[sample("x", [OSLO, ROME])])
    [line] = lines(listed(tmp_path, "t.static.kall.s0"), "t", "all")
    same, other = noise(line, {"x": [ROME, OSLO]}), noise(line, {"x": [OSLO]})
    assert same is not None and other is not None and (same.value, other.value) == (0.0, 1.0)
