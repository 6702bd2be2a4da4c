"""Reading the labels of kinds whose answers are no single name: spans in every form, CoNLL files, several labels."""

from pathlib import Path

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from evokd.tasks.base import Example, Span
from evokd.tasks.data.reading import check_seeds, read_examples, read_texts
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.multilabel import MultiLabel
from evokd.tasks.kinds.ner import Ner
from tests.tasks.files import lines, write

TASK = Classification("", {"music": "", "GetWeather": "", "5": ""})
NER = Ner("", {"ORG": "", "LOC": ""})


ROME = (Span(start=7, end=11, type="LOC"),)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", lines({"text": "met in Rome", "spans": [{"start": 7, "end": 11, "type": "LOC"}]})),
        ("a.jsonl", lines({"text": "met in Rome", "entities": [{"type": "LOC", "text": "Rome"}], "label": 3})),
        ("a.jsonl", lines({"text": "met in Rome", "label": "LOC Rome"})),
        ("a.jsonl", lines({"tokens": ["met", "in", "Rome"], "tags": ["O", "O", "B-LOC"]})),
        ("a.jsonl", lines({"tokens": ["met", "in", "Rome"], "ner_tags": ["O", "O", "I-LOC"], "id": 1})),
        ("a.csv", 'text,spans\nmet in Rome,"[{""start"": 7, ""end"": 11, ""type"": ""LOC""}]"\n'),
        ("a.tsv", "text\tlabel\nmet in Rome\tLOC Rome\n"),
        ("a.conll", "# id = 1\nmet O\nin O\nRome B-LOC\n\n"),
        ("a.BIO", "-DOCSTART- -X- O\n\nmet VB O\nin IN O\nRome NN I-LOC"),
        ("a.iob", "met\tO\r\nin\tO\r\nRome\tI-LOC\r\n"),
    ],
)
def test_spans_in_every_form(tmp_path: Path, name: str, content: str) -> None:
    source = write(tmp_path, name, content)
    assert read_examples(source, NER, "dev", base=tmp_path) == [Example(text="met in Rome", label=ROME, split="dev")]
    assert read_texts(source, NER, base=tmp_path) == ["met in Rome"]


def test_columns_of_a_kind_with_several_can_be_named(tmp_path: Path) -> None:
    row = {"body": "met in Rome", "text": "no", "spans": [], "marked": "met in [LOC: Rome]"}
    source = write(tmp_path, "a.jsonl", lines(row))
    (found,) = read_examples(source, NER, "seed", text="body", label="marked", base=tmp_path)
    assert (found.text, found.label) == ("met in Rome", ROME)
    (found,) = read_examples(source, NER, "seed", text="body", base=tmp_path)
    assert (found.text, found.label) == ("met in Rome", ())
    assert read_texts(source, NER, text="body", base=tmp_path) == ["met in Rome"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (
            {"txt": "x", "spans": []},
            "there is no 'text' and 'spans', or 'text' and 'entities', or 'text' and 'label', or 'tokens' and 'tags', "
            "or 'tokens' and 'ner_tags'; the row has 'txt', 'spans'",
        ),
        ({"text": "x", "spans": [{"start": 0, "end": 9, "type": "LOC"}]}, "'spans' has a span 0 to 9, which"),
        ({"tokens": ["a", "b"], "tags": ["O"]}, "'tags' has 1 tag for 2 words"),
        ({"tokens": ["a", "b"], "tags": ["O", "B-PER"]}, "'tags' has 'B-PER', which is no tag"),
        ({"tokens": ["a", "New York"], "tags": ["O", "O"]}, "'tokens' has a token that is empty or has a space"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "'tokens' has a token that is empty"),
        ({"tokens": [], "tags": ["O"]}, "'tokens' is not a text but []"),
        ({"tokens": ["a", 1], "tags": ["O", "O"]}, "'tokens' is not a text but ['a', 1]"),
        ({"text": "x", "label": "LOC Rome"}, "'label' is 'LOC Rome': 'Rome' is not in the text"),
    ],
)  # fmt: skip
def test_a_bad_row_of_spans_is_named(tmp_path: Path, row: object, what: str) -> None:
    source = write(tmp_path, "a.jsonl", lines(row))
    with pytest.raises(ConfigError) as error:
        read_examples(source, NER, "seed", base=tmp_path)
    assert str(error.value).startswith("a.jsonl: line 1: ")
    assert what in str(error.value)


