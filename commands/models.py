"""Commands for what a run leaves: its student."""

import json
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Allow, Runs

if TYPE_CHECKING:
    from ..graph.prediction import Row
    from ..student.serving.predictor import Predictor


def predict(
    model: Annotated[str, typer.Argument(help="Name or folder of a run (its champion), or a student's folder.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="File with one text a line, or a data file. Default: stdin.", exists=True, dir_okay=False),
    ] = None,
    abstain: Annotated[
        float | None,
        typer.Option(help="Give no label where it is too unsure for this share of wrong answers.", metavar="SHARE"),
    ] = None,
    sets: Annotated[
        float | None,
        typer.Option(help="Also give every possible label; all are wrong in this share of texts.", metavar="SHARE"),
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
    for condition in _conditions(student.predictor, abstain, sets):
        typer.echo(condition, err=True)
    asked = {"abstain": abstain, "sets": sets}
    answers = student.file(file, **asked) if file else student.lines(sys.stdin.buffer, "standard input", **asked)
    count, guessed, cut = _write(answers, bar=file is not None and sys.stderr.isatty())
    if abstain is not None:
        typer.echo(f"{count - guessed} of {count} texts have a label; the others have a guess.", err=True)
    if cut:
        typer.echo(f"{cut} of {count} texts are longer than the student reads: only their beginning counts.", err=True)


def _conditions(predictor: "Predictor", abstain: float | None, sets: float | None) -> Iterator[str]:
    """What is promised, what that rests on, and when it holds."""
    if abstain is not None:
        found = predictor.abstention(abstain)
        yield (
            f"A label is given from a probability of {found.threshold:.3f} on. Of {predictor.confidence.told_from}, "
            f"{found.answered / found.n:.0%} had one, {found.wrong / found.answered:.1%} of them wrong."
            f" At most {abstain:.1%} of the labels are expected to be wrong where your texts are like those."
        )
    if sets is not None:
        predictor.confidence.set_threshold(sets)
        yield (
            f"The labels in `possible` hold the right one in at least {1 - sets:.1%} of texts where these are like the "
            f"{len(predictor.confidence.of_label)} rows of your dev file."
        )


def _write(answers: "Iterable[list[Row]]", bar: bool) -> tuple[int, int, int]:
    """Print answers as they come; returns how many there were, how many have but a guess, and how many were cut."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} texts labelled"), TimeElapsedColumn())
    count = guessed = cut = 0
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not bar) as progress:
        shown = progress.add_task("", total=None)
        for rows in answers:
            sys.stdout.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            sys.stdout.flush()
            count, guessed = count + len(rows), guessed + sum("guess" in row for row in rows)
            cut += sum("cut" in row for row in rows)
            progress.update(shown, completed=count)
    return count, guessed, cut


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
