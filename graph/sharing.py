"""Pushing a student to the Hugging Face hub, and the texts that its teacher wrote."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..memory.marker import export_marker
from ..memory.run_folder import RunFolder
from ..student.serving.cards.data_card import NAME as DATA_CARD
from ..student.serving.cards.data_card import TEXTS
from ..student.serving.cards.model_card import NAME as MODEL_CARD
from ..student.serving.cards.model_card import UNLICENSED
from ..student.serving.hub import check_login, check_name, push_folder
from ..tasks.errors import ConfigError
from ..tasks.wording import harmless
from .cards import shared_rows
from .exporting import export_student
from .run import run_folder

Show = Callable[[str], None]

LICENSE = "LICENSE"
"""A file that an author may add to an exported folder; it is pushed too."""


def push_student(
    model: str, repo: str, runs: Path, show: Show, *, private: bool, data: bool, allowed: Sequence[str] = ()
) -> Iterator[str]:
    """Push an exported student, or the best one of a run, which is exported first; gives a line for each result.

    Args:
        model: an exported student's folder, or what `export_student` takes.
        repo: `OWNER/NAME`.
        runs: the folder that names of runs are looked for in.
        show: called with what is being done.
        private: whether new repositories are private.
        data: whether the texts that the teacher wrote are pushed too, as a data set of the same name.
        allowed: `module:Class` of parts that may be imported; of a run only its task is.

    Raises:
        ConfigError: there is no such student, EvoKD did not export the folder, or the hub refuses.
        StepError: the network cannot be exported, or the hub cannot be reached.
    """
    check_name(repo)
    is_exported = (Path(model) / "export.json").exists()
    run = run_folder(model, runs)
    if data and (is_exported or run.best is None):
        raise ConfigError(f"--data needs the run, which has the texts: {model!r} is none. Name the run.")
    check_login()
    if is_exported:
        yield from _push_model(Path(model), repo, private, show)
        return
    with tempfile.TemporaryDirectory(prefix="evokd-push-") as scratch:
        folder = Path(scratch) / repo.rpartition("/")[2]
        export_student(model, folder, runs, show, allowed)
        yield from _push_model(folder, repo, private, show)
        if data:
            yield _push_texts(run, folder, repo, private, show)


def _push_model(folder: Path, repo: str, private: bool, show: Show) -> Iterator[str]:
    files = export_marker(folder).read().get("files")
    if not isinstance(files, list) or not all(isinstance(each, str) for each in files):
        raise ConfigError(f"{folder / 'export.json'} does not list what was exported. Export the student again.")
    known = {*files, LICENSE}
    own = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())  # a link may lead out
    there = {path.relative_to(folder).as_posix() for path in own}
    if lost := sorted(set(files) - there):
        raise ConfigError(f"{folder} lacks {', '.join(lost)}, which the export wrote. Export the student again.")
    if left := sorted(there - known - {"export.json"}):
        yield harmless(f"Left here, as no export wrote it: {', '.join(left)}.")
    if f"\nlicense: {UNLICENSED}\n" in (folder / MODEL_CARD).read_text(encoding="utf-8", errors="replace"):
        yield f"The card names no licence yet: set `license` in {MODEL_CARD}, here or on the hub."
    show(f"pushing {len(there & known)} files to {repo}")
    yield f"There: {push_folder(folder, repo, kind='model', private=private, only=sorted(there & known))}"


def _push_texts(run: RunFolder, exported: Path, repo: str, private: bool, show: Show) -> str:
    folder = exported.with_name(f"{exported.name}-texts")
    folder.mkdir()
    rows = list(shared_rows(run))
    run.write_rows(folder / TEXTS, rows)
    (folder / MODEL_CARD).write_bytes((exported / DATA_CARD).read_bytes())
    show(f"pushing {len(rows)} texts that the teacher wrote to the data set {repo}; your own stay here")
    return f"There: {push_folder(folder, repo, kind='dataset', private=private, only=[TEXTS, MODEL_CARD])}"
