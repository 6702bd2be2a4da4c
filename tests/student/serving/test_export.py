"""A student that leaves says what it said: in float32 to the last digits, in int8 or not at all."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import evokd
from evokd.student.serving import export
from evokd.student.serving.cards.facts import Shape
from evokd.student.serving.cards.model_card import model_card
from evokd.student.serving.cards.usage import ASKED
from evokd.student.serving.confidence import UNKNOWN
from evokd.student.serving.export import write_student
from evokd.student.serving.network import write_network
from evokd.student.serving.onnx import FULL, QUANTIZED, infer, load_onnx, open_session
from evokd.student.serving.parity import ENOUGH, Parity, Trial
from evokd.student.serving.quantise import Candidate
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents, load_student
from evokd.tasks.base import Example, Label, Span
from evokd.tasks.errors import ConfigError, StepError
from evokd.testing import examples as texts_to_learn
from tests.student import tiny

pytestmark = pytest.mark.slow  # torch's exporter takes ten seconds for the smallest network

LABELS = ("music", "weather")
LEARNT: dict[str, Callable[[], list[Example]]] = {
    "sequence": texts_to_learn.examples,
    "multilabel": texts_to_learn.label_sets,
    "token": texts_to_learn.span_examples,
}


def points(gold: Label, said: Label) -> tuple[float, float]:
    return float(gold == said), 1.0


def words(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(tiny.WORDS, size=1 + number % 20)) for number in range(count)]


def quiet(step: str) -> None:
    """Show nothing."""


def taught(folder: Path, head: str, **given: Any) -> TransformerStudent:
    settings = {"model": str(folder), "epochs": 1, **tiny.SPAN_RECIPE, **given}
    student = TransformerStudents(StudentSettings(**settings), LABELS, head).new(seed=0)
    student.fit(LEARNT[head]())
    return student


@pytest.fixture(scope="module", params=LEARNT)
def left(
    request: pytest.FixtureRequest, encoders: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[TransformerStudent, Path, Parity]:
    """A student of each kind, and the folder that it was exported to."""
    student = taught(encoders("bert"), request.param)
    folder = tmp_path_factory.mktemp("left") / request.param
    gold = {example.text: example.label for example in LEARNT[request.param]()}
    return student, folder, write_student(student, folder, Trial.split([*gold, *words(600)], gold, points), quiet)


def test_onnx_says_what_torch_says(left: tuple[TransformerStudent, Path, Parity]) -> None:
    student, folder, parity = left
    texts = [*words(60), "", " ", "Rain \ud800 in São Paulo", "play " * 500]
    exported = load_onnx(folder, quantized=False)
    assert exported.labels == student.labels
    for own, other in zip(student.predict(texts), exported.predict(texts), strict=True):
        assert own.label == other.label and own.probability == pytest.approx(other.probability, abs=1e-5)
        assert own.probabilities == pytest.approx(other.probabilities, abs=1e-5)
    assert parity.difference < 1e-5 and parity.texts > 300


def test_batches_and_lengths_are_free(left: tuple[TransformerStudent, Path, Parity]) -> None:
    student, folder, _ = left
    session = open_session(folder / FULL)
    assert student.limit == 38
    for count in (1, 2, 64):
        for length in range(1, student.limit + 1):
            ids = [[3 + (row + at) % 20 for at in range(length)] for row in range(count)]
            np.testing.assert_allclose(infer(session, ids, 1), student.logits(ids), atol=1e-5)


def test_the_folder_is_laid_out_as_others_read_it(left: tuple[TransformerStudent, Path, Parity]) -> None:
    student, folder, _ = left
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", FULL} <= names
    config = tiny.config_of(folder)
    assert list(config["id2label"].values()) == student.head.outputs and config["label2id"]
    assert config["architectures"][0].startswith("Bert")
    assert json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"] == student.limit
    model = (folder / FULL).read_bytes()
    assert str(Path(torch.__file__).parent).encode() not in model and b"stack_trace" not in model
    (session,) = [open_session(folder / FULL)]
    assert [(each.name, each.shape[:2], each.type) for each in session.get_inputs()] == [
        ("input_ids", ["batch", "length"], "tensor(int64)"),
        ("attention_mask", ["batch", "length"], "tensor(int64)"),
    ]
    (output,) = session.get_outputs()
    assert output.name == "logits" and output.shape[0] == "batch" and output.type == "tensor(float)"


def test_it_is_an_ordinary_folder_of_transformers(left: tuple[TransformerStudent, Path, Parity]) -> None:
    student, folder, _ = left
    assert load_student(folder).predict(["rain today"]) == student.predict(["rain today"])
    task = "token-classification" if student.head.labels != tuple(student.head.outputs) else "text-classification"
    long = "play the song today " * 400
    more = {} if task == "token-classification" else {"truncation": True}
    assert transformers.pipeline(task, model=str(folder))([long], **more)


def test_every_way_of_the_card_says_what_the_student_says(
    left: tuple[TransformerStudent, Path, Parity], tmp_path: Path
) -> None:
    student, folder, parity = left
    (tmp_path / "student").symlink_to(folder, target_is_directory=True)
    shape, text = Shape.read(folder), "rain today"
    card = model_card("mine", shape, parity, UNKNOWN, None).replace(ASKED, text)
    blocks = [part.split("```")[0] for part in card.split("```python\n")[1:]]
    code = "\nprint('====')\n".join(blocks)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours, pipeline, plain = done.stdout.split("====\n")
    (own,) = student.predict([text])
    assert ours.strip() == str(load_onnx(folder).predict([text])[0].label)
    if shape.head == "token":
        assert {each.type for each in own.label if isinstance(each, Span)} == set(re.findall(r"[BI]-(\w+)", plain))
        return
    scores = {each["label"]: each["score"] for each in ast.literal_eval(pipeline.strip())}
    assert scores == pytest.approx(own.probabilities, abs=1e-4)
    told = ast.literal_eval(plain[plain.index("{") :].strip())
    assert told == pytest.approx(own.probabilities, abs=0.1 if (folder / QUANTIZED).exists() else 1e-4)


def test_int8_is_written_only_if_it_says_the_same(left: tuple[TransformerStudent, Path, Parity]) -> None:
    _, folder, parity = left
    assert (folder / QUANTIZED).exists() is (parity.refused == "")
    assert parity.int8 is not None and 0.98 < parity.int8.chosen_by.agreement <= 1
    assert parity.int8.chosen_by.texts < parity.texts


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_leaves(family: str, encoders: Callable[[str], Path], tmp_path: Path) -> None:
    student = taught(encoders(family), "sequence", min_steps=2)
    write_network(student.network, tmp_path / "model.onnx")
    session, pad = open_session(tmp_path / "model.onnx"), student.tokenizer.pad_token_id
    for ids in ([[3]], [[4, 5, 6]], [[4] * student.limit, [5], [6] * 7], [[7, 8]] * 64):
        np.testing.assert_allclose(infer(session, ids, pad), student.logits(ids), atol=2e-5)


def test_bad_candidates_and_few_texts_are_refused_with_figures(
    left: tuple[TransformerStudent, Path, Parity], monkeypatch: pytest.MonkeyPatch
) -> None:
    student, folder, _ = left
    texts = words(900)
    shown: list[str] = []
    model = (folder / FULL).read_bytes()
    many, few = (
        export.Export(student, folder, Trial.split(each, {}, points), shown.append) for each in (texts, texts[:90])
    )
    assert f"texts to judge it by, and {ENOUGH} are needed" in few.check().refused
    monkeypatch.setattr(export, "candidates", lambda *given: iter([]))
    assert many.check().refused == "no layer can be quantised"

    class Wrong(export.Export):
        def _predict(self, way: Candidate, texts: list[str]) -> Any:  # type: ignore[override]
            said = self.student.predict(texts)
            wrong = said[0].model_copy(update={"label": ("nothing",)})
            return [*[wrong] * 4, *said[4:]] if way.way == "wrong" or len(texts) > 400 else said

    wrong = Wrong(student, folder, many.trial, shown.append)
    monkeypatch.setattr(export, "candidates", lambda *given: iter([Candidate("wrong", model)]))
    assert wrong.check().refused == "no way to it agrees on 99.75% of the texts to choose by"
    monkeypatch.setattr(export, "candidates", lambda *given: iter([Candidate("late", model)]))
    (folder / QUANTIZED).unlink(missing_ok=True)
    found = wrong.check()
    assert "agrees with torch on 99.39% of 654 texts" in found.refused and "99.5% are needed" in found.refused
    assert found.int8 is not None and found.int8.judged is not None and not (folder / QUANTIZED).exists()
    monkeypatch.setattr(export, "infer", lambda session, ids, pad: infer(session, ids, pad) + 0.01)
    with pytest.raises(StepError, match=r"differs from torch by 0\.01 in a logit, and 0\.0001 is allowed"):
        many.check()


def test_without_the_extra_nothing_is_begun(
    encoders: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = TransformerStudents(StudentSettings(model=str(encoders("bert"))), LABELS).new(seed=0)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ConfigError, match=r"needs the package onnxscript: pip install 'evokd\[export\]'"):
        write_student(student, tmp_path / "left", Trial.split([], {}, points), quiet)
    assert not (tmp_path / "left").exists()


def test_a_virtual_environment_without_torch_is_enough(
    left: tuple[TransformerStudent, Path, Parity], tmp_path: Path
) -> None:
    student, folder, _ = left
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    wanted = ["onnxruntime", "tokenizers", "numpy", "pydantic"]
    constraints = Path(evokd.__path__[0]) / "constraints.txt"
    pip = [python, "-m", "pip", "install", "--quiet", "--constraint", constraints]
    subprocess.run([*pip, *wanted], check=True)
    asked = (
        "import json, sys; from pathlib import Path; from evokd.student.serving.onnx import load_onnx\n"
        "said = load_onnx(Path(sys.argv[1]), quantized=False).predict(json.loads(sys.argv[2]))\n"
        "print(json.dumps([each.model_dump(mode='json') for each in said]))"
    )
    texts = ["rain today", "play the song"]
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "evokd").symlink_to(Path(evokd.__path__[0]).resolve(), target_is_directory=True)
    done = subprocess.run(
        [python, "-c", asked, folder, json.dumps(texts)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path / "path")},
    )
    assert done.stderr == ""
    for said, own in zip(json.loads(done.stdout), student.predict(texts), strict=True):
        expected = own.model_dump(mode="json")
        assert said["label"] == expected["label"] and said["probability"] == pytest.approx(own.probability, abs=1e-5)
