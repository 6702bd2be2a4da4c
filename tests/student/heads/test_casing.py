"""A tokenizer without case gets marks before capitalised words, at their place, and keeps them when saved."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from evokd.student.codecs.windows import read
from evokd.student.encoder.reading import reading
from evokd.student.heads.casing import mark_capitals
from tests.student import tiny

TEXT = "Élan sold iPhones in Paris today: U.S. (EU) Ж"


@pytest.fixture(scope="module")
def plain() -> Any:
    return tiny.TOKENIZERS["wordpiece"]([TEXT, "sold in paris today"] * 3)


def test_marks_stand_before_capitalised_words_only(plain: Any) -> None:
    marked = mark_capitals(plain)
    tokens = marked(TEXT).encodings[0]
    places = [offsets for token, offsets in zip(tokens.tokens, tokens.offsets, strict=True) if token == "^"]
    assert [TEXT[start:end] for start, end in places] == ["É", "P", "U", "S", "E", "Ж"]
    assert [token for token in tokens.tokens if token != "^"] == plain(TEXT).encodings[0].tokens
    assert marked(TEXT.lower()).input_ids == plain(TEXT.lower()).input_ids


def test_words_are_where_they_were(plain: Any) -> None:
    marked, before = (read(reading(made), [TEXT], 200).passages[0] for made in (mark_capitals(plain), plain))
    assert marked.words == before.words
    owners = dict.fromkeys(range(len(before.words)), 0)
    for owner in marked.owners:
        owners[owner] += 1
    assert sum(owners.values()) == len(before.owners) + 6


def test_marks_survive_saving_and_are_not_doubled(plain: Any, tmp_path: Path) -> None:
    marked = mark_capitals(plain)
    marked.save_pretrained(tmp_path / "saved")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert loaded(TEXT).input_ids == marked(TEXT).input_ids != plain(TEXT).input_ids
    assert (loaded.pad_token, loaded.unk_token) == ("[PAD]", "[UNK]")
    assert mark_capitals(loaded) is loaded


def test_shown_words_have_no_marks(plain: Any) -> None:
    marked = mark_capitals(plain)
    tokens = marked("Paris sold in Paris").encodings[0].tokens[1:-1]
    assert tokens.count("^") == 2
    assert marked.convert_tokens_to_string(tokens) == "paris sold in paris"


@pytest.mark.parametrize("kind", ["byte_level", "sentencepiece"])
def test_a_tokenizer_that_knows_case_is_left_alone(kind: str) -> None:
    made = tiny.TOKENIZERS[kind]([TEXT])
    assert mark_capitals(made) is made


def test_so_is_one_without_a_token_for_the_mark() -> None:
    made = tiny.tokenizer()
    assert mark_capitals(made) is made
