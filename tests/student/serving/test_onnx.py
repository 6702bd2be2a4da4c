"""An exported student answers without torch, whatever the batch, and damage is named in one line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evokd
from evokd.student.serving.onnx import FULL, QUANTIZED, feed, load_onnx, open_session
from evokd.student.serving.predictor import Predictor
from evokd.tasks.errors import ConfigError
from tests.student.serving import little

TEXTS = ["play the song", "rain", "", "wind " * 100, "will it snow today"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One exported student; no test may change it."""
    return little.exported(tmp_path_factory.mktemp("exported") / "student")


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "own")


def test_it_answers_each_text_as_if_it_were_alone(folder: Path) -> None:
    student = load_onnx(folder)
    assert student.labels == list(little.LABELS) and student.predict([]) == []
    together = student.predict(TEXTS)
    for text, said in zip(TEXTS, together, strict=True):
        (alone,) = student.predict([text])
        assert alone.label == said.label and alone.probabilities == pytest.approx(said.probabilities, abs=1e-6)
        assert sum(said.probabilities.values()) == pytest.approx(1)
    # Twelve tokens are a window, and all windows of a text have a say.
    assert student.predict(["wind " * 10 + "song " * 40])[0].label == student.predict(["song"])[0].label


def test_it_is_a_predictor_and_loads_by_the_name_of_its_folder(folder: Path) -> None:
    expected = [said.label for said in load_onnx(folder).predict(TEXTS)]
    assert [said.label for said in evokd.load(folder).predict(iter(TEXTS))] == expected
    assert [said.label for said in Predictor(load_onnx(folder)).predict(TEXTS)] == expected


def test_rows_are_padded_on_the_right_and_masked() -> None:
    fed = feed([[5, 6, 7], [8]], 1)
    assert fed["input_ids"].tolist() == [[5, 6, 7], [8, 1, 1]]
    assert fed["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert {values.dtype for values in fed.values()} == {np.dtype(np.int64)}


def test_int8_is_taken_where_it_is_there_and_only_if_wanted(own: Path) -> None:
    shutil.copy(own / FULL, own / QUANTIZED)
    (own / FULL).write_bytes(b"no network")
    assert load_onnx(own).predict(["rain"]) == load_onnx(own, quantized=True).predict(["rain"])
    with pytest.raises(ConfigError, match="cannot be read"):
        load_onnx(own, quantized=False)


def test_what_is_missing_is_named(own: Path) -> None:
    with pytest.raises(ConfigError, match=r"no onnx/model_quantized\.onnx in it\. Its parity\.json says why; quant"):
        load_onnx(own, quantized=True)
    (own / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"no tokenizer\.json in it\. Write one with `evokd export RUN --to FOLDER`"):
        load_onnx(own)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.json", "{", "Expecting"),
        ("config.json", "[]", "its config.json holds no object"),
        ("config.json", {"id2label": {"0": "a"}}, "evokd_max_length .* not None"),
        ("config.json", {"id2label": {"0": "a"}, "evokd_max_length": "12"}, "not '12'"),
        ("config.json", {"id2label": {"x": "a"}, "evokd_max_length": 9}, "should number the outputs"),
        ("tokenizer.json", "{}", ""),
        ("tokenizer_config.json", "nothing", "Expecting"),
        (FULL, "no network", ""),
    ],
)
def test_a_damaged_file_is_one_line(own: Path, name: str, content: object, words: str) -> None:
    (own / name).write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ConfigError, match=rf"The student in .*own cannot be read: .*{words}") as caught:
        load_onnx(own)
    assert "\n" not in str(caught.value)


def test_outputs_that_are_not_those_of_the_config_are_refused(own: Path) -> None:
    config = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps(config | {"id2label": {"0": "a", "1": "b", "2": "c"}}))
    with pytest.raises(ConfigError, match=r"has 2 outputs, and its config\.json names 3"):
        load_onnx(own)


def test_a_session_takes_as_many_threads_as_it_is_given(folder: Path) -> None:
    assert open_session(folder / FULL, 2).get_session_options().intra_op_num_threads == 2


def test_neither_torch_nor_transformers_is_imported(folder: Path) -> None:
    asked = (
        "import sys; from pathlib import Path; from evokd.student.serving.onnx import load_onnx; "
        f"said = load_onnx(Path({str(folder)!r})).predict(['rain', 'play the song']); "
        "print(len(said), sorted({'torch', 'transformers', 'scipy', 'sklearn', 'langsmith'} & set(sys.modules)))"
    )
    path = str(Path(evokd.__path__[0]).parent)
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, env={"PYTHONPATH": path})
    assert (done.stdout.strip(), done.stderr) == ("2 []", "")
