"""The head for several labels learns each of them, none too, and moves thresholds only where held-out texts pay it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from evokd.student.codecs.base import Rows
from evokd.student.heads.multilabel import MultilabelHead
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents, load_student
from evokd.tasks.base import Example, Prediction
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.label_sets import LabelsPrediction
from evokd.testing import examples as texts_to_learn
from tests.student import tiny

LABELS = ("music", "weather")


@pytest.fixture
def encoder(encoders: Callable[[str], Path]) -> Path:
    return encoders("bert")


def student(encoder: Path, labels: tuple[str, ...] = LABELS, **given: Any) -> TransformerStudent:
    settings = {"model": str(encoder), "epochs": 1, "min_steps": 8, "batch_size": 24} | given
    return TransformerStudents(StudentSettings(**settings), labels, "multilabel").new(seed=0)


def test_it_learns_one_label_both_and_none(encoder: Path, tmp_path: Path) -> None:
    examples = texts_to_learn.label_sets()
    texts = [example.text for example in examples]
    made = student(encoder)
    made.fit(examples)
    predictions = made.predict(texts)
    assert [prediction.label for prediction in predictions] == [example.label for example in examples]
    assert {len(prediction.label) for prediction in predictions} == {0, 1, 2}
    for prediction in predictions:
        assert isinstance(prediction, LabelsPrediction) and tuple(prediction.probabilities) == LABELS
        music, weather = prediction.probabilities.values()
        sides = [music if "music" in prediction.label else 1 - music]
        sides += [weather if "weather" in prediction.label else 1 - weather]
        assert prediction.probability == pytest.approx(sides[0] * sides[1])
        assert prediction.margin == pytest.approx(min(abs(2 * music - 1), abs(2 * weather - 1)))
    made.save(tmp_path / "saved")
    assert tiny.config_of(tmp_path / "saved")["problem_type"] == "multi_label_classification"
    assert load_student(tmp_path / "saved").predict(texts) == predictions
    pipeline = transformers.pipeline("text-classification", model=str(tmp_path / "saved"), top_k=None)
    for prediction, scores in zip(predictions, pipeline(texts, batch_size=4), strict=True):
        assert {row["label"]: row["score"] for row in scores} == pytest.approx(prediction.probabilities, abs=1e-5)


def test_soft_labels_are_learnt_as_probabilities(encoder: Path) -> None:
    soft = [
        Example(text="rain", label=("weather",), soft={"weather": 0.7, "music": 0.3}),
        Example(text="play the song", label=("music",)),
        Example(text="table for two", label=()),
    ]
    made = student(encoder, min_steps=60, learning_rate=1e-3)
    made.fit(soft * 8)
    rain, song, table = made.predict(["rain", "play the song", "table for two"])
    assert rain.probabilities == pytest.approx({"weather": 0.7, "music": 0.3}, abs=0.1)
    assert song.probabilities["music"] > 0.9 > 0.1 > table.probabilities["music"]


def test_labels_that_all_texts_have_or_none_start_from_their_share(encoder: Path) -> None:
    made = student(encoder, ("always", "music", "never"), epochs=0)
    made.fit(
        [e.model_copy(update={"label": ("always", *({"music"} & set(e.label)))}) for e in texts_to_learn.label_sets()]
    )
    for prediction in made.predict(["rain", "never seen"]):
        assert prediction.probabilities["always"] > 0.95 and prediction.probabilities["never"] < 0.05


def test_many_labels_start_from_closer_regressions(monkeypatch: pytest.MonkeyPatch) -> None:
    states = list(torch.randn(120, 16, generator=torch.Generator().manual_seed(0)))

    def own(labels: int) -> float:
        """Mean probability of a text's own label where the head starts."""
        head = MultilabelHead([f"label {number}" for number in range(labels)])
        targets = head.targets([Example(text=f"{n}", label=(f"label {n % labels}",)) for n in range(120)], Rows([]))
        slopes, bias = head.start(states, targets, torch.ones(120))  # type: ignore[misc]
        shares = torch.sigmoid(torch.stack(states).double() @ torch.tensor(slopes).T + torch.tensor(bias))
        return float((shares * torch.stack(targets)).sum(-1).mean())

    few, many = own(2), own(40)
    monkeypatch.setattr("evokd.student.heads.multilabel.PER_LABEL", 0.0)
    assert own(2) == pytest.approx(few) and many > 1.5 * own(40)


def test_an_unknown_label_is_named(encoder: Path) -> None:
    example = Example(text="a secret text", label=("music", "sports"))
    with pytest.raises(ConfigError, match=f"{example.id}: label 'sports' is not known. Allowed: music, weather"):
        student(encoder).fit([example])


def calibrated(shares: list[float], gold: list[bool]) -> float:
    head = MultilabelHead(LABELS)
    examples = [Example(text=str(i), label=("music",) if each else ()) for i, each in enumerate(gold)]
    predictions = [
        Prediction(label=(), probability=1.0, probabilities={"music": share, "weather": 0.5}) for share in shares
    ]
    head.calibrate(examples, predictions)
    assert head.thresholds["weather"] == 0.5
    return head.thresholds["music"]


def test_a_threshold_moves_the_farther_the_more_texts_speak_for_it() -> None:
    few = calibrated([0.42] * 5 + [0.1] * 10, [True] * 5 + [False] * 10)
    assert few == 0.5  # a third of the way to 0.4 changes nothing here, so it stays
    many = calibrated([0.42] * 90 + [0.1] * 90, [True] * 90 + [False] * 90)
    assert 0.4 < many < 0.42
    high = calibrated([0.9] * 50 + [0.6] * 50, [True] * 50 + [False] * 50)
    assert 0.6 < high < 0.65


@pytest.mark.parametrize(
    ("shares", "gold"),
    [
        ([0.3] * 4 + [0.1] * 20, [True] * 4 + [False] * 20),
        ([0.3] * 20 + [0.1] * 4, [True] * 20 + [False] * 4),
        ([0.9] * 20 + [0.1] * 20, [True] * 20 + [False] * 20),
        ([0.6] * 220, [True] * 20 + [False] * 200),
    ],
    ids=["few with", "few without", "right already", "no order"],
)
def test_a_threshold_stays_where_there_is_too_little_or_nothing_to_gain(shares: list[float], gold: list[bool]) -> None:
    assert calibrated(shares, gold) == 0.5


def test_thresholds_are_saved_and_forgotten_by_the_next_fit(encoder: Path, tmp_path: Path) -> None:
    made = student(encoder)
    made.fit(texts_to_learn.label_sets())
    made.head.thresholds["weather"] = 0.9999
    made.save(tmp_path / "saved")
    assert tiny.config_of(tmp_path / "saved")["evokd_thresholds"] == {"music": 0.5, "weather": 0.9999}
    loaded = load_student(tmp_path / "saved")
    assert not any("weather" in prediction.label for prediction in loaded.predict(["rain", "will it snow"]))
    loaded.calibrate(texts_to_learn.label_sets())
    assert any("weather" in prediction.label for prediction in loaded.predict(["rain", "will it snow"]))
    loaded.head.thresholds["weather"] = 0.9999
    loaded.fit(texts_to_learn.label_sets())
    assert loaded.head.thresholds["weather"] == 0.5


@pytest.mark.parametrize("odd", [{"music": 2.0}, {"sports": 0.5}, {"music": "0.5"}, ["music"]])
def test_damaged_thresholds_are_refused(odd: Any) -> None:
    with pytest.raises(ConfigError, match="evokd_thresholds must give labels numbers between 0 and 1"):
        MultilabelHead(LABELS, {"evokd_thresholds": odd})
