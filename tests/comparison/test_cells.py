"""The folders of a comparison: made once, whole, and held to the settings they were made with."""

import random
import re
from pathlib import Path
from typing import Any

import pytest

from evokd.comparison.cells import draw, folder_of, is_finished, prepare
from evokd.comparison.spec import ComparisonSpec, read_spec
from evokd.graph.setup.create import read_config
from evokd.graph.setup.first_files import write_first
from evokd.memory.marker import comparison_marker, run_marker
from evokd.tasks.base import Example
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.multilabel import MultiLabel
from tests.comparison.comparisons import end, read, spec
from tests.parts import rows
from tests.snapshots import snapshot

TASK = Classification("d", {"a": "", "b": ""})
ROWS = [Example(text=f"{label} {number}", label=label, split="seed") for label in "ab" for number in range(6)]


def drawn(shots: Any, seed: int = 0) -> list[str]:
    return [example.text for example in draw(ROWS, TASK, shots, seed)]


def test_as_many_rows_of_every_label_are_drawn_by_the_seed() -> None:
    found = drawn(3)
    assert sorted(text[0] for text in found) == ["a"] * 3 + ["b"] * 3
    assert found == drawn(3) and found != drawn(3, seed=1)
    assert set(drawn(2)) < set(found), "fewer shots are among more"
    assert drawn("all") == [example.text for example in ROWS]


def test_a_row_of_several_labels_counts_for_each() -> None:
    task = MultiLabel("d", {"a": "", "b": ""})
    both = Example(text="both", label=("a", "b"), split="seed")
    assert draw([both], task, 1, 0) == [both]
    with pytest.raises(ConfigError, match="has only 1 rows of the label 'a'"):
        draw([both, Example(text="none", label=(), split="seed")], task, 2, 0)


def test_too_few_rows_are_told() -> None:
    said = "shots = 7: the seeds file has only 6 rows of the label 'a'. Add rows, name a larger file as `seeds` of the"
    with pytest.raises(ConfigError, match=re.escape(said)):
        drawn(7)


def many(folder: Path, **raw: Any) -> ComparisonSpec:
    """A plan whose task has six rows a label to draw from."""
    found = spec(folder, shots=[2], **raw)
    lines = (folder / "task" / "seeds.jsonl").read_text().splitlines()
    more = [line.replace('"text": "', f'"text": "{word} ') for line in lines for word in ("red", "green", "blue")]
    random.Random(0).shuffle(more)
    (folder / "task" / "seeds.jsonl").write_text("\n".join(more) + "\n")
    return found


def test_every_cell_is_a_run_folder_with_the_shots_of_its_seed(tmp_path: Path) -> None:
    found = many(tmp_path)
    root = tmp_path / "out"
    prepare(found, root)
    seeds = {cell.name: rows(folder_of(cell, root).root / "data" / "seed.jsonl") for cell in found.cells}
    assert all(len(each) == 8 for each in seeds.values())
    assert seeds["small.static.k2.s0"] == seeds["small.gated.k2.s0"] != seeds["small.static.k2.s1"]
    assert all(read_config(folder_of(cell, root)) == cell.config for cell in found.cells)
    listed = read(root / "comparison.json")
    assert (listed["name"], listed["baseline"]) == ("mine", "static")
    assert listed["cells"][1] == {
        "name": "small.gated.k2.s0",
        "task": "small",
        "variant": "gated",
        "shots": "2",
        "seed": 0,
    }


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    found = spec(tmp_path)
    prepare(found, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "cells").rglob("*")}
    prepare(found, tmp_path / "out")
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "cells").rglob("*")}


def test_one_that_was_killed_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    found = spec(tmp_path)
    folder = folder_of(found.cells[0], tmp_path / "out")
    comparison_marker(tmp_path / "out").claim()
    run_marker(folder.root).claim()
    write_first(folder, {"data/seed.jsonl": "", "guidelines.toml": ""})
    prepare(found, tmp_path / "out")
    assert len(rows(folder.root / "data" / "seed.jsonl")) == 4 and not (folder.root / "guidelines.toml").exists()


@pytest.mark.parametrize("name", ["config.toml", "notes.txt"])
def test_a_folder_that_is_called_like_a_cell_and_is_not_ours_is_refused(name: str, tmp_path: Path) -> None:
    found, root = spec(tmp_path), tmp_path / "out"
    comparison_marker(root).claim()
    theirs = folder_of(found.cells[1], root).root / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    with pytest.raises(ConfigError, match=r"small\.gated\.kall\.s0 .*(EvoKD did not make|was not made by)"):
        prepare(found, root)
    assert snapshot(theirs.parent) == {name: b"theirs"}


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    root = tmp_path / "out"
    prepare(spec(tmp_path, set={"stop.cycles": 3}), root)
    said = (
        f"{root / 'cells' / 'small.static.kall.s0'} was made with other settings: stop.cycles was 3, is now 4. "
        f"Give the comparison another name, or make the cell anew with: rm -r "
    )
    with pytest.raises(ConfigError, match=re.escape(said)):
        prepare(spec(tmp_path, set={"stop.cycles": 4}), root)
    prepare(spec(tmp_path, set={"stop.cycles": 3}, random_seeds=[0, 1, 2], budget={"max_tokens": 5}), root)
    assert len(list((root / "cells").iterdir())) == 6, "more seeds and another budget of the whole are fine"


@pytest.mark.parametrize("name", ["seeds", "test"])
def test_other_data_is_refused_and_named(name: str, tmp_path: Path) -> None:
    root = tmp_path / "out"
    prepare(spec(tmp_path), root)
    path = tmp_path / "task" / f"{name}.jsonl"
    path.write_text(path.read_text() + '{"text": "soup and wine", "label": "food"}\n')
    with pytest.raises(
        ConfigError, match=rf"was made with other data: its {name.rstrip('s')} rows are no longer those"
    ):
        prepare(read_spec(tmp_path / "mine.toml"), root)


def test_bad_data_is_told_with_its_task(tmp_path: Path) -> None:
    found = spec(tmp_path)
    (tmp_path / "task" / "dev.jsonl").write_text("{}\n")
    with pytest.raises(ConfigError, match=r"^task small: dev\.jsonl: line 1"):
        prepare(found, tmp_path / "out")


def test_gold_is_checked_and_copied_to_where_no_run_looks(tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_text('{"text": "the bank", "label": "money"}\n')
    found = spec(tmp_path, tasks={"small": {"config": "task/small.toml", "gold": "gold.jsonl"}})
    prepare(found, tmp_path / "out")
    [row] = rows(tmp_path / "out" / "gold" / "small.jsonl")
    assert (row["label"], row["id"]) == ("money", Example(text="the bank", label="").id)
    inside = [path for path in (tmp_path / "out" / "cells").rglob("*") if path.is_file()]
    assert inside and not any('the bank"' in path.read_text() for path in inside)
    (tmp_path / "gold.jsonl").write_text('{"text": "the bank", "label": "cash"}\n')
    with pytest.raises(ConfigError, match="'label' is 'cash'"):
        prepare(found, tmp_path / "out")


@pytest.mark.parametrize(("how", "finished"), [("finished", True), ("budget", False), ("failed", False), ("", False)])
def test_only_a_cell_that_ended_by_itself_with_a_result_is_finished(how: str, finished: bool, tmp_path: Path) -> None:
    found = spec(tmp_path)
    folder = folder_of(found.cells[0], tmp_path / "out")
    if how:
        end(folder.root, how)
    assert is_finished(folder) is finished
    (folder.root / "result.json").unlink(missing_ok=True)
    assert not is_finished(folder)
