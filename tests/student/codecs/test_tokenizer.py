"""A tokenizer gives the same ids whatever was asked of it before, and those that transformers gives."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from evokd.student.codecs.tokenizer import FastTokenizer
from evokd.student.encoder.reading import SlowTokenizer, reading
from tests.student import tiny

TEXTS = ["Émile's trip (to São Paulo, U.S.) cost 3.50€ 😀!", "", "x " * 90]


@pytest.fixture(scope="module", params=tiny.TOKENIZERS)
def own(request: pytest.FixtureRequest) -> Any:
    return tiny.TOKENIZERS[request.param](TEXTS)


def test_ids_are_those_of_transformers_cut_and_whole(own: Any) -> None:
    expected = own(TEXTS, truncation=True, max_length=12)["input_ids"]
    everything = own(TEXTS, verbose=False)["input_ids"]
    made = reading(own)
    assert isinstance(made, FastTokenizer)
    for _ in range(2):
        assert made.ids(TEXTS, 12) == expected and max(map(len, expected)) == 12
        assert [encoding.ids for encoding in made.encodings(TEXTS)] == everything


def test_texts_are_cut_on_the_side_that_the_tokenizer_says(own: Any) -> None:
    left = FastTokenizer(own.backend_tokenizer, own.pad_token_id, "left")
    right = FastTokenizer(own.backend_tokenizer, own.pad_token_id)
    text = "Émile's trip to São Paulo"
    whole = right.ids([text], 200)[0]
    assert right.ids([text], 6)[0][:-1] == whole[:5] and left.ids([text], 6)[0][1:] == whole[-5:]


def test_padding_that_a_tokenizer_json_brings_is_not_added(own: Any) -> None:
    own.backend_tokenizer.enable_padding(length=50)
    assert [len(each) for each in reading(own).ids(["x", ""], 40)] == [len(own("x")["input_ids"]), 2]


def test_several_threads_may_ask_for_ids(own: Any) -> None:
    made = reading(own)
    expected = made.ids(TEXTS, 12)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(lambda _: made.ids(TEXTS, 12), range(200)))


def test_a_tokenizer_in_python_gives_ids_and_no_places() -> None:
    class Slow:
        is_fast, pad_token_id = False, 0

        def __call__(self, texts: list[str], truncation: bool, max_length: int) -> dict[str, list[list[int]]]:
            return {"input_ids": [[len(text)] * min(max_length, 9) for text in texts]}

    made = reading(Slow())
    assert isinstance(made, SlowTokenizer) and made.ids(["ab"], 3) == [[2, 2, 2]]
    with pytest.raises(TypeError, match="Slow cannot say where"):
        made.encodings(["ab"])
