"""Starting in a folder: nothing that EvoKD did not write is deleted or overwritten there."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evokd.graph.config.run_config import RunConfig, validate
from evokd.graph.setup import first_files as starting
from evokd.graph.setup.create import ask_anew, create, read_config
from evokd.graph.setup.first_files import BEGUN, FIRST, alone
from evokd.memory.chroma import ChromaMemory
from evokd.memory.lock import owned
from evokd.memory.run_folder import RunFolder
from evokd.tasks.errors import ConfigError
from evokd.testing import HashEmbedder
from tests.parts import rows
from tests.snapshots import snapshot, touched

FULL = {"dev": "dev.jsonl", "test": "test.jsonl", "pool": "pool.jsonl", "guidelines": "guidelines.toml"}


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    lines = {"seeds": ["good", "bad"], "dev": ["fine"], "test": ["awful"], "pool": ["something new"]}
    for name, texts in lines.items():
        said = [{"text": text, "label": "no" if text in ("bad", "awful") else "yes"} for text in texts]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    (tmp_path / "guidelines.toml").write_text('[[guideline]]\npattern = "p"\ntext = "t"\nanswer = "yes"\n')
    return tmp_path


@pytest.fixture
def folder(inputs: Path) -> RunFolder:
    return RunFolder(inputs / "runs" / "mine")


def config(**data: str) -> RunConfig:
    task = {"description": "d", "labels": ["yes", "no"]}
    return validate({"name": "mine", "task": task, "data": {"seeds": "seeds.jsonl", **data}}, "test")


def make(folder: RunFolder, **data: str) -> None:
    create(config(**data), folder.root.parents[1], folder)


def refused(folder: RunFolder, said: str, **data: str) -> None:
    """No start, in one line, and all is as it was; locks of ours may be new."""
    before = snapshot(folder.root.parent)
    with pytest.raises(ConfigError, match=said) as error:
        make(folder, **data)
    assert "\n" not in str(error.value)
    assert {name: said for name, said in snapshot(folder.root.parent).items() if "memory" not in name} == {
        name: said for name, said in before.items() if "memory" not in name
    }


@pytest.mark.parametrize(
    "theirs",
    [
        ["data/seed.jsonl", "data/notes.jsonl", "guidelines.toml"],
        ["config.toml", "memory/diary.txt"],
        ["checkpoints.sqlite", "memory/in-use"],
        ["mine.toml"],
    ],
)
def test_a_folder_of_the_users_is_refused_and_left_as_it_is(theirs: list[str], folder: RunFolder) -> None:
    for name in theirs:
        (folder.root / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.root / name).write_text("theirs")
    before = snapshot(folder.root)
    refused(folder, "is not empty, and EvoKD did not make it")
    assert snapshot(folder.root) == before


def test_a_false_start_is_replaced_and_loses_only_what_was_written_there(folder: RunFolder) -> None:
    with touched() as first:
        make(folder, **FULL)
    ours = {path for path in first.made if path.is_relative_to(folder.root)}
    for name in ("checkpoints.sqlite", "checkpoints.sqlite-wal"):  # by SQLite
        (folder.root / name).write_bytes(b"old")
        ours.add(folder.root / name)
    theirs = {name: "theirs" for name in ("notes.md", "data/raw.jsonl", "data/train.csv", "cycles/mine.txt")}
    for name in theirs:
        (folder.root / name).parent.mkdir(exist_ok=True)
        (folder.root / name).write_text("theirs")
    with touched() as second:
        make(folder, dev="dev.jsonl")
    assert {name: (folder.root / name).read_text() for name in theirs} == theirs
    assert second.lost <= ours, "nothing is deleted or overwritten that was not written before"
    assert second.lost >= {folder.root / name for name in (*FIRST, "run.json", "checkpoints.sqlite")}
    left = {name for name in FIRST if (folder.root / name).exists()}
    assert left == {"data/seed.jsonl", "data/dev.jsonl", "data/pool.jsonl", "versions.json", "config.toml"}
    assert read_config(folder).data == config(dev="dev.jsonl").data
    assert not (folder.root / "checkpoints.sqlite-wal").exists()


def test_what_its_memory_held_is_set_aside_not_deleted(folder: RunFolder) -> None:
    make(folder)
    (folder.root / "memory" / "kept").mkdir()
    (folder.root / "memory" / "kept" / "diary.txt").write_text("theirs")
    make(folder)
    assert [path.name for path in (folder.root / "memory").iterdir()] in ([], ["in-use"])
    [kept] = folder.root.glob("memory-*/kept/diary.txt")
    assert kept.read_text() == "theirs"
    make(folder)
    assert len(list(folder.root.glob("memory-*"))) == 1, "an empty memory leaves nothing"


def test_a_memory_of_ours_that_a_false_start_left_is_deleted(folder: RunFolder) -> None:
    make(folder)
    ChromaMemory(folder.root / "memory", HashEmbedder()).close()
    make(folder)
    assert [path.name for path in folder.root.glob("memory*")] == ["memory"]
    assert [path.name for path in (folder.root / "memory").iterdir()] in ([], ["in-use"])


def test_of_two_starts_of_one_name_one_goes_on(folder: RunFolder) -> None:
    inputs = folder.root.parents[1]
    create(config(), inputs, folder, keep=True)
    refused(folder, "runs/mine is in use by another process. Wait for it or stop it")
    with alone(folder):
        refused(folder, "is in use by another process")
    make(folder)


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("how", ["edited", "put there", "linked"])
def test_a_file_that_is_not_as_it_was_written_is_not_replaced(how: str, name: str, folder: RunFolder) -> None:
    make(folder, **(FULL if how == "edited" else {}))
    path = folder.root / name
    if how == "edited":
        path.write_text(path.read_text() + "\n")
    elif how == "put there" and not path.exists():
        path.write_text("theirs")
    else:
        elsewhere = folder.root.parent / "elsewhere"
        elsewhere.write_bytes(path.read_bytes() if path.exists() else b"theirs")
        path.unlink(missing_ok=True)
        path.symlink_to(elsewhere)
    refused(folder, rf"{name} is not as EvoKD wrote it.*`evokd resume .*move the file away", **FULL)


@pytest.mark.parametrize("name", ["data", "memory"])
def test_a_folder_that_leads_elsewhere_is_not_written_through(name: str, folder: RunFolder) -> None:
    make(folder)
    elsewhere = folder.root.parent / "elsewhere"
    (folder.root / name).rename(elsewhere)
    (folder.root / name).symlink_to(elsewhere)
    before = snapshot(elsewhere)
    refused(folder, "is a link, and a new start would change what it leads to")
    assert snapshot(elsewhere) == before


def test_files_that_come_while_the_data_is_read_are_safe(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(*given: Any, **named: Any) -> list[str]:
        (folder.root / "data").mkdir(parents=True)
        (folder.root / "data" / "seed.jsonl").write_text("theirs")
        return []

    monkeypatch.setattr("evokd.graph.setup.create.read_texts", meanwhile)
    with pytest.raises(ConfigError, match="is not empty, and EvoKD did not make it"):
        make(folder, pool="pool.jsonl")
    assert snapshot(folder.root) == {"data": "/", "data/seed.jsonl": b"theirs"}


@pytest.mark.parametrize("name", BEGUN)
def test_what_has_begun_is_no_false_start(name: str, folder: RunFolder) -> None:
    make(folder)
    (folder.root / name).symlink_to("a disk that is not mounted")
    refused(folder, r"already holds a run\. `evokd resume .*` goes on with it; another --name starts anew")


def test_a_run_at_work_is_not_replaced(folder: RunFolder) -> None:
    make(folder)
    lock = owned(folder.root / "memory")
    refused(folder, "in use by another process")
    lock.release()
    make(folder)


@pytest.mark.parametrize("after", range(8))
@pytest.mark.parametrize("restarted", [False, True])
def test_a_start_that_was_cut_off_anywhere_is_made_again(
    restarted: bool, after: int, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut at every write of the start, the first or the second one: nothing of it is taken for data or in the way."""
    if restarted:
        make(folder, **FULL)
    with monkeypatch.context() as cut:
        for module in ("evokd.memory.marker", "evokd.graph.setup.first_files"):
            cut.setattr(f"{module}.write_text", cutting(after))
        with pytest.raises(KeyboardInterrupt):
            make(folder, **FULL)
    make(folder, dev="dev.jsonl")
    assert sorted(path.name for path in (folder.root / "data").iterdir()) == ["dev.jsonl", "pool.jsonl", "seed.jsonl"]
    assert len(rows(folder.root / "data" / "seed.jsonl")) == 2 and not (folder.root / "guidelines.toml").exists()


WRITES = {"left": 0}


def cutting(after: int) -> Callable[[Path, str], None]:
    write, WRITES["left"] = starting.write_text, after

    def written(path: Path, text: str) -> None:
        if WRITES["left"] == 0:
            raise KeyboardInterrupt
        WRITES["left"] -= 1
        write(path, text)

    return written


def test_a_config_that_a_resume_changed_is_still_ours(folder: RunFolder) -> None:
    make(folder)
    assert not ask_anew(folder).teacher.use_cache
    make(folder)
    assert read_config(folder).teacher.use_cache


def test_names_that_a_marker_makes_up_are_not_deleted(folder: RunFolder) -> None:
    make(folder)
    target = folder.root.parent / "target"
    target.write_text("theirs")
    marker = folder.root / "run.json"
    said = json.loads(marker.read_text())
    digest = starting._digest(b"theirs")
    marker.write_text(json.dumps({**said, "wrote": {**said["wrote"], "../target": digest, os.fspath(target): digest}}))
    make(folder)
    assert target.read_text() == "theirs"
