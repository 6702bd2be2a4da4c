"""The marker of a folder: written where nothing else lies, and known again."""

import json
import re
from pathlib import Path

import pytest

from evokd.memory.marker import Marker, comparison_marker, run_marker
from evokd.tasks.errors import ConfigError
from tests.snapshots import snapshot


def refused(marker: Marker, said: str) -> None:
    """It cannot be claimed, in one line, and nothing changes."""
    root = marker.path.parent
    before = snapshot(root.parent)
    for _ in range(2):
        with pytest.raises(ConfigError, match=said) as error:
            marker.claim()
        assert "\n" not in str(error.value) and str(root) in str(error.value)
    assert snapshot(root.parent) == before


@pytest.mark.parametrize("is_there", [True, False])
def test_a_new_or_empty_folder_is_marked_once(is_there: bool, tmp_path: Path) -> None:
    root = tmp_path / "deep" / "a"
    if is_there:
        root.mkdir(parents=True)
    run_marker(root).claim()
    said = json.loads((root / "run.json").read_text())
    assert said["schema"] == 1 and re.fullmatch("[0-9a-f]{32}", said["id"])
    (root / "more").touch()
    run_marker(root).claim()
    assert run_marker(root).read() == said
    run_marker(root).note(name="x")
    assert run_marker(root).read() == {**said, "name": "x"}


@pytest.mark.parametrize("name", ["a.txt", ".hidden", "config.toml", "comparison.json", "data/"])
def test_a_folder_with_anything_in_it_is_somebody_elses(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a" / name
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if name.endswith("/") else path.write_text("mine")
    refused(run_marker(tmp_path / "a"), r"is not empty, and EvoKD did not make it \(no run\.json\).*another --name")


def test_a_kill_while_the_marker_is_written_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / ".run.json.4711").write_text('{"sch')
    run_marker(tmp_path).claim()
    assert run_marker(tmp_path).read()["schema"] == 1


def test_a_run_is_no_comparison(tmp_path: Path) -> None:
    run_marker(tmp_path / "a").claim()
    refused(comparison_marker(tmp_path / "a"), r"EvoKD did not make it \(no comparison\.json\)")


def test_a_file_or_a_link_to_nowhere_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        refused(run_marker(tmp_path / name), "is not a folder")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it cannot be read"),
        ("{", "it cannot be read"),
        ("[" * 100_000, "it cannot be read"),
        ("[1]", "it has no id"),
        ('{"schema": 1}', "it has no id"),
        ('{"id": "a", "schema": 2, "name": "later"}', "its schema is 2"),
        ('{"id": "a"}', "its schema is None"),
        ("\udcff", "it cannot be read"),
    ],
)
def test_a_marker_that_is_not_known_is_refused(content: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    refused(run_marker(tmp_path / "a"), f"not a marker that this version of EvoKD knows.*{why}")


def test_one_that_is_a_folder_or_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "run.json").mkdir(parents=True)
    refused(run_marker(tmp_path / "a"), "it cannot be read")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "run.json").symlink_to("nowhere")
    refused(run_marker(tmp_path / "b"), "was not made by `evokd run`")
