"""Commands that look at a run."""

from pathlib import Path
from typing import Annotated

import typer

from . import console
from .options import Runs


def show(
    name: Annotated[str, typer.Argument(help="Name or folder of a run.")],
    prompts: Annotated[bool, typer.Option("--prompts", help="Print what each role was sent and answered.")] = False,
    role: Annotated[str | None, typer.Option(help="Print that for one role only.")] = None,
    costs: Annotated[bool, typer.Option("--costs", help="Print costs by role, by cycle and per text.")] = False,
    runs: Runs = Path("runs"),
) -> None:
    """Show the cycles, lessons, costs and best student of a run."""
    from ..memory.marker import run_marker
    from ..report.run.tables import print_prompts, print_run
    from ..report.run_files import Run

    found = Run.find(name, runs)
    run_marker(found.root).read()  # refuses a folder of another version
    if prompts or role:
        print_prompts(found, role)
    elif costs:
        console.print_all_costs(found)
    else:
        print_run(found)
