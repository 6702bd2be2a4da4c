"""No text is learnt, calibrated on and scored: a figure would be worth nothing."""

import json
from pathlib import Path

import pytest

from benchmarks import calibrated
from benchmarks.calibrated import draw, tell, tell_sets
from benchmarks.data_sets import data_set_task
from evokd.student.serving.confidence import Confidence
from evokd.tasks.base import Example, Prediction, unspaced

TASK = data_set_task("sst2")


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))


@pytest.mark.parametrize("is_test", [False, True])
def test_learnt_dev_and_scored_rows_have_no_text_in_common(
    is_test: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrated, "SCORED", 20)
    labels = list(TASK.labels)
    train = [(f"row {number}", labels[number % 2]) for number in range(60)]
    write(tmp_path / "sst2" / "train.jsonl", train)
    write(
        tmp_path / "sst2" / "test.jsonl", [("written 1", labels[0]), ("test row", labels[1]), ("Written  2", labels[0])]
    )
    write(tmp_path / "teacher_texts" / "sst2" / "A.jsonl", [(f"written {n}", labels[0]) for n in range(4)] + train[:30])
    texts = draw(tmp_path, "sst2", TASK, 0, 10, is_test)
    parts = [{unspaced(each.text) for each in part} for part in (texts.learnt, texts.dev, texts.scored)]
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert len(texts.learnt) >= 34 and {each.label for each in texts.learnt} == set(labels)
    if is_test:
        assert [each.text for each in texts.scored] == ["test row"]


def test_what_is_told_is_what_came_out(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = TASK.labels
    scored = [Example(id=str(number), text=str(number), label=one) for number in range(40)]
    sure, unsure = (
        Prediction(label=label, probability=p, probabilities={label: p, ({one, other} - {label}).pop(): 1 - p})
        for label, p in ((one, 0.9), (other, 0.6))
    )
    known = Confidence(source="dev", confidences=(0.9,) * 30 + (0.6,) * 9, right=(True,) * 30 + (False,) * 9)
    tell("dev rows", TASK, scored, [sure] * 30 + [unsure] * 10, known)
    out = capsys.readouterr().out
    assert "ece 0.225 brier 0.097" in out, "30 times .1 and 10 times .6, of 40; 30 * .01 + 10 * .36"
    assert "threshold 0.900  promised 77% with 0.0% wrong; answered 75%, wrong 0.000" in out
    tell_sets(scored, [sure] * 30 + [unsure] * 10, Confidence(source="dev", of_label=(0.5,) * 100))
    assert "at 10%: hold the right label 0.750" in capsys.readouterr().out