def test_a_bad_line_of_a_conll_file_is_named(tmp_path: Path) -> None:
    source = write(tmp_path, "a.conll", "met O\nin\n\nRome B-CITY\n")
    with pytest.raises(ConfigError, match=r"line 2: a token without a tag: 'in'; line 4: 'tags' has 'B-CITY'"):
        read_examples(source, NER, "seed", base=tmp_path)
    with pytest.raises(ConfigError, match=r"has no rows\. Give at least one with 'text' and 'spans', or"):
        read_examples(write(tmp_path, "b.conll", "-DOCSTART- O\n\n"), NER, "seed", base=tmp_path)


def test_one_text_with_two_sets_of_spans(tmp_path: Path) -> None:
    source = write(
        tmp_path, "a.jsonl", lines({"text": "in Rome", "label": "LOC Rome"}, {"text": "In Rome", "label": "none"})
    )
    with pytest.raises(ConfigError, match="two labels \\('LOC Rome' at line 1, 'none' here\\): 'In Rome'"):
        read_examples(source, NER, "seed", base=tmp_path)


def test_classes_in_lists_get_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tags = datasets.ClassLabel(names=["O", "B-LOC", "I-LOC"])
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(tags),
            "id": datasets.Value("int8"),
        }
    )
    rows = {"tokens": [["met", "in", "Rome"], ["x"]], "ner_tags": [[0, 0, 1], [0]], "id": [1, 2]}
    data = datasets.Dataset.from_dict(rows, features=features)
    monkeypatch.setattr(datasets, "load_dataset", lambda name, split: data)
    data.to_parquet(tmp_path / "a.parquet")
    for source in ("hf:org/set", "a.parquet"):
        found = read_examples(source, NER, "dev", base=tmp_path)
        assert [(example.text, example.label) for example in found] == [("met in Rome", ROME), ("x", ())]
    plain = pyarrow.table({"tokens": [["Rome"]], "ner_tags": [[1]]})
    pyarrow.parquet.write_table(plain, tmp_path / "b.parquet")
    with pytest.raises(ConfigError, match="row 1: 'ner_tags' has 1, which is no tag"):
        read_examples("b.parquet", NER, "dev", base=tmp_path)


def test_a_text_of_tokens_is_joined_for_every_kind(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", lines({"text": ["play", "it"], "label": "music"}))
    assert read_examples(source, TASK, "seed", base=tmp_path)[0].text == "play it"
    assert read_texts(source, base=tmp_path) == ["play it"]


def test_several_labels(tmp_path: Path) -> None:
    task = MultiLabel("", {"price": "", "speed": ""})
    rows = [{"text": "a", "labels": ["speed", "price"]}, {"text": "b", "labels": []}, {"text": "c", "label": "price"}]
    found = read_examples(write(tmp_path, "a.jsonl", lines(*rows)), task, "seed", base=tmp_path)
    assert [example.label for example in found] == [("price", "speed"), (), ("price",)]
    check_seeds(found[:1], task)
    with pytest.raises(ConfigError, match="No seed example has the label 'speed'"):
        check_seeds(found[1:], task)


def test_seeds_must_hold_every_type() -> None:
    check_seeds(
        [Example(text="in Rome", label=ROME), Example(text="x", label=(Span(start=0, end=1, type="ORG"),))], NER
    )
    with pytest.raises(ConfigError, match="No seed example has the label 'ORG'"):
        check_seeds([Example(text="met in Rome", label=ROME)], NER)
