"""Commands for what a run leaves: its student."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from .options import Allow, Runs


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
    from ..graph.prediction import open_student

    student = open_student(model, runs, allow or ())
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # JSON is UTF-8, whatever the terminal's language
    for answers in student.file(file) if file else student.lines(sys.stdin.buffer, "standard input"):
        sys.stdout.writelines(answer + "\n" for answer in answers)
        sys.stdout.flush()
