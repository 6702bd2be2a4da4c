import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from evokd.tasks.base import Example, bare, normalise, text_id


@pytest.mark.parametrize(
    ("a", "b"), [("Play  it\n", "play it"), ("\uff30lay it", "play it"), ("STRASSE", "straße"), ("é", "e\u0301")]
)
def test_texts_that_count_as_the_same(a: str, b: str) -> None:
    assert normalise(a) == normalise(b)
    assert Example(text=a, label="x").id == Example(text=b, label="y").id == text_id(b)


def test_texts_that_do_not() -> None:
    assert len({text_id(text) for text in ("a b", "ab", "a-b", "á b", "")}) == 5


def test_bare_texts_differ_in_more_than_punctuation() -> None:
    assert bare("Where is my parcel?") == bare("where is my parcel") != bare("where was my parcel")
    assert bare(":)") != bare(":(")


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_case_and_space_never_matter(text: str) -> None:
    assert text_id(f" {text}\t") == text_id(text)
    assert len(text_id(text)) == 16


def test_an_id_of_its_own_stays_and_a_copy_keeps_it() -> None:
    assert Example(id="mine", text="t", label="x").id == "mine"
    assert Example(text="t", label="x").moved("gate").id == text_id("t")


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(ValidationError, match="surrogates not allowed"):
        Example(text="\ud800", label="x")
