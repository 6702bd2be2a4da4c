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


def export(
    model: Annotated[str, typer.Argument(help="Name or folder of a run (its best student), or a student's folder.")],
    to: Annotated[Path, typer.Option("--to", help="New folder, or one of an earlier export.", metavar="FOLDER")],
    allow: Allow = None,
    runs: Runs = Path("runs"),
) -> None:
    """Write a student that needs nothing of EvoKD.

    As safetensors and as ONNX, in float32 and, where it still gives the same answers, in int8.
    """
    from ..graph.exporting import export_student

    found = export_student(model, to, runs, lambda step: typer.echo(f"{step} ..."), allow or ())
    typer.echo(f"float32: {found.megabytes} MB, a logit differs from torch's by {found.difference:.1g} at most.")
    if found.refused:
        typer.echo(f"int8: not written, as {found.refused}.")
    elif found.int8:
        typer.echo(f"int8: {found.int8.megabytes} MB ({found.int8.way}), {found.int8.judged}.")
    typer.echo(f"Written to {to}. Figures: {to / 'parity.json'}.")
