"""Commands that look at a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import console
from .options import Runs

if TYPE_CHECKING:
    from ..report.run_files import Run


def show(
    name: Annotated[str, typer.Argument(help="Name or folder of a run.")],
    prompts: Annotated[bool, typer.Option("--prompts", help="Print what each role was sent and answered.")] = False,
    role: Annotated[str | None, typer.Option(help="Print that for one role only.")] = None,
    costs: Annotated[bool, typer.Option("--costs", help="Print costs by role, by cycle and per text.")] = False,
    runs: Runs = Path("runs"),
) -> None:
    """Show the cycles, lessons, costs and best student of a run."""
    from ..report.run.tables import print_prompts, print_run

    found = _found(name, runs)
    if prompts or role:
        print_prompts(found, role)
    elif costs:
        console.print_all_costs(found)
    else:
        print_run(found)


def report(
    names: Annotated[list[str], typer.Argument(help="Names or folders of runs; several are put side by side.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the report as Markdown instead.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The page to write. Default: report.html in the run's folder; of several runs, here."),
    ] = None,
    runs: Runs = Path("runs"),
) -> None:
    """Write the report of a run, or of several runs side by side, as one page that needs no other."""
    from ..report.formats.html import html
    from ..report.formats.markdown import markdown as as_markdown
    from ..report.run.page import document, page, write_page
    from ..report.run.side_by_side import side_by_side

    found = [_found(name, runs) for name in names]
    if markdown:
        typer.echo(as_markdown(side_by_side(found) if len(found) > 1 else document(found[0])), nl=False)
        return
    path = out or (Path() if len(found) > 1 else found[0].root) / "report.html"
    write_page(path, html(side_by_side(found)) if len(found) > 1 else page(found[0]))
    typer.echo(f"Wrote {path} ({path.stat().st_size / 1e3:,.0f} kB).")


def watch(
    name: Annotated[str, typer.Argument(help="Name or folder of a run, at work or not.")],
    port: Annotated[int, typer.Option(help="Port; 0 takes one that is free.", min=0, max=65535)] = 0,
    host: Annotated[
        str, typer.Option(help="Address to listen on. By default only this machine can look.", metavar="ADDRESS")
    ] = "127.0.0.1",
    runs: Runs = Path("runs"),
) -> None:
    """Serve the report of a run live, with what each step is doing, and a button that ends the run cleanly."""
    from ..memory.run_folder import RunFolder
    from ..report.watch.server import LOOPBACK, Watched, serve
    from ..tasks.errors import ConfigError

    folder = RunFolder(_found(name, runs).root.resolve())
    watched = Watched(folder.root, folder.stop_file.touch)
    try:
        server = serve(watched, host, port)
    except OSError as error:
        raise ConfigError(f"http://{host}:{port} cannot be served: {error.strerror or error}. Try --port 0.") from None
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"http://{shown}:{server.server_port}/  (Ctrl-C stops watching, not the run)")
    if host not in LOOPBACK:
        typer.echo("Whoever can reach this address can read the texts and stop the run.", err=True)
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        watched.closing.set()
        server.server_close()


def doctor(
    config: Annotated[
        Path | None, typer.Argument(help="Config of the run to come: its teacher gets one tiny call.")
    ] = None,
    runs: Runs = Path("runs"),
) -> None:
    """Say whether this machine is ready for a run, and what helps where it is not."""
    from .options import begin

    begin()
    from ..graph.config.run_config import load
    from ..planning.doctor import examine
    from ..report.wording import harmless

    is_well = True
    for each in examine(runs, load(config) if config else None):
        is_well = is_well and each.is_well
        typer.echo(f"{'ok     ' if each.is_well else 'PROBLEM'}  {each.of}: {harmless(each.said)}")
        if each.advice:
            typer.echo(f"         {each.advice}")
    raise typer.Exit(0 if is_well else 1)


def _found(name: str, runs: Path) -> "Run":
    """The run a name or a path means; one of another version is refused."""
    from ..memory.marker import run_marker
    from ..report.run_files import Run

    found = Run.find(name, runs)
    run_marker(found.root).read()
    return found
