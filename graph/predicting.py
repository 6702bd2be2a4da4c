"""Labelling texts with a finished student."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from graph.run import run_folder
from student.transformer import load_student
from tasks.errors import ConfigError

CHUNK = 256


def student_folder(model: str, runs: Path) -> Path:
    """The folder of the student that a run's name, a run's folder or a student's folder means.

    Raises:
        ConfigError: none of them is there.
    """
    for folder in (run_folder(model, runs).root / "best", Path(model)):
        if (folder / "model.safetensors").exists():
            return folder
    raise ConfigError(
        f"{model!r} is neither a run under {runs}/ with a champion nor a student's folder with a model.safetensors."
    )


def predict_lines(folder: Path, lines: Iterable[bytes], source: str) -> Iterator[str]:
    """One JSON object per text: `text`, `label`, `probability`, `probabilities`. Blank lines are skipped.

    Raises:
        ConfigError: a line is not UTF-8.
    """
    student = load_student(folder)
    texts = _decoded(lines, source)
    while chunk := list(islice(texts, CHUNK)):
        for text, prediction in zip(chunk, student.predict(chunk), strict=True):
            rounded = {label: round(p, 4) for label, p in prediction.probabilities.items()}
            yield json.dumps(
                {
                    "text": text,
                    "label": prediction.label,
                    "probability": round(prediction.probability, 4),
                    "probabilities": rounded,
                },
                ensure_ascii=False,
            )


def _decoded(lines: Iterable[bytes], source: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise ConfigError(f"{source}, line {number}: not UTF-8 ({error.reason} at byte {error.start}).") from None
        if text:
            yield text
