"""A config.json says which codec reads it, and damage is named."""

from typing import Any

import pytest

from evokd.student.codecs.by_name import codec_in
from evokd.student.codecs.multilabel import MultilabelCodec
from evokd.student.codecs.sequence import SequenceCodec
from evokd.student.codecs.token import TokenCodec
from evokd.tasks.errors import ConfigError

LABELS = {"1": "b", "0": "a"}
TAGS = {"0": "O", "1": "B-a", "2": "I-a"}


def test_each_kind_of_head_is_known_by_its_config() -> None:
    plain = codec_in({"architectures": ["BertForSequenceClassification"], "id2label": LABELS})
    assert isinstance(plain, SequenceCodec) and plain.labels == ("a", "b")
    several = {"problem_type": "multi_label_classification", "evokd_thresholds": {"b": 0.3}}
    sets = codec_in({**several, "id2label": LABELS})
    assert isinstance(sets, MultilabelCodec) and sets.thresholds == {"a": 0.5, "b": 0.3}
    spans = codec_in({"architectures": ["BertForTokenClassification"], "id2label": TAGS})
    assert isinstance(spans, TokenCodec) and spans.labels == ("a",)


def test_outputs_are_ordered_by_number_not_by_name() -> None:
    names = {str(number): f"label {number}" for number in reversed(range(12))}
    assert codec_in({"id2label": names}).outputs == [f"label {number}" for number in range(12)]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (None, "should number the outputs from 0, but is None"),
        ({"0": "a", "2": "b"}, "should number the outputs from 0"),
        ({"a": "0"}, "should number the outputs from 0"),
        (["a", "b"], "should number the outputs from 0"),
    ],
)
def test_a_damaged_list_of_outputs_is_named(names: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        codec_in({"id2label": names})


def test_tags_in_another_order_are_refused() -> None:
    config = {"architectures": ["BertForTokenClassification"], "id2label": {"0": "O", "1": "I-a", "2": "B-a"}}
    with pytest.raises(ConfigError, match="its outputs should be O, B-a, I-a, but are O, I-a, B-a"):
        codec_in(config)
