"""What is told of the user's texts before anything is paid."""

import pytest

from evokd.graph.config.run_config import RunConfig, validate
from evokd.graph.setup.data_checks import warn_of_cut_texts, warn_of_split_entities, warn_of_unknown_script
from evokd.graph.setup.services import make_task
from evokd.tasks.base import Example, Span


def config(kind: str = "classification") -> RunConfig:
    task = {"kind": kind, "description": "d", "labels": ["yes", "no"]}
    return validate({"name": "r", "task": task, "data": {"seeds": "seeds.jsonl"}}, "test")


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("good " * 500, "classification", True),
        ("good " * 50, "classification", False),
        ("好" * 200, "classification", True),
        ("good " * 500, "ner", False),
    ],
)
def test_texts_of_which_the_student_reads_the_beginning(
    text: str, kind: str, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_cut_texts(config(kind), make_task(config(kind).task), [text, text, "bad"])
    assert ("the student reads the first 128 of each" in caplog.text) is told


@pytest.mark.parametrize(
    ("text", "span", "told"),
    [
        ("Ann takes the Oslo-Bergen train", (14, 18), "'Oslo' in 'Ann takes the Oslo-Bergen train'"),
        ("Ann takes the Oslo-Bergen train", (14, 25), ""),
        ("Come at 5pm today", (8, 9), "1 of 1 entities"),
        ("A Paris-based firm", (2, 7), ""),
        ("See https://oslo.org.", (4, 20), ""),
    ],
)
def test_entities_that_the_student_cannot_find(
    text: str, span: tuple[int, int], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    task = make_task(config("ner").task)
    example = Example(text=text, label=(Span(start=span[0], end=span[1], type="yes"),), split="seed")
    warn_of_split_entities(task, [example])
    assert told in caplog.text and bool(told) is bool(caplog.text)
    warn_of_split_entities(make_task(config().task), [Example(text=text, label="yes", split="seed")])


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["ฉันต้องการคืนเงิน"], True),
        (["where is it?"] * 9 + ["ฉันต้องการคืนเงิน"], False),
        (["schöne Grüße aus Łódź"], False),
        (["где моя посылка"], False),
    ],
)
def test_scripts_that_the_encoder_does_not_know(texts: list[str], told: bool, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_unknown_script(config(), texts)
    assert ("memory.embedder = 'minilm' does not know" in caplog.text) is told
