import json
from pathlib import Path

import numpy as np
import pytest

from evokd.memory.chroma import ChromaMemory
from evokd.memory.embedder import BATCH, Embedder
from evokd.tasks.base import ErrorCase, Example
from evokd.tasks.errors import ConfigError
from tests.student import tiny


def test_the_default_is_described_without_loading_it() -> None:
    embedder = Embedder()
    assert embedder.dim == 384
    assert embedder.fingerprint.startswith("minilm-mean256@")
    assert embedder.fingerprint == Embedder("minilm").fingerprint


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("where is my parcel?", 0.0, 0.0),
        ("ฉันต้องการคืนเงิน", 0.5, 1.0),
        ("我想把这笔钱退回", 0.3, 1.0),
        ("где моя посылка", 0.0, 0.0),
    ],
)
def test_what_it_does_not_know_is_counted(text: str, low: float, high: float) -> None:
    assert low <= Embedder().unknown([text]) <= high
    assert Embedder().unknown([]) == 0.0


def encoder_folder(folder: Path, weights: bytes = b"weights", **config: int) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_the_fingerprint_follows_the_weights_and_not_the_place(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    one = Embedder(str(encoder_folder(tmp_path / "enc", hidden_size=8)))
    moved = Embedder(str(encoder_folder(tmp_path / "x" / "enc", hidden_size=8)))
    other = Embedder(str(encoder_folder(tmp_path / "x" / "enc2", b"other", hidden_size=8)))
    assert one.dim == 8
    assert one.fingerprint == moved.fingerprint
    assert one.fingerprint.rpartition("@")[2] != other.fingerprint.rpartition("@")[2]


@pytest.mark.parametrize("name", ["no/such-encoder", "not an id at all", "/no/such/folder", ""])
def test_an_encoder_that_is_not_there(name: str) -> None:
    with pytest.raises(ConfigError, match=r"memory\.embedder") as error:
        _ = Embedder(name).fingerprint
    assert repr(name) in str(error.value)


def test_pickled_weights_and_other_models_are_refused(tmp_path: Path) -> None:
    folder = encoder_folder(tmp_path / "enc")
    with pytest.raises(ConfigError, match="hidden_size"):
        _ = Embedder(str(folder)).dim
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="safetensors"):
        _ = Embedder(str(folder)).dim


@pytest.mark.parametrize(("family", "pad"), [("bert", False), ("roberta", True)])
def test_an_encoder_with_few_positions_or_no_padding_token_reads_what_it_can(
    family: str, pad: bool, tmp_path: Path
) -> None:
    embedder = Embedder(str(tiny.encoder(tmp_path / "enc", family, pad=pad)))
    vectors = embedder.encode(["play the song", "rain " * 200])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_an_encoder_without_a_tokenizer_is_the_users_mistake(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "enc")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="has no tokenizer that can be read"):
        Embedder(str(folder)).encode(["play"])


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return Embedder()


@pytest.mark.slow
def test_minilm_orders_by_meaning(minilm: Embedder) -> None:
    texts = [
        "The weather will be sunny tomorrow.",
        "Tomorrow we expect a bright day with sunshine.",
        "It may rain next week.",
        "The bank raised its interest rates.",
    ]
    vectors = minilm.encode(texts)
    cosines = vectors @ vectors[0]
    assert list(np.argsort(-cosines)) == [0, 1, 2, 3]
    assert cosines[1] > 0.6
    assert cosines[3] < 0.3
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_minilm_gives_the_vectors_of_sentence_transformers(minilm: Embedder) -> None:
    library = pytest.importorskip("sentence_transformers")
    texts = ["short", "a much longer text that is about nothing at all " * 40, "çà et là 😀", "x"]
    theirs = library.SentenceTransformer(str(minilm.folder), device="cpu").encode(texts, normalize_embeddings=True)
    assert np.abs(minilm.encode(texts) - theirs).max() < 1e-5


@pytest.mark.slow
def test_batches_of_mixed_lengths_come_back_in_order(minilm: Embedder) -> None:
    texts = [f"{'word ' * (i % 17)}number {i}" for i in range(2 * BATCH + 3)]
    together = minilm.encode(texts)
    assert together.shape == (len(texts), 384)
    for i in (0, 16, len(texts) - 1):
        assert together[i] @ minilm.encode([texts[i]])[0] > 0.9999


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", " ", "\ud800 half a pair", "\x00", "😀" * 2000])
def test_nasty_texts_have_unit_vectors(minilm: Embedder, text: str) -> None:
    assert minilm.encode([text]).shape == (1, 384)
    assert np.linalg.norm(minilm.encode([text])[0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_the_memory_with_the_real_embedder(minilm: Embedder, tmp_path: Path) -> None:
    memory = ChromaMemory(tmp_path / "memory", minilm)
    try:
        texts = [
            "Please play some quiet jazz music while we have dinner",
            "Book a table for two tonight",
            "Will it be raining in Paris?",
        ]
        examples = [Example(text=text, label="x") for text in texts]
        memory.remember(examples, [ErrorCase(example=e, predicted="y", probability=0.5, cycle=1) for e in examples])
        found = memory.similar("Reserve a restaurant for this evening", 3)
        assert found[0].example.text == texts[1]
        asked = [
            "Please play some quiet jazz music while we have dinner.",
            texts[1].upper(),
            "What are the opening hours of the museum?",
        ]
        assert memory.novel(asked) == ["duplicate", "duplicate", None]
    finally:
        memory.close()


def test_code_in_its_folder_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.encoder(tmp_path / "sent")
    (folder / "sent.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'mark')!r}).touch()\nclass It: ...\n"
    )
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "sent"}
    (folder / "config.json").write_text(
        json.dumps(config | {"auto_map": {"AutoConfig": "sent.It", "AutoModel": "sent.It"}})
    )
    monkeypatch.setattr("builtins.input", lambda *given: "y")  # transformers would ask, and wait for an answer
    with pytest.raises(Exception, match=r"trust_remote_code|sent"):
        Embedder(str(folder)).encode(["play the song"])
    assert not (tmp_path / "mark").exists()
