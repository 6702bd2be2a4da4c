"""The command line of EvoKD: which commands there are, and how each ends."""

import importlib.util
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

import typer

if __name__ == "__main__":  # `python main.py` in a checkout that is not installed: its own folder is the package
    _here = str(Path(__file__).resolve().parent)
    _spec = importlib.util.spec_from_file_location("evokd", f"{_here}/__init__.py", submodule_search_locations=[_here])
    assert _spec is not None and _spec.loader is not None
    sys.modules["evokd"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["evokd"])

from evokd.commands import console, extending, models, reports, runs  # after the lines above, which find the package

app = typer.Typer(
    help="From a task description, a few labelled examples and an LLM to a small, fast text model of your own.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="With --debug, after any command, an error shows the file and line it came from.",
)

for command in (
    *(runs.run, runs.plan, runs.resume),
    *(models.predict, models.export, models.push, models.serve),
    *(reports.show, reports.report, reports.watch, reports.doctor, runs.compare),
):
    app.command()(command)
app.command("new-role")(extending.new_role)
app.command(hidden=True)(runs.cell)  # `compare` starts it


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
