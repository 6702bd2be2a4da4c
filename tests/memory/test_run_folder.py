"""The run folder: rows that come back as they were, and writes that leave the old file or the new one."""

from pathlib import Path

import pytest

from evokd.agents.base import Draft
from evokd.agents.prompting import chunks
from evokd.memory.run_folder import RunFolder
from evokd.tasks.files import write_text
from evokd.testing import world
from tests.agents.acting import ODD


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_rows_come_back_as_they_were(folder: RunFolder) -> None:
    separators = ["a\u2028b", "a\u2029b", "a\x85b", "a\x0bb", "a\x0cb", "a\x1cb", "a\nb", "a\r\nb", "\ufeffa", "\x00"]
    drafts = [Draft(text=text, source="pool") for text in (*ODD.values(), *separators)]
    path = folder.cycle(3) / "drafts.jsonl"
    folder.write_rows(path, drafts)
    assert folder.read_rows(path, Draft) == drafts
    assert path.read_text(encoding="utf-8").count("\n") == len(drafts)


def test_no_rows_and_no_file(folder: RunFolder) -> None:
    folder.write_rows(folder.root / "a.jsonl", [])
    assert folder.read_rows(folder.root / "a.jsonl", Draft) == folder.read_rows(folder.root / "b.jsonl", Draft) == []


def test_dicts_are_rows_too(folder: RunFolder) -> None:
    folder.write_rows(folder.root / "a.jsonl", [{"text": "体育", "source": "pool"}])
    assert "体育" in (folder.root / "a.jsonl").read_text(encoding="utf-8")
    assert folder.read_rows(folder.root / "a.jsonl", Draft) == [Draft(text="体育", source="pool")]


def test_a_failed_write_leaves_the_old_file(folder: RunFolder) -> None:
    path = folder.root / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text() == "old" and list(folder.root.iterdir()) == [path], "and nothing beside it"


def test_a_row_that_cannot_be_written_leaves_the_old_rows(folder: RunFolder) -> None:
    path = folder.root / "a.jsonl"
    folder.write_rows(path, [{"a": 1}])
    with pytest.raises(TypeError):
        folder.write_rows(path, [{"a": 2}, {"a": object()}])
    assert path.read_text() == '{"a": 1}\n'


def test_json_comes_back(folder: RunFolder) -> None:
    folder.write_json(folder.cycle(1) / "conversation.json", [{"role": "user", "content": "“$x”\n"}])
    assert folder.read_json(folder.cycle(1) / "conversation.json") == [{"role": "user", "content": "“$x”\n"}]


def test_best_points_at_the_champion_and_survives_a_move(folder: RunFolder) -> None:
    for cycle in (0, 1):
        folder.student(cycle).mkdir(parents=True)
        folder.crown(folder.relative(folder.student(cycle)))
        folder.crown(folder.relative(folder.student(cycle)))
    assert (folder.root / "best").resolve() == folder.student(1).resolve()
    moved = folder.root.with_name("moved")
    folder.root.rename(moved)
    assert (moved / "best").resolve() == (moved / "students" / "cycle-001").resolve()


def test_a_rival_is_dropped_by_cycle(folder: RunFolder) -> None:
    for cycle in (1, 2):
        folder.rival(cycle).mkdir(parents=True)
    folder.drop_rival(1)
    folder.drop_rival(1)
    folder.drop_rival(-1)
    assert not folder.rival(1).exists() and folder.rival(2).exists()


def test_where_no_link_can_be_made_a_file_names_the_champion(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object, **how: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    for cycle in (1, 2):
        folder.student(cycle).mkdir(parents=True)
        folder.crown(f"students/cycle-{cycle:03d}")
        assert (folder.root / "best").is_file() and folder.best == folder.student(cycle).resolve()
    moved = folder.root.with_name(f"{folder.root.name}-moved")
    folder.root.rename(moved)
    assert RunFolder(moved).best == (moved / "students" / "cycle-002").resolve()
    RunFolder(moved).drop_students()
    assert [path.name for path in (moved / "students").iterdir()] == ["cycle-002"]


@pytest.mark.parametrize("said", [b"", b"students/cycle-009", b"elsewhere", b"\x81\x82", b"students/.."])
def test_a_file_that_names_no_student_says_nothing_and_nothing_is_removed(folder: RunFolder, said: bytes) -> None:
    (folder.root / "elsewhere").mkdir()
    folder.student(1).mkdir(parents=True)
    (folder.root / "best").write_bytes(said)
    assert folder.best is None
    folder.drop_students()
    assert folder.student(1).exists()


def test_students_but_the_best_are_removed(folder: RunFolder) -> None:
    for student in (folder.student(0), folder.student(1), folder.rival(2)):
        student.mkdir(parents=True)
        (student / "model.safetensors").write_text("weights")
    folder.crown("students/cycle-001")
    for _ in range(2):
        folder.drop_students()
        assert [path.name for path in (folder.root / "students").iterdir()] == ["cycle-001"]
    assert (folder.root / "best" / "model.safetensors").read_text() == "weights"


def test_what_is_no_student_of_ours_stays(folder: RunFolder) -> None:
    ours = [
        "cycle-000",
        "cycle-001",
        "final-001",
        ".rival-002",
        ".final-001-first",
        ".cycle-001-7-ab",
        ".cycle-001.aside",
    ]
    theirs = ["cycle-001-backup", "mine", "cycle-1"]
    for name in (*ours, *theirs):
        (folder.root / "students" / name).mkdir(parents=True)
    (folder.root / "elsewhere").mkdir()
    (folder.root / "elsewhere" / "model").write_text("theirs")
    (folder.root / "students" / "cycle-002").symlink_to("../elsewhere")
    (folder.root / "students" / "cycle-003").write_text("theirs")
    folder.crown("students/final-001")
    folder.drop_students()
    left = {path.name for path in (folder.root / "students").iterdir()}
    assert left == {"final-001", "cycle-002", "cycle-003", *theirs}
    assert (folder.root / "elsewhere" / "model").read_text() == "theirs"


def test_paths_sort_by_cycle(folder: RunFolder) -> None:
    assert folder.student(7).name == "cycle-007" and folder.cycle(12).name == "012"
    assert folder.relative(folder.student(7)) == "students/cycle-007"


def test_chunks() -> None:
    assert chunks("abcde", 2) == ["ab", "cd", "e"]
    assert chunks("", 2) == [] and chunks("ab", 5) == ["ab"]


def test_a_service_bar_names_its_work(tmp_path: Path) -> None:
    shown: list[tuple[str, int, int]] = []
    services = world.services(tmp_path, progress=lambda what, done, total: shown.append((what, done, total)))
    services.bar("labelling")(3, 7)
    assert shown == [("labelling", 3, 7)]
