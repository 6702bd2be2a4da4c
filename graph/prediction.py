"""Labelling texts with a finished student."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from pydantic import JsonValue

from ..memory.run_folder import RunFolder
from ..student.base import Answering, Student, Students
from ..student.serving.confidence import NAME as CONFIDENCE
from ..student.serving.confidence import UNKNOWN, Confidence, read_confidence
from ..student.serving.onnx import FULL, load_onnx
from ..student.serving.predictor import Predictor
from ..tasks.data.reading import read_texts
from ..tasks.data.rows import FORMATS
from ..tasks.errors import ConfigError, EvoKDError
from ..tasks.task import Task
from .config.parts import allow, require
from .config.run_config import complete_parts
from .restoring import check_made
from .run import run_folder, there
from .setup.create import check_unchanged, settings_of
from .setup.own_students import NAME, read_description
from .setup.services import make_students, make_task, students_of

Row = dict[str, JsonValue]
"""A text and what is said of it."""

AT_ONCE = 1 << 16
"""Most bytes of lines that are answered together."""

ROWS_AT_ONCE = 512
"""Rows of a data file that are answered together: answers come as the work goes on."""


@dataclass(frozen=True)
class Finished:
    """A student that labels texts, what is known of its confidence, and where its task has texts in a data file."""

    student: Answering
    task: Task | None = None
    column: str | None = None
    confidence: Confidence = UNKNOWN

    @cached_property
    def predictor(self) -> Predictor:
        """The student alone, for texts that come from no file."""
        return Predictor(self.student, self.confidence)

    def lines(self, stream: BinaryIO, source: str, **asked: float | None) -> Iterator[list[Row]]:
        """Answers to lines, as the command line prints them, as soon as the lines are there; blank ones are skipped.

        Args:
            stream: of a file or a pipe.
            source: what it is called.
            asked: `abstain` and `sets`, as `Predictor.predict` has them.

        Raises:
            ConfigError: a line is not UTF-8, or what is asked cannot be had.
        """
        number, rest = 0, b""
        while data := os.read(stream.fileno(), AT_ONCE):  # no more than is there: somebody may wait for the answer
            *lines, rest = (rest + data).split(b"\n")
            yield self._said(_decoded(lines, number, source), asked)
            number += len(lines)
        yield self._said(_decoded([rest], number, source), asked)

    def file(self, path: Path, **asked: float | None) -> Iterator[list[Row]]:
        """The same for a file: of JSON lines, CSV and other data files the text of every row, of others every line.

        Raises:
            ConfigError: rows without a text, a file that cannot be read, or what is asked cannot be had.
        """
        if path.suffix.lower() not in FORMATS:
            with path.open("rb") as stream:
                yield from self.lines(stream, str(path), **asked)
            return
        texts = read_texts(str(path), self.task, text=self.column, base=Path(), each_once=False)
        for start in range(0, len(texts), ROWS_AT_ONCE):
            yield self._said(texts[start : start + ROWS_AT_ONCE], asked)

    def _said(self, texts: Sequence[str], asked: Mapping[str, float | None]) -> list[Row]:
        said = self.predictor.stream(texts, abstain=asked.get("abstain"), sets=asked.get("sets"))
        return [{"text": text, **prediction.row(text)} for text, prediction in zip(texts, said, strict=True)]


def open_student(model: str, runs: Path, allowed: Sequence[str] = ()) -> Finished:
    """The student that a run's name, a run's folder (its champion) or a student's folder means.

    Args:
        model: one of these.
        runs: the folder that names of runs are looked for in.
        allowed: `module:Class` of parts that may be imported; of a run only its task and student are.

    Raises:
        ConfigError: none of them is there, or it has a task or a student that the user has not allowed.
    """
    if (Path(model) / FULL).exists():
        return Finished(load_onnx(Path(model)), confidence=read_confidence(Path(model)))
    return open_trained(model, runs, allowed)


def open_trained(model: str, runs: Path, allowed: Sequence[str] = ()) -> Finished:
    """The same student as it was trained, also where it has been exported.

    Raises:
        ConfigError: as `open_student` does.
    """
    allow(allowed)
    run = run_folder(model, runs)
    if run.best is not None:
        return _of_run(run, run.best)
    if (run.root / "students").is_dir():
        raise ConfigError(
            f"{run.root / 'best'} is missing or leads nowhere, and says which student is the best. `evokd resume "
            f"{run.root}` writes it again; or name the folder of a student under {run.root / 'students'}."
        )
    if (Path(model) / "model.safetensors").exists():
        from ..student.transformer import load_student  # torch takes its time: not for a student of one's own

        return Finished(load_student(Path(model)), confidence=read_confidence(Path(model)))
    if (Path(model) / NAME).exists():
        return _of_its_own(Path(model))
    raise ConfigError(
        f"{model!r} is neither a run with a champion nor a student's folder with a model.safetensors or, of a student "
        f"of your own, a {NAME}. {there(runs)}"
    )


def _of_run(run: RunFolder, best: Path) -> Finished:
    config = settings_of(run)
    check_unchanged(config, run)
    require((kind for kind in (config.task.kind, config.student.kind) if ":" in kind), f"{run.root}/config.toml")
    config = complete_parts(config, ("task", "student"), is_whole=True)
    task = make_task(config.task)
    check_made(run, f"students/{best.name}/{CONFIDENCE}")
    return Finished(_loaded(make_students(config, task), best), task, config.data.text, read_confidence(best))


def _of_its_own(folder: Path) -> Finished:
    settings, labels, head = read_description(folder)
    require([settings.kind] if ":" in settings.kind else [], str(folder / NAME))
    student = _loaded(students_of(settings, labels, head), folder)
    return Finished(student, confidence=read_confidence(folder))


def _loaded(students: Students, folder: Path) -> Student:
    try:
        return students.load(folder)
    except EvoKDError:
        raise
    except Exception as error:  # what a student of the user's own raises over a damaged file is its own affair
        raise ConfigError(
            f"The student in {folder} cannot be read ({type(error).__name__}: {str(error)[:200]}). Put its files back "
            "from a copy; if it is a run's last student, remove its folder and `evokd resume` makes it again."
        ) from error


def _decoded(lines: Sequence[bytes], before: int, source: str) -> list[str]:
    """The texts of lines that follow on a number of others."""
    texts = []
    for number, line in enumerate(lines, start=before + 1):
        try:
            texts.append(line.decode("utf-8").lstrip("\ufeff").strip())
        except UnicodeDecodeError as error:
            raise ConfigError(f"{source}, line {number}: not UTF-8 ({error.reason} at byte {error.start}).") from None
    return [text for text in texts if text]
