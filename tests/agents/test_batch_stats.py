"""What became of a batch: counted by field, added up, and refused where nobody would read it."""

import json
from typing import Any

import numpy as np
import pytest

from evokd.agents.batch_stats import GROUPS, BatchStats, add_stats, check_stats, has_no_drafts
from evokd.report.wording import BATCH_STATS


def test_numbers_and_groups_are_added_and_the_given_ones_stay() -> None:
    before = BatchStats(drafted=3, refused={"duplicate": 1}, other={"mine": 1})
    kept = json.dumps(before)
    after = add_stats(before, drafted=2, refused={"duplicate": 2, "held-out": 1}, trained_on=0, quarantined={})
    assert after == {
        "drafted": 5, "refused": {"duplicate": 3, "held-out": 1}, "other": {"mine": 1}, "trained_on": 0,
        "quarantined": {},
    }  # fmt: skip
    assert json.dumps(before) == kept
    assert add_stats(before, **after)["drafted"] == 8


@pytest.mark.parametrize(
    ("stats", "why"),
    [
        ({"too hard": 1}, "no field 'too hard'"),
        ({"drafted": "1"}, "whole number, not '1'"),
        ({"drafted": True}, "whole number, not True"),
        ({"drafted": np.int64(1)}, "whole number, not "),
        ({"drafted": {"x": 1}}, "whole number, not {'x': 1}"),
        ({"refused": 1}, "dict of name to whole number, not 1"),
        ({"refused": {"duplicate": 1.5}}, "dict of name to whole number, not {'duplicate': 1.5}"),
        ({"other": {1: 1}}, "dict of name to whole number, not {1: 1}"),
        (None, "must be a dict with the fields of BatchStats, not None"),
    ],
)
def test_what_is_no_stats_is_refused_in_a_line_with_the_value(stats: Any, why: str) -> None:
    with pytest.raises(ValueError) as refused:
        check_stats(stats)
    assert why in str(refused.value) and "\n" not in str(refused.value)
    if isinstance(stats, dict):
        with pytest.raises(ValueError):
            add_stats(BatchStats(), **stats)


def test_only_a_count_of_none_says_that_no_text_came() -> None:
    assert has_no_drafts({"drafted": 0}) and not has_no_drafts({"drafted": 1}) and not has_no_drafts({"accepted": 0})


def test_every_field_has_its_words_and_its_form() -> None:
    assert {*BATCH_STATS, "other"} == set(BatchStats.__annotations__)
    assert {"refused", "quarantined", "repaired", "unusable", "lessons_refused", "other"} == GROUPS
