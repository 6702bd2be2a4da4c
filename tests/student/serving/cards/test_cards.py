"""The cards say what is known, in the hub's form, and foreign words in them are words and no more."""

import re
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard

from evokd.student.serving.cards.data_card import data_card
from evokd.student.serving.cards.facts import Result, RunFacts, Shape, Texts, base_model
from evokd.student.serving.cards.markdown import plain
from evokd.student.serving.cards.model_card import model_card
from evokd.student.serving.confidence import UNKNOWN, Confidence
from evokd.student.serving.parity import Comparison, Parity, Quantised

SHAPE = Shape(head="sequence", labels=("food", "money"), limit=128)
SAME = Comparison(texts=200, labelled=80, agreement=0.9975, score=0.9, score_torch=0.9)
PARITY = Parity(difference=1e-6, texts=200, megabytes=90.0)
INT8 = PARITY.model_copy(update={"int8": Quantised(way="static", chosen_by=SAME, judged=SAME, megabytes=23.0)})
SCORE = {"value": 0.875, "low": 0.82, "high": 0.914, "n": 200}
RESULT: dict[str, Any] = {
    "champion": "final-003",
    "metric": "accuracy",
    "seeds only": {"value": 0.755, "low": None, "high": None, "n": 200},
    "champion score": SCORE,
    "training texts that stand in the test set": 2,
    "agreement with the teacher": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 60, "texts": "of the pool, at random"},
    "calibration": {
        "temperature": 1.5,
        "source": "dev",
        "n": 120,
        "before": {"n": 200, "ece": 0.091, "brier": 0.12, "bins": []},
        "after": {"n": 200, "ece": 0.034, "brier": 0.11, "bins": []},
    },
    "details": {"accuracy": 0.875, "macro_f1": 0.87, "own measure": 3.0},
}
HOSTILE = (
    "fine\n---\nlicense: mit\n---\n# Title <script>alert(1)</script> [here](http://evil) ![x](y) `code` "
    "| cell $$x$$ \\(y\\) \u202edeb\x1b[2J <!-- &lt;"
)


def facts(**changed: Any) -> RunFacts:
    usual: dict[str, Any] = {
        "name": "shop",
        "description": "Sort messages.",
        "noun": "message",
        "labels": {"food": "what is eaten", "money": ""},
        "encoder": "minilm",
        "writer": "gpt-5-mini",
        "embedded": False,
        "texts": Texts(sources={"gold": 4, "hard": 10, "pool": 30}, teachers=("gpt-5-mini",)),
        "result": Result.model_validate(RESULT),
    }
    return RunFacts(**{**usual, **changed})


def card(run: RunFacts | None = None, parity: Parity = PARITY, confidence: Confidence = UNKNOWN) -> str:
    return model_card("shop", SHAPE, parity, confidence, run)


def test_the_front_matter_is_the_hubs_and_holds_the_test_scores() -> None:
    data = ModelCard(card(facts())).data
    assert (data.license, data.pipeline_tag, data.library_name) == ("unknown", "text-classification", "transformers")
    assert data.base_model == "sentence-transformers/all-MiniLM-L6-v2" and "onnx" in data.tags
    found = {each.metric_name: (each.metric_type, each.metric_value) for each in data.eval_results}
    assert found == {"Accuracy": ("accuracy", 0.875), "F1, macro average": ("f1", 0.87)}
    assert {each.dataset_split for each in data.eval_results} == {"test"} and data.model_name == "shop"


@pytest.mark.parametrize(
    "told",
    [
        "| **this student** | 0.875 | 0.820 to 0.914 | 200 |",
        "| the author's examples alone | 0.755 | too few to tell | 200 |",
        "2 of these texts stand among the training texts, too.",
        "| without the temperature | 0.091 | 0.120 |",
        "| with it | 0.034 | 0.110 |",
        "on 60 texts of the author's pool: 0.700 (95 % interval: 0.600 to 0.800)",
        "| hard | written by the teacher for what the student got wrong | 10 |",
        "|  | **all** | 44 |",
        "written by gpt-5-mini, and labelled by gpt-5-mini. **Terms of the teacher**",
        "calibrated by a temperature of 1.50, found on 2 rows of the author's dev file",
        "A text of none of the labels gets one all the same",
    ],
)
def test_the_figures_of_the_run_stand_there(told: str) -> None:
    confidence = Confidence(temperature=1.5, source="dev", confidences=(0.9, 0.8), right=(True, False))
    assert told in card(facts(), confidence=confidence)


