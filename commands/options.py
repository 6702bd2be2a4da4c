"""What several commands share: options, and what comes before the work."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

Allow = Annotated[list[str] | None, typer.Option(help="Import this class that the run names.", metavar="MODULE:CLASS")]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.", metavar="FOLDER")]


def begin(allow: Sequence[str] | None = None) -> None:
    """Take the keys in the current folder's `.env`, first: libraries look once, when imported. Allow these parts."""
    from ..api import prepare

    prepare(allow or ())
