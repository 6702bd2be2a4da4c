"""Rows are computed in batches of about one length, and nothing around a network needs torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np

import evokd
from evokd.student.codecs.base import Rows, compute


def test_rows_are_computed_from_the_shortest_and_given_back_in_order() -> None:
    asked: list[list[int]] = []

    def forward(ids: list[list[int]]) -> np.ndarray:
        asked.append([len(each) for each in ids])
        return np.array([[each[0]] for each in ids])

    found = compute(Rows([[1] * 9, [2], [3] * 4, [4] * 2, [5]]), forward, size=2)
    assert asked == [[1, 1], [2, 4], [9]]
    assert [int(each[0]) for each in found] == [1, 2, 3, 4, 5]
    assert compute(Rows([]), forward) == []


def test_neither_torch_nor_transformers_nor_scipy_is_imported() -> None:
    asked = (
        "import sys; import evokd.student.codecs.by_name; "
        "print(sorted({'torch', 'transformers', 'scipy', 'sklearn', 'langsmith'} & set(sys.modules)))"
    )
    path = str(Path(evokd.__path__[0]).parent)
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert done.stdout.strip() == "[]"
