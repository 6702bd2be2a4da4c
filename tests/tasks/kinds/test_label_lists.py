"""Cells with several labels."""

import pytest

from evokd.tasks.kinds.multilabel import MultiLabel

TASK = MultiLabel("", {"price": "", "Fast Speed": "", "bugs": ""})


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        (["bugs", "price"], ("price", "bugs")),
        ("price,fast speed", ("price", "Fast Speed")),
        ("price; bugs", ("price", "bugs")),
        ("price|bugs|", ("price", "bugs")),
        ('["price", "bugs"]', ("price", "bugs")),
        ("['price', 'bugs']", ("price", "bugs")),
        ("[]", ()),
        ("none", ()),
        (["none"], ()),
        (" , ", ()),
        (None, ()),
    ],
)
def test_lists_in_every_form(cell: object, label: tuple[str, ...]) -> None:
    assert TASK.gold("t", cell) == label


@pytest.mark.parametrize(
    "cell", [[1, 0, 0], [True, False, True], [1.0, 0.0, 0.0], "1,0,0", "[0, 1, 0]", "0;0;1", [0, 0]]
)
@pytest.mark.parametrize("names", [("a", "b", "c"), ("0", "1", "2")])
def test_a_vector_is_refused_by_name(cell: object, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="a number for each label, but in which order is not told"):
        MultiLabel("", dict.fromkeys(names, "")).gold("t", cell)


def test_numbers_that_are_names_are_no_vector() -> None:
    stars = MultiLabel("", {"0": "", "1": "", "2": ""})
    assert stars.gold("t", [0, 1]) == stars.gold("t", "1,0") == stars.gold("t", ["1", "0"]) == ("0", "1")
    assert stars.gold("t", [0, 1, 2]) == ("0", "1", "2")


@pytest.mark.parametrize(
    "cell", [["price", "none"], "price, none", ["cost"], "[price", {"price": 1}, "NaN", "price;bug"]
)
def test_what_is_no_list_of_labels_is_refused(cell: object) -> None:
    with pytest.raises(ValueError, match=r"not a list of|labels and none at once"):
        TASK.gold("t", cell)


def test_a_separator_in_a_name_is_part_of_it() -> None:
    assert MultiLabel("", {"a;b": "", "a": "", "b": ""}).gold("t", "a;b") == ("a;b",)