def test_what_is_not_known_is_said() -> None:
    alone = card()
    assert "never scored on a test file" in alone and "They are not calibrated" in alone
    assert "Nothing is known of them." in alone and "model-index" not in alone and "base_model" not in alone
    assert "No test file has ever been scored" in card(facts(result=None))


def test_int8_is_offered_only_where_it_is() -> None:
    refused = INT8.model_copy(update={"refused": "it agrees too seldom"})
    for parity in (PARITY, refused):
        told = card(facts(), parity)
        assert "model_quantized" not in told and 'dtype: "fp32"' in told
    assert "There is no network in int8: it agrees too seldom." in card(facts(), refused)
    told = card(facts(), INT8)
    assert 'folder / "onnx/model_quantized.onnx"' in told and 'dtype: "q8"' in told
    assert "(int8, static, 23.0 MB): agrees with torch on 99.75% of 200 texts" in told


def test_the_embedded_teacher_has_known_terms() -> None:
    assert "is under Apache-2.0" in card(facts(embedded=True)) and "OpenAI" not in card(facts(embedded=True))


@pytest.mark.parametrize("place", ["description", "noun", "writer", "encoder"])
def test_nothing_of_a_config_can_forge_front_matter_or_html(place: str) -> None:
    check_harmless(facts(**{place: HOSTILE}))


def test_nor_can_labels_teachers_and_metrics() -> None:
    check_harmless(facts(labels={"food": HOSTILE}))
    check_harmless(facts(texts=Texts(sources={"hard": 1}, teachers=(HOSTILE,))))
    check_harmless(facts(result=Result.model_validate({**RESULT, "metric": HOSTILE, "details": {HOSTILE: 1.0}})))
    check_harmless(facts(), Shape(head="sequence", labels=(HOSTILE,), limit=128))


def check_harmless(run: RunFacts, shape: Shape = SHAPE) -> None:
    usual = model_card("shop", shape, PARITY, UNKNOWN, facts())
    for told, plainly in ((model_card("shop", shape, PARITY, UNKNOWN, run), usual), (data_card(run, shape), None)):
        _, front, body = told.split("---\n", 2)
        assert yaml.safe_load(front)["license"] == "unknown"
        assert "<script" not in body and "<!--" not in body and not re.search(r"(?<!\\)\]\(", body)
        assert not set("\u202e\x1b") & set(told) and "\\(" not in body and "$$" not in body
        assert [line for line in body.splitlines() if line == "---" or line.startswith("# ")][1:] == []
        if plainly:
            assert body.count("\n## ") == plainly.count("\n## ")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a\n# b", "a # b"),
        ("<b> & x", "&lt;b&gt; &amp; x"),
        ("a|b*c_d~e", "a\\|b\\*c\\_d\\~e"),
        ("$1 \\(x", "&#36;1 &#92;(x"),
        ("naïve 中文 😀", "naïve 中文 😀"),
    ],
)
def test_a_foreign_text_is_text(said: str, shown: str) -> None:
    assert plain(said) == shown


def test_an_encoder_of_the_authors_disk_is_not_named(tmp_path: Any) -> None:
    assert base_model("prajjwal1/bert-tiny") == "prajjwal1/bert-tiny" and base_model("roberta-base") == "roberta-base"
    for own in (str(tmp_path), "~/mine", "../mine", "a/b/c", r"C:\mine"):
        assert base_model(own) is None
        assert own not in card(facts(encoder=own)) and "a folder of its author's" in card(facts(encoder=own))


def test_the_card_of_the_texts_says_what_is_shared() -> None:
    told = data_card(facts(), SHAPE)
    data = DatasetCard(told).data
    assert data.task_categories == ["text-classification"] and data.license == "unknown"
    assert data.configs == [{"config_name": "default", "data_files": "train.jsonl"}]
    assert "holds the 10 that the teacher wrote. The 34 of the author's own" in told and "No person has checked" in told


@pytest.mark.parametrize("head", ["sequence", "multilabel", "token"])
def test_the_python_of_the_card_compiles(head: str) -> None:
    told = model_card("shop", Shape(head=head, labels=("a",), limit=64), INT8, UNKNOWN, None)
    blocks = [part.split("```")[0] for part in told.split("```python\n")[1:]]
    assert len(blocks) == 3 and told.count("```js") == told.count("```sh") == 1
    for block in blocks:
        compile(block, "card", "exec")
