"""Exports of labelling tools, each as the tool writes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from evokd.tasks.base import Span
from evokd.tasks.data.reading import read_examples, read_texts
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.multilabel import MultiLabel
from evokd.tasks.kinds.ner import Ner
from evokd.tasks.task import Task
from tests.tasks.files import lines, write

ONE = Classification("", {"pos": "", "neg": ""})
MANY = MultiLabel("", {"pos": "", "neg": ""})
NER = Ner("", {"PER": "", "LOC": ""})
ANN = (Span(start=0, end=7, type="PER"),)
TEXT = "Ann Lee flies"


def annotation(*values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 1, "result": [{"value": value, "from_name": "l", "type": "x"} for value in values], **more}


def label_studio(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {"id": 7, "annotations": list(annotations), "predictions": [], "data": {"text": TEXT}}


PERSON = {"start": 0, "end": 7, "text": "Ann Lee", "labels": ["PER"]}


@pytest.mark.parametrize(
    ("task", "row", "label"),
    [
        (ONE, {"id": 1, "text": TEXT, "label": ["pos"], "Comments": []}, "pos"),
        (MANY, {"id": 1, "text": TEXT, "label": ["pos", "neg"], "Comments": []}, ("pos", "neg")),
        (NER, {"id": 1, "text": TEXT, "label": [[0, 7, "PER"]]}, ANN),
        (NER, {"text": TEXT, "entities": [{"id": 4, "label": "PER", "start_offset": 0, "end_offset": 7}]}, ANN),
        (NER, {"text": TEXT, "label": [PERSON], "annotator": 1}, ANN),
        (NER, label_studio(annotation(PERSON)), ANN),
        (NER, label_studio(annotation()), ()),
        (NER, label_studio(annotation(PERSON, was_cancelled=True), annotation()), ()),
        (ONE, label_studio(annotation({"choices": ["neg"]})), "neg"),
        (MANY, label_studio(annotation({"choices": ["neg", "pos"]})), ("pos", "neg")),
        (MANY, {"text": TEXT, "labels": {"choices": ["neg", "pos"]}}, ("pos", "neg")),
        (ONE, {"text": TEXT, "options": [{"id": "pos"}, {"id": "neg"}], "accept": ["pos"], "answer": "accept"}, "pos"),
        (NER, {"text": TEXT, "tokens": [{"text": "Ann", "id": 0}], "spans": [
            {"start": 0, "end": 7, "token_start": 0, "token_end": 1, "label": "PER"}], "answer": "accept"}, ANN),
        (NER, [TEXT, {"entities": [[0, 7, "PER"]]}], ANN),
        (ONE, [TEXT, {"cats": {"pos": 1.0, "neg": 0.0}}], "pos"),
        (MANY, {"text": TEXT, "pos": 0, "neg": 1, "id": 3}, ("neg",)),
        (MANY, {"text": TEXT, "pos": "", "neg": None}, ()),
        (ONE, {"text": TEXT, "pos": "TRUE", "neg": "FALSE"}, "pos"),
    ],
)  # fmt: skip
def test_forms_of_tools_are_read(tmp_path: Path, task: Task, row: object, label: object) -> None:
    source = write(tmp_path, "a.jsonl", lines(row))
    assert [(e.text, e.label) for e in read_examples(source, task, "seed", base=tmp_path)] == [(TEXT, label)]
    whole = write(tmp_path, "a.json", json.dumps([row, {"text": "x", "label": []}][:1], indent=1))
    assert [e.label for e in read_examples(whole, task, "seed", base=tmp_path)] == [label]
    if isinstance(row, dict):
        assert read_texts(source, task, base=tmp_path) == [TEXT]


@pytest.mark.parametrize(
    ("task", "row", "what"),
    [
        (NER, label_studio(annotation(PERSON), annotation()), "has 2 annotations of Label Studio. Keep one"),
        (
            NER,
            label_studio(annotation({**PERSON, "labels": ["PER", "LOC"]})),
            "'label' has a span of type ['PER', 'LOC'], which is not one of",
        ),
        (ONE, {"text": TEXT, "options": [], "accept": ["pos", "neg"]}, "'label' is ['pos', 'neg'], which is not one"),
        (MANY, {"text": TEXT, "pos": -1, "neg": -1}, "'pos' is -1. The column of a label says 1 or 0"),
        (ONE, {"text": TEXT, "pos": 1, "neg": 1}, "'label' is ['pos', 'neg'], which is not one of"),
    ],
)
def test_what_a_tool_leaves_open_is_named(tmp_path: Path, task: Task, row: object, what: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_examples(write(tmp_path, "a.jsonl", lines(row)), task, "seed", base=tmp_path)
    assert what in str(error.value)


def test_rejected_and_ignored_rows_are_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        {"text": f"t{i}", "label": "pos", "answer": a} for i, a in enumerate(["accept", "reject", "ignore", "reject"])
    ]
    source = write(tmp_path, "a.jsonl", lines(*rows))
    assert [e.text for e in read_examples(source, ONE, "seed", base=tmp_path)] == ["t0"]
    assert "rows left out: 2 rejected in Prodigy, 1 ignored in Prodigy." in caplog.text
    assert len(read_texts(source, ONE, base=tmp_path)) == 4, "their texts are texts like any others"
    task = Classification("", {"accept": "", "reject": "", "ignore": ""})
    found = read_examples(source, task, "seed", label="answer", base=tmp_path)
    assert [e.label for e in found] == ["accept", "reject", "ignore", "reject"], "a column of the user's own"


def test_rows_without_tokens_or_annotations_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = write(tmp_path, "a.jsonl", lines({"tokens": ["Ann"], "tags": ["O"]}, {"tokens": [], "tags": []}))
    assert len(read_examples(source, NER, "seed", base=tmp_path)) == 1
    assert "rows left out: 1 without tokens." in caplog.text
    assert read_texts(source, NER, base=tmp_path) == ["Ann"]
    with pytest.raises(ConfigError, match="line 2: 'tokens' is not a text"):
        read_texts(source, NER, base=tmp_path, each_once=False)
    open_task = write(tmp_path, "b.json", json.dumps([label_studio(annotation(PERSON)), label_studio()]))
    assert [e.label for e in read_examples(open_task, NER, "seed", base=tmp_path)] == [ANN]
    assert "1 without an annotation" in caplog.text


def test_tokens_in_a_table_are_a_list_and_no_text(tmp_path: Path) -> None:
    content = "tokens,tags\n\"['Ann', 'Lee', 'flies']\",\"['B-PER', 'I-PER', 'O']\"\n"
    [found] = read_examples(write(tmp_path, "a.csv", content), NER, "seed", base=tmp_path)
    assert (found.text, found.label) == (TEXT, ANN)


def test_offsets_in_utf16_are_told_in_which_unit_they_are_read(tmp_path: Path) -> None:
    row = {"text": "\U0001f600 Ann Lee", "spans": [{"start": 3, "end": 10, "label": "PER", "text": "Ann Lee"}]}
    with pytest.raises(ConfigError, match=r"not inside the text of 9 characters\. Offsets count characters \(Unicode"):
        read_examples(write(tmp_path, "a.jsonl", lines(row)), NER, "seed", base=tmp_path)
    row["text"] = "\U0001f600 Ann Lee flies"
    with pytest.raises(ConfigError, match=r"and not 'Ann Lee'\. Offsets count characters \(Unicode code points\), not"):
        read_examples(write(tmp_path, "a.jsonl", lines(row)), NER, "seed", base=tmp_path)


def test_the_json_of_a_document_of_spacy_is_read(tmp_path: Path) -> None:
    row = {"text": "Ann Lee flies", "ents": [{"start": 0, "end": 7, "label": "PER"}], "tokens": [{"id": 0}], "cats": {}}
    (tmp_path / "doc.jsonl").write_text(json.dumps(row) + "\n")
    task = Ner("d", {"PER": "a person"}, {}, "text")
    [example] = read_examples("doc.jsonl", task, "seed", base=tmp_path)
    assert example.label == (Span(start=0, end=7, type="PER"),)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.ann", "T1\tPER 0 7\tAnn Lee\n", r"is brat's annotations: .*anntoconll"),
        ("a.tsv", "T1\tPER 0 7\tAnn Lee\nR1\tx Arg1:T1 Arg2:T1\n", r"is brat's\. .*anntoconll"),
        ("a.spacy", "DocBin", r"is spaCy's DocBin: .*to_json"),
        ("a.json", '[{"id": 0, "paragraphs": []}]', r"is spaCy 2's training format. .*to_json"),
    ],
)
def test_a_form_that_is_not_read_is_named_with_what_to_do(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=said) as told:
        read_examples(name, Ner("d", {"PER": "a person"}, {}, "text"), "seed", base=tmp_path)
    assert "\n" not in str(told.value)
