"""The export: every text once, with its fate, and the user's dev set stays out."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from evokd.agents.base import Services
from evokd.agents.evaluator.export import export_map, export_samples, flattened
from evokd.tasks.base import Example
from evokd.testing import world
from tests.agents.acting import ODD, train


def rows(there: Services) -> list[dict[str, Any]]:
    export_samples(there)
    first = (there.folder.root / "samples.jsonl").read_text(encoding="utf-8")
    export_samples(there)
    assert (there.folder.root / "samples.jsonl").read_text(encoding="utf-8") == first
    return [json.loads(line) for line in first.split("\n") if line]


def test_every_text_has_its_status_and_reason(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    train(there, [("kept one", "food")], "kept", lesson="2-x")
    train(there, [("candidate one", "food")], "candidate")
    there.memory.mark(train(there, [("shelved one", "food")], "candidate"), "shelved", "it did harm")
    bad = Example(text="bad one", label="food")
    there.memory.remember([bad], status="quarantined", reason="not confident")
    there.memory.remember([Example(text="gate one", label="food", split="gate")])
    found = {row["text"]: (row["split"], row["status"], row["reason"]) for row in rows(there)}
    assert found == {
        **{text: ("seed", "kept", "") for text in world.SEEDS.values()},
        "kept one": ("train", "kept", ""),
        "candidate one": ("train", "candidate", ""),
        "shelved one": ("train", "shelved", "it did harm"),
        "bad one": ("train", "quarantined", "not confident"),
        "gate one": ("gate", "kept", ""),
    }
    assert len(rows(there)) == len(found)
    [kept] = [row for row in rows(there) if row["text"] == "kept one"]
    assert kept["origin"]["lesson"] == "2-x" and kept["label"] == "food"


def test_odd_texts_can_be_read_back(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    train(there, [(text, "food") for text in ODD.values()])
    assert {row["text"] for row in rows(there) if row["split"] == "train"} == set(ODD.values())


def test_the_map_has_a_place_for_every_text_and_none_of_their_words(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    train(there, [("kept one", "food"), ("kept two", "food")])
    there.memory.remember([Example(text="gate one", label="food", split="gate")])
    export_map(there)
    first = (there.folder.root / "map.jsonl").read_text(encoding="utf-8")
    export_map(there)
    assert (there.folder.root / "map.jsonl").read_text(encoding="utf-8") == first, "a step that runs twice"
    placed = [json.loads(line) for line in first.splitlines()]
    assert len(placed) == 4 + 40 + 3 and "kept" not in first
    assert {"id", "x", "y"} == set(placed[0])
    spread = [np.ptp([row[axis] for row in placed]) for axis in "xy"]
    assert spread[0] > 0 and spread[1] > 0


def test_near_texts_lie_near_each_other() -> None:
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(2, 16))
    vectors = np.concatenate([middle + 0.01 * rng.normal(size=(20, 16)) for middle in middles]).astype(np.float32)
    places = flattened(vectors)
    assert places.shape == (40, 2)
    assert abs(places[:20, 0].mean() - places[20:, 0].mean()) > 20 * places[:20, 0].std()
    assert np.array_equal(places, flattened(vectors)) and flattened(vectors[:1]).tolist() == [[0.0, 0.0]]
