"""Labelling lines with a finished student."""

import os
from pathlib import Path
from typing import Any

import pytest

from evokd.graph.config.run_config import load
from evokd.graph.prediction import AT_ONCE, Finished, open_student
from evokd.graph.setup.create import create
from evokd.graph.setup.services import make_students, make_task
from evokd.tasks.base import Example
from evokd.tasks.errors import ConfigError
from evokd.testing import WordStudent, world
from tests import parts


def student() -> WordStudent:
    known = WordStudent(list(world.VOCABULARY))
    known.fit([Example(text=text, label=label) for label, text in world.SEEDS.items()])
    return known


def said(path: Path, content: bytes, **more: Any) -> list[dict[str, Any]]:
    path.write_bytes(content)
    return [answer for answers in Finished(student(), **more).file(path) for answer in answers]


def test_every_line_gets_its_label_and_all_probabilities(tmp_path: Path) -> None:
    [answer] = said(tmp_path / "texts.txt", b"soup with bread\r\n")
    assert answer["text"] == "soup with bread" and answer["label"] == "food"
    assert set(answer["probabilities"]) == set(world.VOCABULARY)
    assert answer["probability"] == max(answer["probabilities"].values())
    assert abs(sum(answer["probabilities"].values()) - 1) < 1e-3


def test_blank_lines_are_skipped_a_byte_order_mark_too_and_order_is_kept_over_chunks(tmp_path: Path) -> None:
    lines = [
        b"\xef\xbb\xbf0\n",
        b"\n",
        b"   \n",
        *(f"{n} caf\u00e9\n".encode() for n in range(1, AT_ONCE // 8)),
        b"end",
    ]
    texts = [answer["text"] for answer in said(tmp_path / "texts.txt", b"".join(lines))]
    assert texts == ["0", *(f"{n} café" for n in range(1, AT_ONCE // 8)), "end"]


def test_the_first_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"texts\.txt, line 3: not UTF-8 \(invalid start byte at byte 2\)\."):
        said(tmp_path / "texts.txt", b"a\n\nab\xff\n")


def test_a_line_is_answered_when_it_is_there(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as other:
        answers = Finished(student()).lines(stream, "standard input")
        for text in ("soup with bread", "a goal and a match"):
            other.write(f"{text}\n".encode())
            assert [answer["text"] for answer in next(answers)] == [text]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.jsonl", b'{"text": "soup", "label": "food"}\n{"text": "a\\nb"}\n{"text": "soup"}\n'),
        ("t.csv", b'text,label\nsoup,food\n"a\nb",food\nsoup,money\n'),
    ],
)
def test_of_a_data_file_the_texts_are_read_each_row_for_itself(tmp_path: Path, name: str, content: bytes) -> None:
    assert [answer["text"] for answer in said(tmp_path / name, content)] == ["soup", "a\nb", "soup"]


def test_of_a_data_file_the_column_of_the_run_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    assert [answer["text"] for answer in said(file, b"text,body\nno,soup\n", column="body")] == ["soup"]
    with pytest.raises(
        ConfigError, match=r"line 2: there is no 'text'; the row has 'review'\. .*under \[data\]: text ="
    ):
        said(file, b"review\nsoup\n")


def test_a_run_means_its_champion_by_name_and_by_folder(tmp_path: Path) -> None:
    config = load(parts.write(tmp_path, "http://127.0.0.1:1/v1"))
    folder = parts.folder(tmp_path / "runs" / "small")
    create(config, tmp_path, folder)
    with pytest.raises(
        ConfigError, match=r"'small' is neither a run with a champion nor .* Runs under .*/runs/: small"
    ):
        open_student("small", tmp_path / "runs")
    student().save(folder.student(2))
    folder.crown("students/cycle-002")
    for name in ("small", str(folder.root)):
        assert open_student(name, tmp_path / "runs").student.predict(["soup with bread"])[0].label == "food"


def test_a_students_folder_that_says_what_it_is_needs_its_flag_and_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = {"kind": "tests.graph.own:Linear", "settings": {"strength": 0.25}}
    config = load(parts.write(tmp_path, "http://127.0.0.1:1/v1", student=linear))
    students = make_students(config, make_task(config.task))
    kept = tmp_path / "kept"
    for _ in range(2):  # a second save takes the place of the first
        new, other = students.new(0), students.new(1)
        new.fit([Example(text=text, label=label) for label, text in world.SEEDS.items()])
        new.average([other])
        new.save(kept)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    monkeypatch.setattr("evokd.graph.config.parts._allowed", set())
    with pytest.raises(ConfigError, match=r"kept/student\.json names code .* add --allow tests\.graph\.own:Linear "):
        open_student(str(kept), tmp_path)
    found = open_student(str(kept), tmp_path, ["tests.graph.own:Linear"]).student
    assert found.predict(["soup with bread"])[0].label == "food"
    assert found.own.strength == 0.25  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"labels": [], "head": "x"}', "KeyError: 'student'"),
        ('{"student": {"kind": 5}, "labels": [], "head": "x"}', "ValidationError"),
        ('{"student": {"kind": "nix"}, "labels": ["a"], "head": "x"}', "student.kind 'nix' is not known"),
    ],
)
def test_a_description_that_is_damaged_is_told(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "student.json").write_text(content)
    with pytest.raises(ConfigError) as refused:
        open_student(str(tmp_path), tmp_path / "runs")
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError,
        match=r"'nix' is neither a run .* a student\.json\. Runs under .*: none\.",
    ):
        open_student("nix", tmp_path)
