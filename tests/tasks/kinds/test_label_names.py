"""Names of labels: what a user's cell may differ in, and what a teacher's answer may."""

import pytest

from evokd.tasks.base import InvalidAnswer
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.label_names import fold, loosen, words_for
from evokd.tasks.kinds.multilabel import MultiLabel
from evokd.tasks.kinds.ner import Ner

APART = [
    ("1", "-1"),
    ("45", "4.5"),
    ("45", "4,5"),
    ("10", "1.0"),
    ("5", ".5"),
    ("10", "1 0"),
    ("1020", "10-20"),
    ("C", "C#"),
    ("A", "A-"),
    ("A", "A*"),
    ("A", "A+"),
    ("5", "5%"),
    ("NA", "N/A"),
    ("RD", "R&D"),
    ("database", "data;base"),
]
"""A label, and what is another name."""


@pytest.mark.parametrize(("label", "other"), APART)
def test_signs_symbols_and_points_beside_digits_make_another_name(label: str, other: str) -> None:
    task, several, types = (kind("", {label: "", "zzz": ""}) for kind in (Classification, MultiLabel, Ner))
    assert fold(label) != fold(other) and loosen(label) != loosen(other)
    with pytest.raises(InvalidAnswer):
        task.read("t", other)
    with pytest.raises(ValueError, match="not one of"):
        task.gold("t", other)
    with pytest.raises(InvalidAnswer):
        several.read("t", [other])
    with pytest.raises(ValueError, match="not a list of"):
        several.gold("t", [other])
    with pytest.raises(InvalidAnswer):
        types.read("a name", [{"type": other, "text": "name"}])
    with pytest.raises(ValueError, match="not one of"):
        types.gold("a name", [{"start": 2, "end": 6, "type": other}])
    assert task.read("t", label).label == task.gold("t", label) == label


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        ("GetWeather", "get weather"),
        ("GetWeather", " GETWEATHER\u00a0"),
        ("-1", "\u22121"),
        ("-1", -1),
        ("5", 5),
        ("4.5", 4.5),
        ("true", True),
        ("FALSE", False),
        ("\u00e9t\u00e9", "E\u0301TE\u0301"),
        ("music", "\uff4d\uff55\uff53\uff49\uff43"),
        ("music", ["music"]),
        ("music", "\ufeffmu\u200bsic"),
    ],
)
def test_cells_match_by_case_white_space_and_unicode_alone(label: str, cell: object) -> None:
    assert Classification("", {label: "", "zzz": ""}).gold("t", cell) == label


@pytest.mark.parametrize(
    "cell", ["music.", '"music"', "mu-sic", "- music", "(music)", "mu_sic", float("nan"), ["music", "zzz"]]
)
def test_what_a_teacher_may_add_a_cell_may_not(cell: object) -> None:
    with pytest.raises(ValueError, match="is not one of: 'music', 'zzz'"):
        Classification("", {"music": "", "zzz": ""}).gold("t", cell)


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ("-1", "-1."),
        ("1", "(1)"),
        ("1", " **1** "),
        ("4.5", "`4.5`."),
        ("play-list", "- Play list"),
        ("US", "U.S."),
        ("don't know", "\u201cDont know\u201d"),
        ("Zeit", "\u201eZeit\u201c"),
        ("true", True),
    ],
)
def test_a_teacher_may_add_quotes_points_and_bullets(label: str, answer: object) -> None:
    assert Classification("", {label: "", "zzz": ""}).read("t", answer).label == label


def test_cells_of_entities_are_not_guessed_in_any_form() -> None:
    task = Ner("", {"C": "", "PER": ""})
    for cell in (["C#"], "C# name", "a [C#: name]", [{"type": "C#", "text": "name"}], ["O", "B-C#"]):
        with pytest.raises(ValueError, match="C#"):
            task.gold("a name", cell)
    assert task.gold("a name", ["O", "B-per"]) == task.gold("a name", "per name")


def test_words_keep_signs_and_need_no_say() -> None:
    assert words_for(["-1", "0", "1"], {}) == {"-1": "-1", "0": "0", "1": "1"}
    assert words_for(["A", "A-"], {}) == {"A": "a", "A-": "a-"}
    assert words_for(["Sci - Tech", "play-music"], {}) == {"Sci - Tech": "sci tech", "play-music": "play music"}
    assert words_for(["play_music", "PlayMusic", "b"], {}) == {
        "play_music": "play_music", "PlayMusic": "playmusic", "b": "b"
    }  # fmt: skip
    assert words_for(["play_music", "b"], {"b": "play music"})["play_music"] == "play_music"


def test_an_error_about_say_shows_a_line_of_it() -> None:
    with pytest.raises(ConfigError, match=r"under \[task.say\], for instance: 'b' = 'X 2'\.$"):
        words_for(["a", "b"], {"a": "x", "b": "X"})


def test_a_hint_says_what_seems_to_be_meant() -> None:
    task = Classification("", {"0": "", "1": ""})
    for cell, what in (
        ("1.0", "Write '1' for '1.0'"),
        (1.0, "Write '1' for '1.0'"),
        (-1, "hide their labels as -1"),
        ("x", ""),
    ):
        with pytest.raises(ValueError, match="not one of") as error:
            task.gold("t", cell)
        assert what in getattr(error.value, "hint") and bool(what) is bool(getattr(error.value, "hint"))  # noqa: B009
