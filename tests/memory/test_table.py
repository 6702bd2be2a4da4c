"""A memory that was sent: Chroma would build the embedding function that a collection brings."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evokd.memory.base import MemorySettings
from evokd.memory.chroma import ChromaMemory
from evokd.tasks.base import Example
from evokd.tasks.errors import ConfigError
from evokd.testing import HashEmbedder

SEED = Example(text="a b", label="x", split="seed")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A memory with one text."""
    with closing(opened(tmp_path / "memory")) as memory:
        memory.remember(examples=[SEED])
    yield tmp_path / "memory"


def opened(folder: Path) -> ChromaMemory:
    return ChromaMemory(folder, HashEmbedder(), MemorySettings())


def function(folder: Path) -> dict[str, Any]:
    """An embedding function whose model is a folder with code, which sentence-transformers would import."""
    model = folder / "model"
    model.mkdir()
    (model / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sent.Sent"}]))
    (model / "config_sentence_transformers.json").write_text("{}")
    (model / "sent.py").write_text(
        f"import pathlib\npathlib.Path({str(folder / 'mark')!r}).touch()\nclass Sent: pass\n"
    )
    config = {"model_name": str(model), "device": "cpu", "normalize_embeddings": False,
              "kwargs": {"trust_remote_code": True}}  # fmt: skip
    return {"type": "known", "name": "sentence_transformer", "config": config}


@pytest.mark.parametrize("place", ["schema", "configuration"])
def test_a_collection_that_brings_a_function_is_refused_before_it_is_built(place: str, folder: Path) -> None:
    said = json.dumps(function(folder))
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as db, db:
        if place == "schema":
            [schema] = db.execute("select schema_str from collections where name = 'samples'").fetchone()
            assert '{"type":"legacy"}' in schema
            changed = ("schema_str", schema.replace('{"type":"legacy"}', said))
        else:
            changed = ("config_json_str", json.dumps({"embedding_function": json.loads(said)}))
        db.execute(f"update collections set {changed[0]} = ?", changed[1:])
        if place == "configuration":
            db.execute("update collections set schema_str = null")
    with pytest.raises(ConfigError, match=r"collection '\w+' brings the embedding function 'sentence_transformer'"):
        opened(folder)
    assert not (folder / "mark").exists()


def test_our_own_collections_bring_none(folder: Path) -> None:
    with closing(opened(folder)) as memory:
        memory.remember(examples=[SEED])
        assert [each.text for each in memory.samples("seed")] == ["a b"]
