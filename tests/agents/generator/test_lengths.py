"""How long texts are: of few texts with a margin, of many without their ends, in characters where words have none."""

from pathlib import Path

import pytest

from evokd.agents.generator.lengths import Lengths, measure_lengths, tokens_of
from evokd.testing import world


@pytest.mark.parametrize(("others", "expected"), [(0, (1, 7)), (12, (2, 6))])
def test_the_fewer_seeds_there_are_the_wider_is_the_margin(
    tmp_path: Path, others: int, expected: tuple[int, int]
) -> None:
    assert measure_lengths(world.services(tmp_path, pool=["one two three"] * others)) == Lengths(*expected, "words")


def test_lengths_of_a_pool_leave_out_its_ends(tmp_path: Path) -> None:
    pool = [" ".join(["word"] * count) for count in range(1, 101)]
    found = measure_lengths(world.services(tmp_path, pool=pool))
    assert 6 <= found.low <= 12 and 88 <= found.high <= 92


@pytest.mark.parametrize("pool", [["a"] * 40, ["word " * 2000] * 40])
def test_lengths_of_odd_pools(tmp_path: Path, pool: list[str]) -> None:
    found = measure_lengths(world.services(tmp_path, pool=pool))
    assert 1 <= found.low <= found.high and found.high >= 3 and 1 <= found.per_call <= 15


def test_texts_without_spaces_are_measured_in_characters(tmp_path: Path) -> None:
    found = measure_lengths(world.services(tmp_path, pool=["我想把这笔钱退回到我的银行账户里请问要多久"] * 90))
    assert found.unit == "characters" and found.low == found.high == 21
    german = ["Donaudampfschifffahrtsgesellschaft ist ein Wort"] * 90
    assert measure_lengths(world.services(tmp_path, pool=german)).unit == "words"


@pytest.mark.parametrize(("words", "calls"), [(20, 15), (100, 15), (200, 8), (500, 3), (5000, 1)])
def test_fewer_long_texts_are_asked_for_at_once(words: int, calls: int) -> None:
    assert Lengths(1, words, "words").per_call == calls


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("good", 1), ("a good book", 3), ("好书", 2), ("好 book", 3)])
def test_tokens_are_four_characters_or_one_where_words_have_no_spaces(text: str, tokens: int) -> None:
    assert tokens_of(text) == tokens
