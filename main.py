"""The command line of EvoKD. Nothing heavy is imported until a command runs, so that `--help` answers at once."""

import importlib.util
import json
import shlex
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

if __name__ == "__main__":  # `python main.py` in a checkout that is not installed: its own folder is the package
    _here = str(Path(__file__).resolve().parent)
    _spec = importlib.util.spec_from_file_location("evokd", f"{_here}/__init__.py", submodule_search_locations=[_here])
    assert _spec is not None and _spec.loader is not None
    sys.modules["evokd"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["evokd"])

from evokd import console  # after the lines above, which find the package

app = typer.Typer(
    help="From a task description, a few labelled examples and an LLM to a small, fast text model of your own.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="With --debug, after any command, an error shows the file and line it came from.",
)

Allow = Annotated[list[str] | None, typer.Option(help="Import this class that the run names.", metavar="MODULE:CLASS")]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.", metavar="FOLDER")]


@app.command()
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
    from evokd import api

    made = api.create(config, runs, name=name, seed=seed, cycles=cycles, strategy=strategy, use_cache=not no_cache)
    raise typer.Exit(console.drive_shown(*made))


@app.command()
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
    from evokd import api
    from evokd.report.run.plan import print_plan, print_planned_prompts

    made = api.plan(config, offline=offline)
    if prompts:
        print_planned_prompts([(each.title, each.text) for each in made.prompts])
    print_plan(made.told())
    if made.verdict == "not yet":
        raise typer.Exit(1)


@app.command()
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
    _begin(allow)
    from evokd.graph.setup.create import ask_anew, read_config, with_cycles
    from evokd.memory.run_folder import RunFolder
    from evokd.report.run_files import Run

    folder = RunFolder(Run.find(name, runs).root.resolve())
    if no_cache:
        ask_anew(folder)
    if cycles is not None:
        with_cycles(folder, cycles)
    raise typer.Exit(console.drive_shown(read_config(folder), folder, answer and _json_or_text(answer)))


def _json_or_text(said: str) -> object:
    try:
        return json.loads(said)
    except ValueError:
        return said


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="Name or folder of a run (its champion), or a student's folder.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="File with one text a line, or a data file. Default: stdin.", exists=True, dir_okay=False),
    ] = None,
    allow: Allow = None,
    runs: Runs = Path("runs"),
) -> None:
    """Label texts.

    Prints one JSON object a line for each text, with the probability of every label.
    """
    from evokd.graph.prediction import open_student

    student = open_student(model, runs, allow or ())
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # JSON is UTF-8, whatever the terminal's language
    for answers in student.file(file) if file else student.lines(sys.stdin.buffer, "standard input"):
        sys.stdout.writelines(answer + "\n" for answer in answers)
        sys.stdout.flush()


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name or folder of a run.")],
    prompts: Annotated[bool, typer.Option("--prompts", help="Print what each role was sent and answered.")] = False,
    role: Annotated[str | None, typer.Option(help="Print that for one role only.")] = None,
    costs: Annotated[bool, typer.Option("--costs", help="Print costs by role, by cycle and per text.")] = False,
    runs: Runs = Path("runs"),
) -> None:
    """Show the cycles, lessons, costs and best student of a run."""
    from evokd.memory.marker import run_marker
    from evokd.report.run.tables import print_prompts, print_run
    from evokd.report.run_files import Run

    found = Run.find(name, runs)
    run_marker(found.root).read()  # refuses a folder of another version
    if prompts or role:
        print_prompts(found, role)
    elif costs:
        console.print_all_costs(found)
    else:
        print_run(found)


@app.command()
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
    _begin()
    from evokd.comparison.executors import LocalProcesses, RayCluster
    from evokd.comparison.scheduler import compare as run_cells
    from evokd.comparison.spec import read_spec
    from evokd.report.compare.live import LiveComparison
    from evokd.report.compare.pages import write_report

    plan = read_spec(file)
    root = (out / plan.settings.name).resolve()
    executor = RayCluster(ray, plan.own_parts) if ray else LocalProcesses(jobs, plan.own_parts)
    with LiveComparison(plan.settings.name, str(root)) as live:
        ended = run_cells(plan, root, executor, jobs, live.show)
    live.say(write_report(root))
    words = ["evokd", "compare", str(file), "--jobs", str(jobs), "--out", str(out), *(["--ray", ray] if ray else [])]
    raise typer.Exit(console.tell_comparison(ended, live.say, file, shlex.join(words)))


@app.command(hidden=True)
def cell(
    folder: Annotated[Path, typer.Argument(help="Run folder of one cell of a comparison.")],
    limits: Annotated[str, typer.Option(help="[budget], as JSON.")],
    cache: Annotated[Path, typer.Option(help="File with answers shared between cells.")],
    allow: Allow = None,
) -> None:
    """Run or resume one cell of a comparison; `compare` starts this."""
    _begin(allow)
    from evokd.comparison.worker import drive_cell
    from evokd.memory.run_folder import RunFolder
    from evokd.teacher.settings import BudgetSettings

    raise typer.Exit(drive_cell(RunFolder(folder.resolve()), BudgetSettings.model_validate_json(limits), cache))


def _begin(allow: Sequence[str] | None = None) -> None:
    """Take the keys in the current folder's `.env`, first: libraries look once, when imported. Allow these parts."""
    from evokd.api import prepare

    prepare(allow or ())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (0 done, 1 a step failed, 2 your mistake, 75 stopped on request)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 shows \u2019, and no traceback
    given = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    words = [word for word in given if word != "--debug"]
    return console.exit_code(
        lambda: app(args=words, prog_name="evokd", standalone_mode=False), debug="--debug" in given
    )


if __name__ == "__main__":
    sys.exit(main())
