"""Strategies, ablations and tricks side by side, with the simulated teacher (no result of the method: simulator.py).

    python benchmarks/grid.py --data DATA --tasks trec6 sst2 --seeds 0 1 2 --jobs 2 --out runs/grid

Each cell is a trial (trial.py) with 216 texts asked for: 120 in breadth (a gated variant sets half of them aside until
its last training), then four batches of 24; all at once where a strategy makes one pass, in nine batches where the
paper's loop starts from the seeds. Kill it whenever you like; the same command goes on. At the end comes a table: mean
and standard deviation over seeds, difference to `static` paired by seed with Student's t interval, score on a sample of
the test file within the tokens that every variant spent, share of a student of the train file, seconds.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from rich.console import Console
from rich.table import Table

from benchmarks.known import known_task
from benchmarks.replay import read_rows
from benchmarks.trial import example_of, name_of, parsed
from graph.strategies import MOST_CYCLES
from report.statistics import over_seeds
from student.settings import StudentSettings
from student.transformer import TransformerStudents
from tasks.metrics import pooled

BREADTH, BATCH, CYCLES = 120, 24, 5
TEXTS = BREADTH + BATCH * (CYCLES - 1)
BASELINE = "static"
FULL = 2000
"""Train rows that the student of the train file learns, at most."""


@dataclass(frozen=True)
class Variant:
    """A strategy, and lines of a config on top of it."""

    strategy: str
    lines: tuple[str, ...] = ()

    @property
    def sizes(self) -> dict[str, int]:
        """Texts of each kind of batch: as many in all for every variant, the gate's included."""
        breadth, cycles = BREADTH, CYCLES
        if MOST_CYCLES.get(self.strategy) == 1:
            breadth = TEXTS
        if self.strategy == "gated":
            breadth = BREADTH // 2
        if self.strategy == "paper" and not any(line.startswith("init") for line in self.lines):
            cycles = TEXTS // BATCH
        return {"backbone": breadth, "gate": BREADTH // 2, "batch": BATCH, "cycles": cycles}


VARIANTS: Mapping[str, Variant] = {
    **{name: Variant(name) for name in ("static", "gated", "paper", "none", "auggpt", "zerogen")},
    "paper, auggpt first": Variant("paper", ('init = "auggpt"',)),
    # what the paper leaves out, one at a time
    "paper without easy": Variant("paper", ("agents.generator.easy = false",)),
    "paper without correct": Variant("paper", ("agents.analyst.correct = false",)),
    "paper without review": Variant("paper", ("agents.trainer.review = false",)),
    "paper without separate": Variant("paper", ("agents.generator.separate = false",)),
    # what ours adds, one at a time
    "gated, one fit": Variant("gated", ("agents.trainer.members = 1",)),
    "gated, nothing out of reach": Variant("gated", ("agents.trainer.reach = 1.0",)),
    "gated, last batch analysed": Variant("gated", ("agents.analyst.folds = 0",)),
    "gated, shares as set": Variant("gated", ("agents.generator.follow = false",)),
    # from the seeds on, so with half the texts: there is no first batch in breadth
    "gated, lessons only": Variant("gated", ('agents.evaluator.curriculum = "lessons"',)),
    "gated, no gate": Variant("gated", ("agents.evaluator.gate = false",)),
    "gated, no last student": Variant("gated", ("agents.trainer.last_members = 0",)),
    "gated, unbalanced": Variant("gated", ("agents.trainer.balance = false",)),
    "gated, bounded loss": Variant("gated", ('student.loss = "generalised"',)),
}


@dataclass(frozen=True)
class Cell:
    """One trial."""

    task: str
    variant: str
    noise: float
    seed: int
    shots: int = 1

    def command(self, given: argparse.Namespace) -> list[str]:
        """What runs it."""
        variant, name = VARIANTS[self.variant], "-".join(self.variant.replace(",", "").split())
        return [
            *(sys.executable, str(Path(__file__).with_name("trial.py")), "--teacher", "simulator"),
            *("--data", str(given.data), "--out", str(given.out), "--task", self.task, "--freeze", str(given.freeze)),
            *("--strategy", variant.strategy, "--variant", name, "--seed", str(self.seed)),
            *("--noise", str(self.noise), "--shots", str(self.shots)),
            *(word for name, size in variant.sizes.items() for word in (f"--{name}", str(size))),
            *(word for line in variant.lines for word in ("--set", line)),
        ]

    def folder(self, given: argparse.Namespace) -> Path:
        """Where it runs."""
        return Path(given.out / name_of(parsed(self.command(given)[2:])))

    def result(self, given: argparse.Namespace) -> dict[str, Any] | None:
        """What the trial found, once it has ended."""
        path = self.folder(given) / "trial.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def run(cell: Cell, given: argparse.Namespace) -> float:
    """Run a cell to its end, unless it has ended; returns the seconds it took."""
    began = time.monotonic()
    if cell.result(given) is None:
        done = subprocess.run(cell.command(given), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{cell}: {done.stderr.strip()[-2000:]}")
        shutil.rmtree(cell.folder(given) / "students")  # half a gigabyte, scored already
    return time.monotonic() - began


def full_shot(task: str, given: argparse.Namespace) -> float:
    """Score of a student that learnt the train file (`FULL` of its rows), kept once it is known."""
    path = given.out / f"{task}-full.json"
    if not path.exists():
        kind, (train, test) = (
            known_task(task),
            (read_rows(given.data / task / f"{name}.jsonl") for name in ("train", "test")),
        )
        random.Random(0).shuffle(train)
        learnt = list({(e := example_of(kind, n, row)).text: e for n, row in enumerate(train[:FULL])}.values())
        scored = [example_of(kind, number, row) for number, row in enumerate(test)]
        student = TransformerStudents(StudentSettings(freeze=given.freeze), tuple(kind.labels), kind.head).new(0)
        student.fit(learnt)
        answers = student.predict([example.text for example in scored])
        points = [kind.points(e.label, p.label) for e, p in zip(scored, answers, strict=True)]
        path.write_text(json.dumps(pooled(points).value), encoding="utf-8")
    return float(json.loads(path.read_text(encoding="utf-8")))


def table_of(title: str, found: Mapping[str, Mapping[int, dict[str, Any]]], full: float) -> Table:
    """One task at one noise; variant -> seed -> result."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    columns = ("seeds", "score", "of full", f"minus {BASELINE}", "texts", "tokens", "at equal tokens", "seconds")
    table.add_column("variant", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    spent = [tokens_of(result) for results in found.values() for result in results.values() if tokens_of(result)]
    base = found.get(BASELINE, {})
    for variant, results in found.items():
        scores = [result["after the loop"]["value"] for result in results.values()]
        spread = f" ± {stdev(scores):.3f}" if len(scores) > 1 else ""
        pairs = [results[seed]["after the loop"]["value"] - base[seed]["after the loop"]["value"]
                 for seed in results if seed in base]  # fmt: skip
        table.add_row(
            variant, str(len(scores)), f"{fmean(scores):.3f}{spread}", f"{fmean(scores) / full:.0%}",
            "-" if variant == BASELINE or not pairs else difference(pairs),
            f"{fmean(learnt(result) for result in results.values()):.0f}",
            f"{fmean(tokens_of(result) for result in results.values()):,.0f}",
            f"{fmean(within(result, min(spent)) for result in results.values()):.3f}" if spent else "-",
            f"{fmean(sum(sum(c['seconds'].values()) for c in r['cycles']) for r in results.values()):.0f}",
        )  # fmt: skip
    return table


def difference(pairs: Sequence[float]) -> str:
    """In points, with its interval over seeds."""
    score = over_seeds([100 * pair for pair in pairs])
    interval = "" if score.low is None or score.high is None else f" [{score.low:+.1f}, {score.high:+.1f}]"
    return f"{score.value:+.1f}{interval}"


def tokens_of(result: Mapping[str, Any], cycles: int | None = None) -> float:
    """Teacher tokens, in and out, of the first cycles or all."""
    spent = [cycle["teacher"] for cycle in result["cycles"][:cycles]]
    return float(sum(each.get("input", 0) + each.get("output", 0) for each in spent))


def learnt(result: Mapping[str, Any]) -> int:
    """Texts that were kept, the gate's among them."""
    counts = [cycle["counts"] for cycle in result["cycles"] if cycle["kept"] and cycle["cycle"]]
    return sum(each.get("accepted", 0) + each.get("set aside as gate", 0) for each in counts)


def within(result: Mapping[str, Any], tokens: float) -> float:
    """Score on the sample of the last champion that so many tokens bought."""
    bought = [n for n in range(1, len(result["cycles"]) + 1) if tokens_of(result, n) <= tokens]
    return float(result["cycles"][max(bought) - 1]["test sample"])


def show(cells: Iterable[Cell], given: argparse.Namespace) -> None:
    """Print a table for each task and noise of what has ended."""
    found: dict[tuple[str, float, int], dict[str, dict[int, dict[str, Any]]]] = {}
    for cell in cells:
        if (result := cell.result(given)) is not None:
            found.setdefault((cell.task, cell.noise, cell.shots), {}).setdefault(cell.variant, {})[cell.seed] = result
    for (task, noise, shots), results in found.items():
        full = full_shot(task, given)
        title = f"{task}, {shots} a label, {noise:.0%} wrong labels; the student of {FULL} train rows has {full:.3f}"
        Console(width=150, highlight=False).print(table_of(title, results, full))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/grid"))
    parser.add_argument("--tasks", nargs="+", default=["trec6", "sst2"])
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=["static", "gated", "paper", "none"])
    parser.add_argument("--noise", nargs="+", type=float, default=[0.0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--shots", type=int, default=1)
    parser.add_argument("--freeze", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    cells = [
        Cell(task, variant, noise, seed, given.shots)
        for seed in given.seeds for noise in given.noise for task in given.tasks for variant in given.variants
    ]  # fmt: skip
    began, left = time.monotonic(), [cell for cell in cells if cell.result(given) is None]
    with ThreadPoolExecutor(given.jobs) as pool:
        started = {pool.submit(run, cell, given): cell for cell in left}
        for done in as_completed(started):
            print(
                f"{started[done].task} {started[done].variant} seed {started[done].seed}: {done.result():.0f} s",
                flush=True,
            )
    show(cells, given)
    print(f"{len(left)} cells in {time.monotonic() - began:.0f} s with {given.jobs} at a time.")


if __name__ == "__main__":
    main()
