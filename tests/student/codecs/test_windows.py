"""Words stand where the text has them, whatever the tokenizer, and windows cover every piece once, away from edges."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evokd.student.codecs.windows import _windows, read
from evokd.student.encoder.reading import reading
from tests.student import tiny

TEXTS = ["Émile's trip (to São Paulo, U.S.) cost 3.50€ 😀!", "  Grüße an Jean-Luc\nPicard  ", "x y_z 12:30"]


@pytest.fixture(scope="module", params=tiny.TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return tiny.TOKENIZERS[request.param](TEXTS)


def words(tokenizer: Any, text: str) -> list[str]:
    (passage,) = read(reading(tokenizer), [text], 200).passages
    return [text[start:end] for start, end in passage.words]


def test_words_end_at_punctuation_and_carry_no_spaces(tokenizer: Any) -> None:
    assert words(tokenizer, TEXTS[1]) == ["Grüße", "an", "Jean-Luc", "Picard"]
    assert words(tokenizer, TEXTS[2]) == ["x", "y", "_", "z", "12", ":", "30"]
    found = words(tokenizer, TEXTS[0])
    assert {"Émile", "trip", "to", "São", "Paulo", ",", "😀"} <= set(found)
    assert [word[:4] for word in found if word[:1] in "U3"] == ["U.S.", "3.50"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("U.S.-led U.N. men", ["U.S.", "-", "led", "U.N.", "men"]),
        ("the F.C.", ["the", "F.C."]),
        ("George W. Bush.", ["George", "W", ".", "Bush", "."]),
        ("Plan B.", ["Plan", "B", "."]),
        ("an F-16, 1,000 of 2.5 m", ["an", "F-16", ",", "1,000", "of", "2.5", "m"]),
        ("AT&T & Co", ["AT&T", "&", "Co"]),
        ("Paris-based O'Brien's", ["Paris", "-", "based", "O", "'", "Brien", "'", "s"]),
        ("won 3-1.", ["won", "3-1", "."]),
        ("(U.S.)", ["(", "U.S.", ")"]),
        ("Rue Saint-Honore, Jean-Pierre", ["Rue", "Saint-Honore", ",", "Jean-Pierre"]),
        ("1-Magnus co-op", ["1", "-", "Magnus", "co", "-", "op"]),
        ("@anna see https://t.co/x?y=1", ["@anna", "see", "https://t.co/x?y=1"]),
        ("(https://oslo.org/a.b), or http://t.co.", ["(", "https://oslo.org/a.b", ")", ",", "or", "http://t.co", "."]),
        ("a@b", ["a", "@", "b"]),
        ("wait...what", ["wait", ".", ".", ".", "what"]),
    ],
)
def test_punctuation_within_a_word_does_not_part_it(text: str, expected: list[str]) -> None:
    assert words(tiny.TOKENIZERS["wordpiece"]([*TEXTS, text]), text) == expected


def test_accents_belong_to_their_word_also_where_the_tokenizer_drops_them(tokenizer: Any) -> None:
    assert words(tokenizer, "un e\u0301te\u0301 la\u0300") == ["un", "e\u0301te\u0301", "la\u0300"]


def test_a_word_ends_after_half_an_emoji(tokenizer: Any) -> None:
    assert words(tokenizer, "x \ud83d y") == ["x", "\ud83d", "y"]


@pytest.mark.parametrize("text", ["", " ", "\n\t \u3000"])
def test_a_text_without_words_is_a_row_without_questions(tokenizer: Any, text: str) -> None:
    found = read(reading(tokenizer), ["x", text], 200)
    assert found.passages[1].words == [] and set(found.passages[1].owners) <= {-1}
    assert len(found.ids) == 2 and found.ids[1] and found.whose == [0, 1]


def test_scripts_without_spaces_are_words_by_piece() -> None:
    made = tiny.TOKENIZERS["byte_level"](TEXTS)  # one character, one or more pieces
    assert words(made, "我爱北京") == list("我爱北京")
    assert words(made, "ที่ x") == ["ที่", "x"]


def test_every_piece_is_asked_once_in_windows_of_whole_words(tokenizer: Any) -> None:
    text = " ".join(TEXTS * 9)
    found = read(reading(tokenizer), ["x", text], 50)
    passage = found.passages[1]
    pieces = read(reading(tokenizer), [text], 10_000)
    assert passage.words == pieces.passages[0].words and len(passage.windows) > 4
    assert found.whose == [0] + [1] * len(passage.windows)
    assert all(len(ids) <= 50 and (ids[0], ids[-1]) == (0, 2) for ids in found.ids)
    asked = [found.ids[window.row][window.skip : window.skip + window.end - window.start] for window in passage.windows]
    assert list(chain.from_iterable(asked)) == pieces.ids[0][1:-1]
    for window in passage.windows[1:]:
        assert window.skip > 1  # something stands before what is asked
        assert passage.owners[window.start] != passage.owners[window.start - 1]


@given(st.integers(1, 400), st.integers(1, 60))
def test_windows_share_out_the_pieces(size: int, room: int) -> None:
    found = _windows(list(range(size)), room)
    assert [piece for _, _, start, end in found for piece in range(start, end)] == list(range(size))
    for begin, stop, start, end in found:
        assert 0 <= begin <= start < end <= stop <= size and stop - begin <= room
    for piece in range(size):
        (own,) = [(begin, stop) for begin, stop, start, end in found if start <= piece < end]
        others = [(begin, stop) for begin, stop, _, _ in found if begin <= piece < stop]
        assert _depth(piece, own, size) >= max(_depth(piece, other, size) for other in others) - 1


def _depth(piece: int, window: tuple[int, int], size: int) -> float:
    """Distance to the nearest edge; the ends of the text are none."""
    left = piece - window[0] if window[0] else size
    return min(left, window[1] - 1 - piece if window[1] < size else size)


def test_a_word_longer_than_a_window_is_cut(tokenizer: Any) -> None:
    found = read(reading(tokenizer), ["x" * 300], 12)
    assert found.passages[0].words in ([(0, 300)], [(0, 300)])
    assert all(len(ids) <= 12 for ids in found.ids)
