"""What a memory of ours left is deleted, and nothing else."""

import sqlite3
from pathlib import Path

import pytest

from evokd.memory.chroma import TABLES, ChromaMemory
from evokd.memory.leftovers import remove_leftovers
from evokd.tasks.base import Example
from evokd.testing import HashEmbedder


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    opened = ChromaMemory(tmp_path / "memory", HashEmbedder())
    opened.remember([Example(text="a goal", label="sports", split="seed")])
    opened.remember([Example(text="a match", label="sports", split="test")])
    opened.close()
    return tmp_path / "memory"


def test_all_that_it_wrote_is_gone(memory: Path) -> None:
    (memory / ".test-ids.77").write_text("torn")
    assert {path.name for path in memory.iterdir()} >= {"chroma.sqlite3", "test-ids"}
    remove_leftovers(memory, TABLES)
    assert [path.name for path in memory.iterdir()] == ["in-use"]


def test_what_it_did_not_write_stays(memory: Path) -> None:
    [index] = [path for path in memory.iterdir() if path.is_dir()][:1]
    theirs = [memory / "diary.txt", memory / "kept" / "header.bin", index / "mine.txt"]
    for path in theirs:
        path.parent.mkdir(exist_ok=True)
        path.write_text("theirs")
    remove_leftovers(memory, TABLES)
    assert all(path.read_text() == "theirs" for path in theirs) and not (memory / "chroma.sqlite3").exists()


def _of_another_program(base: Path) -> None:
    with sqlite3.connect(base) as connection:
        connection.execute("update collections set name = 'recipes' where name = 'samples'")
    connection.close()


@pytest.mark.parametrize(
    "change",
    [
        _of_another_program,
        lambda base: base.write_bytes(b"no database"),
        lambda base: base.rename(base.with_name("other")),
        lambda base: (base.rename(base.parent.with_name("theirs")), base.symlink_to(base.parent.with_name("theirs"))),
    ],
)
def test_a_database_that_is_not_ours_is_left_with_all_beside_it(memory: Path, change: object) -> None:
    change(memory / "chroma.sqlite3")  # type: ignore[operator]
    before = sorted(path.name for path in memory.rglob("*"))
    remove_leftovers(memory, TABLES)
    assert sorted(path.name for path in memory.rglob("*")) == before
