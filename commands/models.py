"""Commands for what a run leaves: its student."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .options import Allow, Runs

if TYPE_CHECKING:
    from ..graph.prediction import Row
    from ..student.serving.http.served import Served
    from ..student.serving.predictor import Predictor

LogLevel = Literal["debug", "info", "warning", "error"]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

TOKEN = "EVOKD_TOKEN"
"""Environment variable of the token that `serve` asks its clients for."""


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
            f"{found.answered / found.n:.0%} had one, {found.wrong / found.answered:.1%} of them wrong. "
            f"At most {abstain:.1%} of the labels are expected to be wrong where your texts are like those."
        )
        if predictor.confidence.source == "out of fold":
            yield (
                "Real texts are harder than those that a teacher wrote: up to four times as many of their labels were "
                "wrong where it was measured. A run with 100 rows in its dev file goes by those."
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
    typer.echo(f"Written to {to}. Figures: {to / 'parity.json'}. Its card: {to / 'README.md'}.")


def push(
    model: Annotated[str, typer.Argument(help="An exported student's folder; or a run, which is exported first.")],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Repository on the Hugging Face hub.")],
    private: Annotated[bool, typer.Option("--private", help="A new repository is private.")] = False,
    data: Annotated[bool, typer.Option("--data", help="Also push the texts that the teacher wrote.")] = False,
    allow: Allow = None,
    runs: Runs = Path("runs"),
) -> None:
    """Push a student and its card to the Hugging Face hub.

    The token is that of `hf auth login`, or HF_TOKEN in the environment. Texts of your own are never pushed.
    """
    from ..graph.sharing import push_student

    lines = push_student(
        model, repo, runs, lambda step: typer.echo(f"{step} ..."), private=private, data=data, allowed=allow or ()
    )
    for line in lines:
        typer.echo(line)


def serve(
    model: Annotated[str, typer.Argument(help="An exported student's folder; or a run, or a student's folder.")],
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 is all of this machine's.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 takes a free one.", min=0, max=65535)] = 8080,
    max_body: Annotated[int, typer.Option(help="Most bytes of a request.", min=1)] = 2_000_000,
    max_texts: Annotated[int, typer.Option(help="Most texts of a request.", min=1)] = 32,
    max_characters: Annotated[int, typer.Option(help="Most characters of a text.", min=1)] = 10_000,
    max_waiting: Annotated[int, typer.Option(help="Most texts that wait; more are refused (429).", min=1)] = 512,
    threads: Annotated[int, typer.Option(help="Threads of the model.", min=1)] = 1,
    log_level: Annotated[LogLevel, typer.Option(help="How much is logged; texts never are.")] = "info",
    allow: Allow = None,
    runs: Runs = Path("runs"),
) -> None:
    """Answer over HTTP as Text Embeddings Inference does.

    Where EVOKD_TOKEN is set in the environment, clients must send it: `Authorization: Bearer TOKEN`.
    """
    from ..tasks.errors import ConfigError

    try:
        from ..student.serving.http.app import make_app
        from ..student.serving.http.limits import Limits
        from ..student.serving.http.server import bind
        from ..student.serving.http.server import serve as answer
    except ImportError as error:
        raise ConfigError(f"serve needs a package that is missing: pip install 'evokd[serve]' ({error})") from None

    limits = Limits(body=max_body, texts=max_texts, characters=max_characters, waiting=max(max_waiting, max_texts))
    token = _token()
    with bind(host, port) as bound:  # first: what is in the way is told before a model is loaded
        app = make_app(_open_served(model, runs, allow or (), threads), limits, token)
        where = f"http://{host}:{bound.getsockname()[1]}"
        typer.echo(f"{model} is served at {where}/predict. How to ask: {where}/openapi.json. Ctrl-C ends it.")
        if token is None and host not in LOOPBACK:
            typer.echo(f"Whoever reaches {host} may ask: set {TOKEN} in the environment to ask for a token.", err=True)
        answer(app, bound, log_level)


def _token() -> str | None:
    """What clients must send, if anything.

    Raises:
        ConfigError: it is set to nothing, which would let everybody in.
    """
    from ..tasks.errors import ConfigError

    token = os.environ.get(TOKEN)
    if token is not None and not token.strip():
        raise ConfigError(f"{TOKEN} is set in the environment, and is empty. Give it a value, or unset it.")
    return token


def _open_served(model: str, runs: Path, allow: Sequence[str], threads: int) -> "Served":
    """A student ready to be served: an exported one with ONNX Runtime, others with torch.

    Raises:
        ConfigError: there is none, or the rest of EvoKD is not installed and it is needed.
    """
    from ..student.serving.http.reach import reach_in
    from ..student.serving.http.served import Served
    from ..student.serving.onnx import load_onnx
    from ..tasks.errors import ConfigError

    folder = Path(model)
    if (folder / "onnx").is_dir():
        return Served.warmed(folder.resolve().name, load_onnx(folder, threads=threads), reach_in(folder))
    try:
        from ..graph.prediction import open_student
        from ..graph.run import run_folder
    except ImportError as error:
        raise ConfigError(f"{model!r} is no exported student, and others need the whole of EvoKD ({error}).") from None
    student = open_student(model, runs, allow).student
    if "torch" in sys.modules:  # a student of the user's own may do without
        sys.modules["torch"].set_num_threads(threads)
    best = run_folder(model, runs).root / "best"
    return Served.warmed(folder.resolve().name, student, reach_in(best if best.exists() else folder))
