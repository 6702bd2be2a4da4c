"""Is the gate right: which texts make a batch, and what is told of it."""

import json
from pathlib import Path

import numpy as np

from benchmarks.gates import batches, told
from benchmarks.scoring import Scores


def test_a_batch_is_what_its_cycle_wrote_anew(tmp_path: Path) -> None:
    rows = [("old one", 1), ("new", 2), ("Old  One", 2), ("newer", 3), ("newest", 3)]
    path = tmp_path / "B.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": "food", "cycle": n}) + "\n" for text, n in rows))
    found = batches(path, {"oldone"})
    texts = {cycle: [each.text for each in batch] for cycle, batch in found.items()}
    assert texts == {2: ["new"], 3: ["newer", "newest"]}


def test_differences_are_told_with_their_signs() -> None:
    old = Scores(np.array([1.0, 0, 0, 1]), np.array([0.1, 0.9, 0.8, 0.2]), np.array([0.2, 0.8, 0.7, 0.3]))
    new = Scores(np.array([1.0, 1, 0, 1]), np.array([0.2, 0.3, 0.8, 0.2]), np.array([0.2, 0.5, 0.6, 0.3]))
    assert told(new, old).startswith("points +25.0; loss, calibrated loss -0.125 [")
