"""What `plan` prints."""

import pytest

from evokd.report.run.plan import print_plan, print_planned_prompts

NEED = {"calls": 12.0, "tokens_in": 3456.0, "tokens_out": 789.0, "usd": None}
PLAN = {
    "first": {"generator": NEED}, "later": {"annotator": {**NEED, "usd": 0.5}}, "cycles": 3, "metric": "accuracy",
    "whole": {"expected": NEED}, "has_test": True, "notes": ["one \x1b[1mnote"],
    "seeds_only": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 60},
    "verdict": "look again", "doubts": ("a [bold]doubt",),
}  # fmt: skip


def test_needs_start_doubts_and_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan(PLAN)
    out = capsys.readouterr().out
    said = " ".join(out.split())
    assert "generator 12 3,456 789 unknown" in said and "annotator 12 3,456 789 0.5000" in said
    assert "dev set (60 texts), accuracy: 50.0 [40, 60]." in said
    assert "Verdict: look again - a [bold]doubt" in said and "\x1b[1m" not in out
    print_plan({**PLAN, "seeds_only": {}})
    assert "There is no dev file" in capsys.readouterr().out
    print_plan({**PLAN, "seeds_only": {}, "has_test": False})
    assert "There is neither a dev nor a test file" in capsys.readouterr().out


def test_prompts_are_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_planned_prompts([("generator, cycle 1: Listed", "Write [3] texts.\n" * 50)])
    out = capsys.readouterr().out
    assert "generator, cycle 1: Listed" in out and out.count("Write [3] texts.") == 50
