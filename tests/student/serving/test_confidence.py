"""What is known of a student's confidence: kept beside it, and what it promises."""

import json
from pathlib import Path

import numpy as np
import pytest

from evokd.student.serving.confidence import (
    FEWEST_FOR_SETS,
    NAME,
    TEMPERATURE,
    Confidence,
    note_temperature,
    read_confidence,
)
from evokd.tasks.errors import ConfigError


def known(pairs: list[tuple[float, bool]], **more: object) -> Confidence:
    confidences, right = zip(*pairs, strict=True)
    return Confidence.model_validate({"source": "dev", "confidences": confidences, "right": right, **more})


def test_the_threshold_lets_through_as_many_as_the_risk_allows() -> None:
    pairs = [(0.99 - number / 1000, number != 30) for number in range(80)]
    found = known(pairs).abstention(0.05)
    assert (found.n, found.answered, found.wrong) == (80, 80, 1)
    pairs += [(0.6 - number / 1000, number % 2 == 0) for number in range(40)]
    found = known(pairs).abstention(0.05)
    assert (found.wrong + 1) / (found.answered + 1) <= 0.05 and found.answered < 120
    assert found.threshold == pairs[found.answered - 1][0]
    assert known(pairs).abstention(0.5).answered == 120


def test_answers_of_one_confidence_are_given_or_not_together() -> None:
    pairs = [(0.9, True)] * 40 + [(0.8, True)] * 10 + [(0.8, False)] * 10
    found = known(pairs).abstention(0.05)
    assert (found.threshold, found.answered, found.wrong) == (0.9, 40, 0)


def test_nineteen_right_answers_are_the_least_for_five_in_a_hundred() -> None:
    assert known([(0.9, True)] * 19).abstention(0.05).answered == 19
    with pytest.raises(
        ConfigError, match=r"^abstain = 0\.05 cannot be reached: of 18 rows of your dev file, 0 of the 18 "
    ):
        known([(0.9, True)] * 18).abstention(0.05)


@pytest.mark.parametrize("risk", [0, 1, -0.1, 5.0, float("nan")])
def test_a_risk_is_a_share(risk: float) -> None:
    for ask in (known([(0.9, True)] * 40).abstention, known([(0.9, True)] * 40).set_threshold):
        with pytest.raises(ConfigError, match=r"must be a share of wrong answers between 0 and 1, like 0\.05"):
            ask(risk)


def test_without_answers_nothing_is_promised() -> None:
    with pytest.raises(ConfigError, match=r"^abstain = 0\.05 needs answers whose truth is known"):
        Confidence().abstention(0.05)
    few = known([(0.9, True)] * 40, of_label=[0.9] * (FEWEST_FOR_SETS - 1))
    with pytest.raises(ConfigError, match=r"^sets = 0\.1 needs at least 100 rows .* and has 99: "):
        few.set_threshold(0.1)


def test_where_texts_are_alike_risk_and_sets_hold_on_average() -> None:
    """Drawn again and again: answers are wrong as often as was allowed, and sets hold the right label as promised."""
    rng, wrong, held = np.random.default_rng(0), [], []
    for _ in range(300):
        sure = rng.uniform(0.4, 1, (2, 200))
        right = rng.uniform(size=(2, 200)) < sure
        dev, new = zip(sure, right, strict=True)
        confidence = known(list(zip(dev[0].tolist(), dev[1].tolist(), strict=True)), of_label=dev[0].tolist())
        given = new[0] >= confidence.abstention(0.2).threshold
        wrong.append((~new[1][given]).mean())
        held.append((new[0] >= confidence.set_threshold(0.1)).mean())
    assert np.mean(wrong) < 0.2 + 0.01 and np.mean(held) >= 0.9 - 0.005
    assert np.mean(held) < 0.92, "not more than was asked for"


def test_it_comes_back_from_disk(tmp_path: Path) -> None:
    confidence = known([(0.9, True), (0.5, False)], temperature=1.5, of_label=[0.9, 0.2])
    confidence.write(tmp_path)
    assert read_confidence(tmp_path) == confidence and [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_folder_without_it_may_have_a_temperature_in_its_config(tmp_path: Path) -> None:
    assert read_confidence(tmp_path) == Confidence()
    note_temperature(tmp_path, 1.5)
    assert list(tmp_path.iterdir()) == [], "no model of transformers, no config"
    (tmp_path / "config.json").write_text('{"id2label": {"0": "café"}}', encoding="utf-8")
    assert read_confidence(tmp_path).temperature == 1.0
    note_temperature(tmp_path, 1.5)
    assert json.loads((tmp_path / "config.json").read_text()) == {"id2label": {"0": "café"}, TEMPERATURE: 1.5}
    assert read_confidence(tmp_path) == Confidence(temperature=1.5)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (NAME, "{"), (NAME, "[]"), (NAME, '{"temperature": 0}'), (NAME, '{"temperature": NaN}'), (NAME, '{"more": 1}'),
        (NAME, '{"confidences": [0.5], "right": []}'), (NAME, '{"confidences": [1.5], "right": [true]}'),
        (NAME, "[" * 100_000), (NAME, "\udcff"), ("config.json", '{"evokd_temperature": "1; import os"}'),
        ("config.json", '{"evokd_temperature": -1}'), ("config.json", "null"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_in_one_line(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as refused:
        read_confidence(tmp_path)
    said = str(refused.value)
    assert said.startswith(f"{tmp_path / name} cannot be read (") and "\n" not in said and len(said) < 600
