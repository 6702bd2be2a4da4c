"""Labelling lines with a finished student."""

import json
from pathlib import Path

import pytest

from graph.config import load
from graph.predicting import CHUNK, open_student, predict_lines
from graph.services import create
from tasks.base import Example
from tasks.errors import ConfigError
from tests import parts, world
from tests.fake_student import WordStudent


def student() -> WordStudent:
    known = WordStudent(list(world.VOCABULARY))
    known.fit([Example(text=text, label=label) for label, text in world.SEEDS.items()])
    return known


def test_every_line_gets_its_label_and_all_probabilities() -> None:
    [line] = predict_lines(student(), [b"soup with bread\r\n"], "standard input")
    answer = json.loads(line)
    assert answer["text"] == "soup with bread" and answer["label"] == "food"
    assert set(answer["probabilities"]) == set(world.VOCABULARY)
    assert answer["probability"] == max(answer["probabilities"].values())
    assert abs(sum(answer["probabilities"].values()) - 1) < 1e-3


def test_blank_lines_are_skipped_a_byte_order_mark_too_and_order_is_kept_over_chunks() -> None:
    lines = [b"\xef\xbb\xbf0\n", b"\n", b"   \n", *(f"{n} caf\u00e9\n".encode() for n in range(1, CHUNK + 10))]
    texts = [json.loads(line)["text"] for line in predict_lines(student(), lines, "f")]
    assert texts == ["0", *(f"{n} café" for n in range(1, CHUNK + 10))]


def test_the_first_line_that_is_not_utf_8_is_named() -> None:
    with pytest.raises(ConfigError, match=r"texts\.txt, line 3: not UTF-8 \(invalid start byte at byte 2\)\."):
        list(predict_lines(student(), [b"a\n", b"\n", b"ab\xff\n"], "texts.txt"))


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
        assert open_student(name, tmp_path / "runs").predict(["soup with bread"])[0].label == "food"


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"'nix' is neither a run .* with a model\.safetensors\. Runs under .*: none\."
    ):
        open_student("nix", tmp_path)
