"""The grid: what a cell runs, and how its table counts."""

import argparse
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import trial
from benchmarks.grid import TEXTS, VARIANTS, Cell, learnt, run, table_of, tokens_of, within
from graph.config import agents, validate
from graph.strategies import MOST_CYCLES


def result(score: float, *samples: float, tokens: int = 1000, kept: bool = True) -> dict[str, Any]:
    """A trial whose champion had so much on the sample after each cycle, each but the first for `tokens`."""
    cycles = [
        {"cycle": n, "kept": kept or not n, "counts": {"accepted": 20, "set aside as gate": 4} if n else {},
         "teacher": {"input": tokens - 100, "output": 100} if n else {}, "seconds": {"trainer": 2.0},
         "test sample": sample}
        for n, sample in enumerate(samples)
    ]  # fmt: skip
    return {"after the loop": {"value": score}, "cycles": cycles}


def given(out: Path) -> argparse.Namespace:
    """The options of a grid."""
    return argparse.Namespace(data=out / "data", out=out, freeze=4)


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_cell_is_a_trial_that_can_be_run(variant: str, tmp_path: Path) -> None:
    cell = Cell("trec6", variant, 0.2, 1, 5)
    options = trial.parsed(cell.command(given(tmp_path))[2:])
    config = validate(trial.settings(options, "http://127.0.0.1:9/v1"), "trial")
    assert set(agents(config)) >= {"trainer", "evaluator", "generator"} and config.student.freeze == 4
    name = variant.replace(",", "").replace(" ", "-")
    assert trial.name_of(options) == f"trec6-simulator-{name}-k5-noise20-s1"


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_variant_asks_for_as_many_texts(variant: str) -> None:
    sizes, strategy = VARIANTS[variant].sizes, VARIANTS[variant].strategy
    if strategy == "none":
        return
    cycles = MOST_CYCLES.get(strategy, sizes["cycles"])
    starts = variant != "paper, auggpt first" and strategy == "paper"  # from the seeds, with lessons at once
    gate = sizes["gate"] if strategy == "gated" else 0
    assert (0 if starts else sizes["backbone"]) + gate + (cycles - (not starts)) * sizes["batch"] == TEXTS


def test_a_cell_that_has_ended_is_found_by_its_name(tmp_path: Path) -> None:
    cell = Cell("sst2", "gated, one fit", 0.0, 2)
    assert cell.result(given(tmp_path)) is None
    folder = tmp_path / "sst2-simulator-gated-one-fit-s2"
    folder.mkdir()
    (folder / "trial.json").write_text(json.dumps({"a": 1}))
    assert cell.result(given(tmp_path)) == {"a": 1}


def test_tokens_texts_and_what_so_many_tokens_bought() -> None:
    found = result(0.8, 0.2, 0.5, 0.7, tokens=1000)
    assert (tokens_of(found), tokens_of(found, 2), learnt(found)) == (2000, 1000, 48)
    assert [within(found, tokens) for tokens in (0, 999, 1000, 1999, 5000)] == [0.2, 0.2, 0.5, 0.5, 0.7]
    assert learnt(result(0.8, 0.2, 0.5, kept=False)) == 0


def test_the_table_pairs_by_seed_and_says_how_sure_it_is() -> None:
    found = {
        "static": {0: result(0.80, 0.2, 0.8), 1: result(0.70, 0.2, 0.7)},
        "gated": {0: result(0.83, 0.2, 0.5, 0.8), 1: result(0.75, 0.2, 0.6, 0.7)},
        "none": {0: result(0.20, 0.2)},
    }
    out = io.StringIO()
    Console(file=out, width=200).print(table_of("a task", found, full=0.9))
    static, gated, none = out.getvalue().splitlines()[2:]
    assert static.split()[:5] == ["static", "2", "0.750", "±", "0.071"] and "-" in static.split()
    assert "+4.0 [-8.7, +16.7]" in gated and "88%" in gated and "2,000" in gated and "0.550" in gated
    assert "-60.0" in none and "[" not in none, "one seed has no interval"


def test_students_of_a_cell_that_has_ended_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, options = Cell("sst2", "static", 0.0, 0), given(tmp_path)

    def trial_that_ends(*command: Any, **how: Any) -> subprocess.CompletedProcess[str]:
        (cell.folder(options) / "students" / "cycle-000").mkdir(parents=True)
        (cell.folder(options) / "trial.json").write_text(json.dumps({"a": 1}))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", trial_that_ends)
    run(cell, options)
    assert cell.result(options) == {"a": 1} and [path.name for path in cell.folder(options).iterdir()] == ["trial.json"]
