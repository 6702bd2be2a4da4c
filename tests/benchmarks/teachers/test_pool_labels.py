"""A strong teacher's labels of train rows: as many errors as asked for, where classes meet."""

import json
import random
from pathlib import Path

import pytest

from benchmarks.teachers.pool_labels import CONTESTED, read_pool_labels
from benchmarks.teachers.replay import Recording
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.ner import Ner
from evokd.testing import world

BETWEEN = [f"goal soup bread oven {n}" for n in range(5)]
"""Nearer to food than to sports, which is their label."""


def train_file(folder: Path) -> Path:
    rng = random.Random(1)
    rows = [(world.make_text(label, rng), label) for label in world.VOCABULARY for _ in range(45)]
    rows += [(text, "sports") for text in BETWEEN]
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps({"text": f" {text} ", "label": label}) + "\n" for text, label in rows))
    return path


def test_errors_are_as_many_as_asked_for_and_lie_where_classes_meet(tmp_path: Path) -> None:
    file = train_file(tmp_path)
    gold, few, most = (read_pool_labels(file, world.task(), noise, 0) for noise in (0.0, 0.06, CONTESTED))
    wrong, contested = ({text for text in gold if gold[text] != said[text]} for said in (few, most))
    assert (len(gold), len(wrong), len(contested)) == (185, 11, 37)
    assert wrong < contested and {most[text] for text in BETWEEN} == {"food"}
    assert few == read_pool_labels(file, world.task(), 0.06, 0) != read_pool_labels(file, world.task(), 0.06, 1)


def test_a_recording_labels_its_own_texts_and_those_of_the_pool(tmp_path: Path) -> None:
    (tmp_path / "A.jsonl").write_text(json.dumps({"text": "a new goal", "label": "sports"}) + "\n")
    (tmp_path / "A2.jsonl").write_text(json.dumps({"text": "a new loan", "label": "money"}) + "\n")
    pooled = Recording.read(tmp_path, world.task(), {"soup with bread": "food"})
    assert [pooled.label(text) for text in ("a new goal", "a new loan", "soup  with bread", "?")] == [
        "sports", "money", "food", "drop",
    ]  # fmt: skip
    assert Recording.read(tmp_path, world.task()).label("a new loan") == "drop", "older figures had one file"


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_what_is_not_known_of_errors_is_refused(noise: float, tmp_path: Path) -> None:
    file = train_file(tmp_path)
    task = Ner("d", {"PER": ""}) if noise < 0.2 else world.task()
    if noise < 0.2:
        file.write_text(json.dumps({"tokens": ["a", "b"], "tags": ["O", "O"]}) + "\n")
    with pytest.raises(ConfigError, match=f"noise = {noise}"):
        read_pool_labels(file, task, noise, 0)
