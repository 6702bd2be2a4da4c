"""`show --costs`: sums by role and by cycle are those of the ledger, and a text's price is that of all roles."""

from pathlib import Path
from typing import Any

import pytest

from evokd.report.document import Document
from evokd.report.formats.terminal import print_document
from evokd.report.run.costs import costs, more_would_buy, per_text, spent, until
from tests.report.run.test_tables import run


def call(role: str, cycle: int = 1, **changes: Any) -> dict[str, Any]:
    plain = {
        "role": role, "cycle": cycle, "input": 100, "cached_input": 40, "output": 10, "usd": 0.01, "seconds": 1.5,
        "outcome": "ok", "from_cache": False,
    }  # fmt: skip
    return {**plain, **changes}


LEDGER = [
    call("generator"),
    call("annotator", outcome="repaired"),
    call("annotator", 2, outcome="bad answer: empty"),
    call("annotator", 2, from_cache=True, input=0, cached_input=0, output=0, usd=0.0),
]
SAMPLES = [
    {"split": "train", "status": "kept"}, {"split": "gate", "status": "kept"}, {"split": "seed", "status": "kept"},
    {"split": "train", "status": "shelved"},
]  # fmt: skip


def test_sums_by_role_and_cycle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_document(Document("a", [costs(run(tmp_path / "a", ledger=LEDGER, samples=SAMPLES))]))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "generator 1 0 100 40 10 0.0100 2 0 0" in lines
    assert "annotator 2 1 200 80 20 0.0200 3 1 1" in lines
    assert "2 1 1 100 40 10 0.0100 2 0 1" in lines, "cycle 2"
    assert lines.count("all 3 1 300 120 30 0.0300 4 1 1") == 2


def test_the_price_of_an_accepted_text(tmp_path: Path) -> None:
    said = per_text(run(tmp_path / "a", ledger=LEDGER, samples=SAMPLES))
    assert said == "2 accepted texts, gate included: 165 tokens and 0.01500 USD each, all roles together."
    unpriced = [call("generator", usd=None)]
    assert "110 tokens and money unknown" in per_text(run(tmp_path / "b", ledger=unpriced, samples=SAMPLES[:1]))
    assert per_text(run(tmp_path / "c", ledger=LEDGER)) == "No text is accepted yet; 330 tokens are spent."


def test_what_a_higher_limit_would_buy(tmp_path: Path) -> None:
    done = [{"cycle": cycle} for cycle in sorted({row["cycle"] for row in LEDGER})]
    cut_off = {**LEDGER[0], "cycle": 99, "input": 5000}
    said = more_would_buy(run(tmp_path / "a", ledger=[*LEDGER, cut_off], samples=SAMPLES, metrics=done))
    assert said == ("Another 10,000 tokens (0.9091 USD) would buy about 61 accepted texts: the 2 so far took 330.\n")
    unpriced = [call("generator", usd=None)]
    assert "tokens would buy about 91 " in more_would_buy(
        run(tmp_path / "b", ledger=unpriced, samples=SAMPLES[:1], metrics=done)
    )
    assert more_would_buy(run(tmp_path / "c", ledger=LEDGER, metrics=done)) == ""


def test_all_of_it_in_a_figure_and_up_to_a_cycle(tmp_path: Path) -> None:
    metrics = [{"cycle": 1, "seconds": {"trainer": 90.0, "evaluator": 30.0}}]
    found = run(tmp_path / "a", ledger=LEDGER, metrics=metrics)
    assert spent(found).value == "0.0300 USD"
    assert spent(found).remark == "330 tokens in 3 calls of the teacher, 2 minutes of work"
    assert until(found, 1) == (220, pytest.approx(0.02))
    assert spent(run(tmp_path / "b", ledger=[call("generator", usd=None)])).value == "price unknown"
