"""Labelling texts with a finished student."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from graph.run import run_folder, there
from graph.services import make_students, make_task, read_config
from student.base import Student
from tasks.errors import ConfigError

CHUNK = 256


def open_student(model: str, runs: Path) -> Student:
    """The student that a run's name, a run's folder (its champion) or a student's folder means.

    Raises:
        ConfigError: none of them is there.
    """
    run = run_folder(model, runs)
    if (run.root / "best").exists():
        config = read_config(run)
        return make_students(config, make_task(config.task)).load(run.root / "best")
    if (Path(model) / "model.safetensors").exists():
        from student.transformer import load_student  # torch takes its time: not for a student of one's own

        return load_student(Path(model))
    raise ConfigError(
        f"{model!r} is neither a run with a champion nor a student's folder with a model.safetensors. {there(runs)}"
    )


def predict_lines(student: Student, lines: Iterable[bytes], source: str) -> Iterator[str]:
    """One JSON object per text: the text and what the student says of it. Blank lines are skipped.

    Raises:
        ConfigError: a line is not UTF-8.
    """
    texts = _decoded(lines, source)
    while chunk := list(islice(texts, CHUNK)):
        for text, prediction in zip(chunk, student.predict(chunk), strict=True):
            yield json.dumps({"text": text, **prediction.row(text)}, ensure_ascii=False)


def _decoded(lines: Iterable[bytes], source: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8").lstrip("\ufeff").strip()
        except UnicodeDecodeError as error:
            raise ConfigError(f"{source}, line {number}: not UTF-8 ({error.reason} at byte {error.start}).") from None
        if text:
            yield text
