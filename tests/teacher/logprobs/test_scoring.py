"""Ratings from lists of tokens, without a server."""

import math
from collections.abc import Mapping

import pytest

from evokd.teacher.logprobs.scoring import Listing, relevant, score_choices


def lists(by_beginning: Mapping[str, Mapping[str, float]]) -> Listing:
    return lambda begun, following, long: by_beginning.get(begun)


def test_three_choices_with_one_beginning() -> None:
    listing = lists({"": {"card": -0.5, "top": -1.0}, "card": {"_": -0.2}, "card_": {"arr": -1.0, "lost": -2.0}})
    got = score_choices(["card_arrival", "card_lost", "top_up"], listing)
    assert got == {"card_arrival": pytest.approx(-1.7), "card_lost": pytest.approx(-2.7), "top_up": -1.0}


def test_the_ratings_of_a_full_list_sum_to_what_was_listed() -> None:
    got = score_choices(["yes", "no"], lists({"": {"yes": math.log(0.5), " Yes": math.log(0.2), "no": math.log(0.3)}}))
    assert got is not None and sum(map(math.exp, got.values())) == pytest.approx(1.0)


def test_none_where_the_second_list_is_missing() -> None:
    assert score_choices(["card_arrival", "card_lost"], lists({"": {"card": -0.5}})) is None


def test_an_impossible_token_is_no_error() -> None:
    assert score_choices(["a", "b"], lists({"": {"a": -math.inf, "b": -1.0}})) == {"a": -math.inf, "b": -1.0}


@pytest.mark.parametrize("choices", [["a", "A "], ["", "b"]])
def test_choices_that_cannot_be_told_apart_are_refused(choices: list[str]) -> None:
    with pytest.raises(ValueError, match="choices must differ"):
        score_choices(choices, lists({}))


def test_only_what_begins_a_choice_is_kept() -> None:
    listed = {" Wor": -1.0, "world": -1.0, " ": -2.0, "the": -0.1, "worlds": -3.0}
    assert relevant(listed, ("world",)) == {" Wor": -1.0, "world": -1.0}
