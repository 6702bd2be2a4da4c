"""Surprise: bounded, lowest where all goes to the right answer, and sharper or flatter by its power."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evokd.tasks.likelihood import WORST, at_temperature, negative_log_likelihood

SHARE = st.floats(0.001, 1.0)


def test_it_is_the_negative_log_probability() -> None:
    assert negative_log_likelihood({"a": 0.25, "b": 0.75}, "a") == pytest.approx(math.log(4))
    assert negative_log_likelihood({"a": 1.0, "b": 0.0}, "a") == 0.0


@pytest.mark.parametrize("inverse_temperature", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("share", [0.0, -1.0, math.nan, 1e-300])
def test_nothing_is_worse_than_the_worst(share: float, inverse_temperature: float) -> None:
    assert 0 < negative_log_likelihood({"a": share, "b": 1.0}, "a", inverse_temperature) <= WORST + 1e-9
    assert negative_log_likelihood({"b": 1.0}, "a", inverse_temperature) == pytest.approx(
        negative_log_likelihood({"a": 0.0, "b": 1.0}, "a", inverse_temperature)
    )


@given(st.dictionaries(st.sampled_from("abcd"), SHARE, min_size=2), st.floats(0.25, 4.0))
def test_it_is_that_of_the_shares_raised_and_made_to_sum_to_one(
    raw: dict[str, float], inverse_temperature: float
) -> None:
    total = sum(raw.values())
    shares = {answer: share / total for answer, share in raw.items()}
    raised = {answer: share**inverse_temperature for answer, share in shares.items()}
    for answer in shares:
        expected = -math.log(raised[answer] / sum(raised.values()))
        assert negative_log_likelihood(shares, answer, inverse_temperature) == pytest.approx(
            min(WORST, expected), abs=1e-4
        )


def test_a_higher_power_is_surer_of_what_is_likely() -> None:
    likely = [
        negative_log_likelihood({"a": 0.7, "b": 0.3}, "a", inverse_temperature)
        for inverse_temperature in (0.5, 1.0, 2.0)
    ]
    unlikely = [
        negative_log_likelihood({"a": 0.7, "b": 0.3}, "b", inverse_temperature)
        for inverse_temperature in (0.5, 1.0, 2.0)
    ]
    assert likely == sorted(likely, reverse=True) and unlikely == sorted(unlikely)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=6), st.floats(0.14, 7.4))
def test_a_temperature_divides_the_logits_and_keeps_the_order(logits: list[float], temperature: float) -> None:
    def softmax(power: float) -> dict[str, float]:
        weights = [math.exp((each - max(logits)) * power) for each in logits]
        return {str(place): weight / sum(weights) for place, weight in enumerate(weights)}

    shares, found = softmax(1.0), at_temperature(softmax(1.0), temperature)
    assert found == pytest.approx(softmax(1 / temperature), abs=1e-9) and sum(found.values()) == pytest.approx(1.0)
    assert list(found) == list(shares)
    for one in shares:
        for other in shares:
            assert found[one] >= found[other] or shares[one] < shares[other]


def test_a_share_of_nothing_stays_nothing_and_no_shares_stay_none() -> None:
    assert at_temperature({"a": 1.0, "b": 0.0}, 5.0) == {"a": 1.0, "b": 0.0}
    assert at_temperature({"a": 5e-324, "b": 1.0}, 0.14) == {"a": 0.0, "b": 1.0}
    assert at_temperature({}, 2.0) == {}
