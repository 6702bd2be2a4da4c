"""What the command line prints around a command: progress, how it ended, and one line for every error."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ..comparison.scheduler import Ended
    from ..graph.config.run_config import RunConfig
    from ..memory.run_folder import RunFolder
    from ..report.run_files import Run

STOPPED = 75
"""Exit code of what was stopped as asked, or waits for an answer, and can go on."""

INTERRUPTED = 130
"""What typer makes of a Ctrl-C where no run is at work yet, or no more."""


def drive_shown(config: "RunConfig", folder: "RunFolder", answer: object = None) -> int:
    """Drive a run with its progress on the screen, and say how it ended; returns the exit code."""
    from ..graph.run import drive, flush_traces
    from ..graph.setup.create import resuming
    from ..report.run.costs import more_would_buy
    from ..report.run.live import Live
    from ..report.run.page import page_kept
    from ..report.run.tables import print_result
    from ..report.run_files import Run
    from ..tasks.errors import StepError

    again = resuming(config, folder)
    try:
        with Live(config.name, str(folder.root)) as live, page_kept(folder.root, live.show) as shown:
            outcome = drive(config, folder, shown, answer)
    except StepError as error:
        raise StepError(
            f"{error}\nNothing before this step is lost. Settings: {folder.root / 'config.toml'}. Go on with: {again}"
        ) from error
    finally:
        flush_traces()
    if outcome.how == "interrupted":
        live.say(f"Stopped {outcome.why}. Nothing is lost. Go on with: {again}")
        return STOPPED
    if outcome.how == "asks":
        live.say(f"A role asks you: {outcome.why}\nAnswer with: {again} --answer '...'")
        return STOPPED
    if outcome.how == "budget":
        more = more_would_buy(Run(folder.root))
        live.say(f"Stopped: {outcome.why}\n{more}Raise it in {folder.root / 'config.toml'} and go on with: {again}")
    else:
        live.say(f"The run ended: {outcome.why}.")
    print_result(Run.find(str(folder.root), folder.root.parent))
    return 0


def tell_comparison(ended: "Ended", say: Callable[[str], None], file: Path, again: str) -> int:
    """Say how a comparison ended; returns the exit code."""
    if ended.interrupted:
        say(f"Stopped as asked. Nothing is lost. Go on with: {again}")
        return STOPPED
    if ended.limit:
        say(f"The comparison has reached budget.{ended.limit}. Raise it in {file} and go on with: {again}")
    if ended.waiting:
        say(f"{len(ended.waiting)} cells were cut short or not started: {', '.join(ended.waiting)}.")
    if ended.failed:
        say(f"{len(ended.failed)} cells failed: {', '.join(ended.failed)}. Try them again with: {again}")
    return 1 if ended.failed else 0


def print_all_costs(run: "Run") -> None:
    """What the teacher cost, and how large the caches of its answers are."""
    from ..graph.setup.create import settings_of
    from ..memory.run_folder import RunFolder
    from ..report.document import Document
    from ..report.formats.terminal import print_document
    from ..report.run.costs import costs
    from ..teacher.accounting.cache import measure

    print_document(Document(run.root.name, [costs(run)]))
    shared = settings_of(RunFolder(run.root)).teacher.cache
    own = run.root / "answers.sqlite"
    for cache in (own, *([Path(shared)] if shared else [])):
        if size := measure(cache):
            typer.echo(f"Answer cache {size.path}: {size.answers} answers, {size.bytes / 1e6:.1f} MB.")
        elif cache == own and run.rows("ledger.jsonl"):
            typer.echo(f"{own} is missing or damaged: what the teacher answered would be asked and paid for again.")


def exit_code(command: Callable[[], object], debug: bool) -> int:
    """Turn the errors a user can meet into a message and an exit code."""
    from ..tasks.errors import ConfigError, EvoKDError

    try:
        code = _debugged(command)() if debug else command()
        if code == INTERRUPTED:
            return _told("stopped. To continue a run, use `evokd resume RUN`.", INTERRUPTED)
        return code if isinstance(code, int) else 0
    except ConfigError as error:
        return _told(str(error), 2)
    except EvoKDError as error:
        return _told(str(error), 1)
    except typer.TyperException as error:  # a wrong command line
        return _told(f"{error.format_message().rstrip('.')}. Try `evokd --help`.", 2)
    except OSError as error:  # a full disk, a folder one may not write to
        return _told(str(error), 1)


def _debugged(command: Callable[[], object]) -> Callable[[], object]:
    """The same, but an error first shows where it came from, as far as it goes back."""

    def run() -> object:
        try:
            return command()
        except Exception:
            traceback.print_exc()
            raise

    return run


def _told(message: str, code: int) -> int:
    sys.stderr.write(f"evokd: {message}\n")
    return code
