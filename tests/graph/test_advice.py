"""What is told of the user's texts before anything is paid."""

import pytest

from graph.advice import tell_cut, tell_unknown
from graph.config import RunConfig, validate
from graph.services import make_task


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
    tell_cut(config(kind), make_task(config(kind).task), [text, text, "bad"])
    assert ("the student reads the first 128 of each" in caplog.text) is told


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
    tell_unknown(config(), texts)
    assert ("memory.embedder = 'minilm' does not know" in caplog.text) is told
