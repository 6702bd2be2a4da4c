"""Commands that do the work: a run, its plan, its continuation, and comparisons of many."""

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from . import console
from .options import Allow, Runs, begin


def run(
    config: Annotated[Path, typer.Argument(help="A TOML file; configs/ has examples.")],
    name: Annotated[str | None, typer.Option(help="Name of the run and its folder. Default: the config's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.")] = None,
    cycles: Annotated[int | None, typer.Option(help="Largest number of cycles.")] = None,
    strategy: Annotated[
        str | None, typer.Option(help="gated (the default), paper, static, zerogen, auggpt or none.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Reuse no answer of other cycles or runs.")] = False,
    runs: Runs = Path("runs"),
) -> None:
    """Start a run.

    It reads and checks the data, then trains, evaluates, analyses, generates and annotates, cycle by cycle.
    """
    from .. import api

    made = api.create(config, runs, name=name, seed=seed, cycles=cycles, strategy=strategy, use_cache=not no_cache)
    raise typer.Exit(console.drive_shown(*made))


def plan(
    config: Annotated[Path, typer.Argument(help="A TOML file; configs/ has examples.")],
    prompts: Annotated[bool, typer.Option("--prompts", help="Print the first prompt of every kind in full.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Make no call: neither try the server nor have your examples labelled.")
    ] = False,
) -> None:
    """Estimate what a run will cost, in calls, tokens and money.

    A few small calls also tell whether the teacher labels your examples as you do, and where the student starts.
    """
    from .. import api
    from ..report.run.plan import print_plan, print_planned_prompts

    made = api.plan(config, offline=offline)
    if prompts:
        print_planned_prompts([(each.title, each.text) for each in made.prompts])
    print_plan(made.told())
    if made.verdict == "not yet":
        raise typer.Exit(1)


def resume(
    name: Annotated[str, typer.Argument(help="Name or folder of a run: stopped, killed, or finished.")],
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="From now on ask everything anew, even in the step in progress.")
    ] = False,
    cycles: Annotated[int | None, typer.Option(min=0, help="Cycles in all; more let a finished run go on.")] = None,
    answer: Annotated[
        str | None, typer.Option(help="Your answer to what a role asked: a text, or JSON.", metavar="TEXT")
    ] = None,
    allow: Allow = None,
    runs: Runs = Path("runs"),
) -> None:
    """Continue a run where it stopped.

    The teacher is not asked again what it has answered.
    """
    begin(allow)
    from ..graph.setup.create import ask_anew, read_config, with_cycles
    from ..memory.run_folder import RunFolder
    from ..report.run_files import Run

    folder = RunFolder(Run.find(name, runs).root.resolve())
    if no_cache:
        ask_anew(folder)
    if cycles is not None:
        with_cycles(folder, cycles)
    raise typer.Exit(console.drive_shown(read_config(folder), folder, answer and _json_or_text(answer)))


def compare(
    file: Annotated[Path, typer.Argument(help="A TOML file; configs/compare.toml is an example.")],
    jobs: Annotated[int, typer.Option(min=1, help="Number of cells to run at once.", metavar="N")] = 1,
    out: Annotated[Path, typer.Option(help="Folder that holds the comparisons.", metavar="FOLDER")] = Path("compare"),
    ray: Annotated[
        str | None, typer.Option(help="Run the cells on this Ray cluster: host:port or auto.", metavar="ADDRESS")
    ] = None,
) -> None:
    """Compare strategies over shots, seeds and tasks.

    The same command continues a comparison that was stopped or killed.
    """
    begin()
    from ..comparison.executors import LocalProcesses, RayCluster
    from ..comparison.scheduler import compare as run_cells
    from ..comparison.spec import read_spec
    from ..report.compare.live import LiveComparison
    from ..report.compare.pages import write_report

    plan = read_spec(file)
    root = (out / plan.settings.name).resolve()
    executor = RayCluster(ray, plan.own_parts) if ray else LocalProcesses(jobs, plan.own_parts)
    with LiveComparison(plan.settings.name, str(root)) as live:
        ended = run_cells(plan, root, executor, jobs, live.show)
    live.say(write_report(root))
    words = ["evokd", "compare", str(file), "--jobs", str(jobs), "--out", str(out), *(["--ray", ray] if ray else [])]
    raise typer.Exit(console.tell_comparison(ended, live.say, file, shlex.join(words)))


def cell(
    folder: Annotated[Path, typer.Argument(help="Run folder of one cell of a comparison.")],
    limits: Annotated[str, typer.Option(help="[budget], as JSON.")],
    cache: Annotated[Path, typer.Option(help="File with answers shared between cells.")],
    allow: Allow = None,
) -> None:
    """Run or resume one cell of a comparison; `compare` starts this."""
    begin(allow)
    from ..comparison.worker import drive_cell
    from ..memory.run_folder import RunFolder
    from ..report.run.page import write_or_tell
    from ..teacher.settings import BudgetSettings

    code = drive_cell(RunFolder(folder.resolve()), BudgetSettings.model_validate_json(limits), cache)
    write_or_tell(folder.resolve())
    raise typer.Exit(code)


def _json_or_text(said: str) -> object:
    try:
        return json.loads(said)
    except ValueError:
        return said
