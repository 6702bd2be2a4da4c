"""Texts as rows: cut where a row is full, or in windows that overlap and have one say together."""

from typing import Any

import numpy as np
import pytest

from evokd.student.codecs.reading import CutRows, WindowRows, cut, windows
from evokd.student.codecs.sequence import SequenceCodec
from evokd.student.encoder.reading import SlowTokenizer, reading
from tests.student import tiny

TEXTS = ["", "a dog", "the cat sat on a mat " * 30, "x", "one two three four five six seven eight"]


class Deaf:
    pad = 7

    def ids(self, texts: list[str], limit: int) -> list[list[int]]:
        return [[] for _ in texts]


@pytest.mark.parametrize("read", [cut, windows])
def test_a_text_without_tokens_is_a_row_of_padding(read: Any) -> None:
    assert read(Deaf(), ["x", ""], 5).ids == [[7], [7]]
    assert read(Deaf(), [], 5).ids == []


@pytest.mark.parametrize("family", tiny.TOKENIZERS)
@pytest.mark.parametrize("slow", [False, True])
def test_windows_hold_the_whole_of_a_text_and_the_first_is_what_is_learnt(family: str, slow: bool) -> None:
    own = tiny.TOKENIZERS[family](TEXTS)
    tokenizer = SlowTokenizer(own, own.pad_token_id) if slow else reading(own)
    rows = windows(tokenizer, TEXTS, 12)
    whole = own(TEXTS, verbose=False)["input_ids"]
    assert max(map(len, rows.ids)) == 12 and rows.learnt.ids == own(TEXTS, truncation=True, max_length=12)["input_ids"]
    assert [rows.whose.count(number) > 1 for number in range(5)] == [len(ids) > 12 for ids in whole]
    for number, ids in enumerate(whole):
        if len(ids) > 12:
            around = len(own("")["input_ids"])
            parts = [
                rows.ids[row][1:-1] if around else rows.ids[row]
                for row in range(len(rows.ids))
                if rows.whose[row] == number
            ]
            pieces = ids[1:-1] if around else ids
            assert parts[0] == pieces[: len(parts[0])] and parts[-1] == pieces[-len(parts[-1]) :]
            assert {token for part in parts for token in part} == set(pieces)


def test_windows_overlap_by_a_quarter() -> None:
    class Letters(Deaf):
        def ids(self, texts: list[str], limit: int) -> list[list[int]]:
            return [[0, *map(ord, text), 1] for text in texts]

    rows = windows(Letters(), ["abcdefghijklmnopqrstu", "abcdefgh"], 10)  # type: ignore[arg-type]
    assert ["".join(map(chr, ids[1:-1])) for ids in rows.ids] == [
        "abcdefgh",
        "ghijklmn",
        "mnopqrst",
        "nopqrstu",
        "abcdefgh",
    ]
    assert rows.whose == [0, 0, 0, 0, 1] and all((ids[0], ids[-1]) == (0, 1) for ids in rows.ids)


def test_what_windows_say_counts_the_same() -> None:
    rows = WindowRows([[1], [2], [3]], [2, 1])
    logits = np.log([np.array([0.9, 0.1]), np.array([0.3, 0.7]), np.array([0.2, 0.8])])
    one, other = SequenceCodec(["a", "b"]).predictions(list(logits), rows)
    assert one.label == "a" and one.probabilities == pytest.approx({"a": 0.6, "b": 0.4})
    assert other.label == "b" and other.probability == pytest.approx(0.8)


def test_a_full_row_may_be_of_a_text_that_was_cut() -> None:
    assert CutRows([[1, 2, 3], [1, 2]], 3).cut == [True, False]
