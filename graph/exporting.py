"""Taking a run's student out of the run: a folder that needs nothing of EvoKD."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ..memory.marker import export_marker
from ..memory.run_folder import RunFolder
from ..student.serving.confidence import UNKNOWN, note_temperature
from ..student.serving.parity import Parity, Trial
from ..tasks.base import Example
from ..tasks.errors import ConfigError
from ..tasks.files import write_text
from ..tasks.task import Task
from .cards import Sample, write_cards
from .prediction import Finished, open_trained
from .run import run_folder

if TYPE_CHECKING:
    from ..student.transformer import TransformerStudent

PARITY = "parity.json"


class PoolText(BaseModel):
    """A row of `data/pool.jsonl`."""

    text: str


def export_student(
    model: str, to: Path, runs: Path, show: Callable[[str], None], allowed: Sequence[str] = ()
) -> Parity:
    """Write a finished student for use without EvoKD, aside and then renamed: what is there is whole.

    Args:
        model: name or folder of a run (its best student), or a student's folder.
        to: a new or empty folder, or that of an earlier export, which is replaced.
        runs: the folder that names of runs are looked for in.
        show: called with what is being done.
        allowed: `module:Class` of parts that may be imported; of a run only its task is.

    Raises:
        ConfigError: there is no such run or student, it is one of the user's own, or the folder holds anything else.
        StepError: the network cannot be exported.
    """
    to = to.resolve()
    export_marker(to).check_free()
    finished = open_trained(model, runs, allowed)
    student = _ours(finished, model)
    from ..student.serving.export import write_student  # torch takes its time: not before all else is in order

    to.parent.mkdir(parents=True, exist_ok=True)
    aside, before = (to.with_name(f".{to.name}.evokd-{state}") for state in ("export", "replaced"))
    _tidy(to, aside, before)
    try:
        parity = write_student(student, aside, _trial(run_folder(model, runs), finished.task), show)
        if finished.confidence != UNKNOWN:
            finished.confidence.write(aside)
            note_temperature(aside, finished.confidence.temperature)
        write_text(aside / PARITY, parity.model_dump_json(indent=1) + "\n")
        write_cards(aside, to.name, parity, run_folder(model, runs) if finished.task else None)
        files = sorted(path.relative_to(aside).as_posix() for path in aside.rglob("*") if path.is_file())
        export_marker(aside).mark()
        export_marker(aside).note(files=files)
        export_marker(to).check_free()  # minutes have passed
        if to.exists():
            to.rename(before)
        aside.rename(to)
    finally:
        _tidy(to, aside, before)
    return parity


def _tidy(to: Path, aside: Path, before: Path) -> None:
    """Remove what was written aside, and put an earlier export back whose place nothing has taken."""
    if before.exists() and not to.exists():
        before.rename(to)
    for left in (aside, before):
        shutil.rmtree(left, ignore_errors=True)


def _ours(finished: Finished, model: str) -> "TransformerStudent":
    from ..student.transformer import TransformerStudent

    if isinstance(finished.student, TransformerStudent):
        return finished.student
    raise ConfigError(
        f"The student of {model!r} is one of your own: EvoKD cannot know how to write it as ONNX. Its folder, as its "
        "own `save` wrote it, is what you can take with you."
    )


def _trial(run: RunFolder, task: Task | None) -> Trial:
    """The real texts of a run, and their labels; none where the student comes without a run."""
    if task is None:
        return Trial.split([], {}, lambda gold, said: (0.0, 0.0))
    data = run.root / "data"
    examples = [each for name in ("seed", "dev") for each in run.read_rows(data / f"{name}.jsonl", Example)]
    examples += [each for each in run.read_rows(run.root / "samples.jsonl", Sample) if each.status == "kept"]
    pool = [each.text for each in run.read_rows(data / "pool.jsonl", PoolText)]
    gold = {each.text: each.label for each in reversed(examples)}  # the user's own label before the teacher's
    return Trial.split([*gold, *pool], gold, task.points)
