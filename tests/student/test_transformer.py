"""The student learns what is learnable, from odd examples too, the same way each time, and is saved whole or not."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from langsmith import Client, tracing_context

from evokd.student.codecs.base import Rows
from evokd.student.heads.sequence import SequenceHead
from evokd.student.serving.confidence import note_temperature, read_confidence
from evokd.student.settings import StudentSettings
from evokd.student.training.fitting import Fitting, Material
from evokd.student.transformer import TransformerStudent, TransformerStudents, load_student
from evokd.tasks.base import Example
from evokd.tasks.errors import ConfigError
from evokd.testing import examples as texts_to_learn
from tests.student import tiny

LABELS = ("music", "weather")


@pytest.fixture
def encoder(encoders: Callable[[str], Path]) -> Path:
    return encoders("bert")


def students(encoder: Path, labels: tuple[str, ...] = LABELS, **given: Any) -> TransformerStudents:
    settings = {"model": str(encoder), "epochs": 1, "min_steps": 4, "batch_size": 24} | given
    return TransformerStudents(StudentSettings(**settings), labels)


def fitted(
    encoder: Path, examples: list[Example], labels: tuple[str, ...] = LABELS, **given: Any
) -> TransformerStudent:
    student = students(encoder, labels, **given).new(seed=0)
    student.fit(examples)
    return student


def weights(student: TransformerStudent) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in student.network.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns(encoder: Path) -> None:
    examples = texts_to_learn.examples()
    predictions = fitted(encoder, examples).predict([example.text for example in examples])
    assert [prediction.label for prediction in predictions] == [example.label for example in examples]


def test_the_head_alone_is_fitted_with_no_epochs_also_on_a_warm_student(encoder: Path) -> None:
    examples = texts_to_learn.examples()
    student = students(encoder, epochs=0).new(seed=0)
    body = student.network.bert.state_dict()
    student.fit([example.model_copy(update={"label": LABELS[example.label == "music"]}) for example in examples])
    student.fit(examples)
    assert same({name: weight.clone() for name, weight in body.items()}, student.network.bert.state_dict())
    predictions = student.predict([example.text for example in examples])
    assert sum(p.label == e.label for p, e in zip(predictions, examples, strict=True)) >= 22


def test_soft_labels_are_learnt_as_distributions(encoder: Path) -> None:
    soft = [
        Example(text="rain", label="weather", soft={"weather": 0.7, "music": 0.3}),
        Example(text="play the song", label="music", soft={"weather": 0.0, "music": 1.0}),
    ]
    student = fitted(encoder, soft * 8, min_steps=60, learning_rate=1e-3)
    rain, song = student.predict(["rain", "play the song"])
    assert rain.probabilities["music"] == pytest.approx(0.3, abs=0.1)
    assert song.probabilities["music"] > 0.9


def test_soft_labels_are_shared_out_over_the_known_labels(encoder: Path) -> None:
    student = students(encoder).new(seed=0)
    odd = Example(text="rain", label="weather", soft={"weather": 3.0, "music": 1.0, "other": 9.0})
    assert student.head.targets([odd], student.rows([odd.text]))[0].tolist() == [0.25, 0.75]


def test_a_label_the_student_does_not_know_is_named(encoder: Path) -> None:
    example = Example(text="a secret text", label="sports")
    with pytest.raises(
        ConfigError, match=f"{example.id}: label 'sports' is not known. Allowed: music, weather"
    ) as caught:
        students(encoder).new(seed=0).fit([example])
    assert "secret" not in str(caught.value)


def test_no_examples_are_an_error(encoder: Path) -> None:
    with pytest.raises(ValueError, match="no examples"):
        students(encoder).new(seed=0).fit([])


def test_classes_count_the_same_and_imitated_texts_as_they_are(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []

    def fit(self: Fitting, material: Material, warm: bool, progress: object) -> int:
        seen.append(material.weights)
        return 0

    monkeypatch.setattr(Fitting, "fit", fit)
    known = [example for example in texts_to_learn.examples() if example.label == "music"][:3]
    known.append(next(example for example in texts_to_learn.examples() if example.label == "weather"))
    imitated = [Example(text="rain", label="weather", soft={"weather": 0.6, "music": 0.4})] * 2
    for how in ({}, {"balance": True}, {"balance": True, "imitated": imitated}, {"imitated": imitated}):
        students(encoder).new(seed=0).fit(known, **how)
    own = [2 / 3, 2 / 3, 2 / 3, 2.0]
    expected = [[1.0] * 4, own, [*own, 1.0, 1.0], [1.0] * 6]
    assert [weights.tolist() for weights in seen] == [pytest.approx(row) for row in expected]


def test_classes_of_one_size_are_learnt_as_without_balance(encoder: Path) -> None:
    one, two = (students(encoder).new(seed=0) for _ in range(2))
    one.fit(texts_to_learn.examples())
    two.fit(texts_to_learn.examples(), balance=True)
    assert same(weights(one), weights(two))


@pytest.mark.parametrize("count", [1, 2])
def test_few_examples_are_enough_to_run(encoder: Path, count: int) -> None:
    student = fitted(encoder, texts_to_learn.examples(count))
    assert student.predict(["rain"])[0].label == "weather"


def test_many_labels_some_without_any_example(encoder: Path) -> None:
    labels = tuple(f"label {i}" for i in range(70))
    examples = [Example(text=f"{word} {i}", label=labels[i]) for i, word in enumerate(tiny.WORDS)]
    (prediction,) = fitted(encoder, examples, labels).predict(["rain"])
    assert tuple(prediction.probabilities) == labels
    assert sum(prediction.probabilities.values()) == pytest.approx(1.0)


def test_many_labels_start_from_a_closer_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    states = list(torch.randn(120, 16, generator=torch.Generator().manual_seed(0)))

    def right(labels: int) -> float:
        """Mean probability of the right label where the head starts, for texts that are learnt."""
        head = SequenceHead([f"label {number}" for number in range(labels)])
        targets = head.targets([Example(text=f"{n}", label=f"label {n % labels}") for n in range(120)], Rows([]))
        slopes, bias = head.start(states, targets, torch.ones(120))  # type: ignore[misc]
        logits = torch.stack(states).double() @ torch.tensor(slopes).T + torch.tensor(bias)
        return float((torch.softmax(logits, -1) * torch.stack(targets)).sum(-1).mean())

    few, many = right(4), right(40)
    monkeypatch.setattr("evokd.student.heads.sequence.PER_LABEL", 0.0)
    assert right(4) == pytest.approx(few) and many > 1.5 * right(40)


def test_the_start_learns_no_share_of_less_than_a_hundredth() -> None:
    states, head = list(torch.randn(6, 4, generator=torch.Generator().manual_seed(0))), SequenceHead(["a", "b", "c"])
    found = []
    for rest in (0.0, 0.004):
        soft = torch.tensor([1 - 2 * rest, rest, rest])
        targets = [*torch.eye(3), *[soft.roll(place) for place in range(3)]]
        found.append(head.start(states, targets, torch.ones(6)))
    (slopes, bias), (others, other) = found  # type: ignore[misc]
    assert slopes == pytest.approx(others) and bias == pytest.approx(other)
    hundreds = SequenceHead([f"label {number}" for number in range(150)])
    flat = torch.full((150,), 1 / 150)
    assert hundreds.start([*torch.eye(150), torch.ones(150)], [*torch.eye(150), flat], torch.ones(151)) is not None


def test_as_many_labels_as_the_encoder_is_wide(encoder: Path) -> None:
    labels = tuple(f"label {i}" for i in range(16))
    examples = [Example(text=f"{word} {word}", label=labels[i]) for i, word in enumerate(tiny.WORDS[:16])]
    predictions = fitted(encoder, examples, labels, min_steps=40).predict([example.text for example in examples])
    assert sum(p.label == e.label for p, e in zip(predictions, examples, strict=True)) >= 12


ODD = ["", " ", "wind " * 5000, "😀 é e\u0301 \u202eabc 中文", "half an emoji \ud83d", "\x00", "[SEP] [PAD] [CLS]"]


def test_odd_texts_can_be_learnt_and_asked(encoder: Path) -> None:
    examples = [Example(id=str(i), text=text, label=LABELS[i % 2]) for i, text in enumerate(ODD)]
    student = fitted(encoder, examples)
    for prediction in student.predict(ODD):
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
        assert prediction.probability == max(prediction.probabilities.values())
    assert len(student.rows(["wind " * 5000]).ids[0]) == 38  # of the 40 positions two may be the family's own
    assert len(students(encoder, max_length=8).new(seed=0).rows(["wind " * 5000]).ids[0]) == 8


def test_two_thousand_texts_come_back_in_order(encoder: Path) -> None:
    student = fitted(encoder, texts_to_learn.examples())
    texts = [f"{'rain ' * (i % 9)} play {'song ' * (i % 4)}" for i in range(2000)]
    assert student.predict([]) == []
    predictions = student.predict(texts)
    for i in (0, 7, 1001, 1999):
        assert predictions[i].probabilities == pytest.approx(student.predict([texts[i]])[0].probabilities, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_weights_fresh_and_warm(encoder: Path, freeze: int, tmp_path: Path) -> None:
    def run(seed: int, folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        factory = students(encoder, freeze=freeze)
        student = factory.new(seed)
        student.fit(texts_to_learn.examples())
        student.save(folder)
        fresh, again = weights(student), factory.load(folder, seed)
        assert same(fresh, weights(again))
        again.fit(texts_to_learn.examples(12))
        return fresh, weights(again)

    one, two, other = run(1, tmp_path / "a"), run(1, tmp_path / "b"), run(2, tmp_path / "c")
    assert same(one[0], two[0]) and same(one[1], two[1])
    assert not same(one[0], one[1]) and not same(one[0], other[0])


def test_students_of_any_seed_begin_alike(encoder: Path) -> None:
    factory = students(encoder)
    assert same(weights(factory.new(0)), weights(factory.new(1))), "the mean of students that began apart is worse"


def test_tied_weights_are_averaged_once(encoder: Path) -> None:
    mine, other = (students(encoder).new(seed) for seed in (1, 2))
    for each in (mine, other):
        first, second = (each.network.bert.encoder.layer[number].output.dense for number in (0, 1))
        second.weight = first.weight
    before = mine.network.bert.encoder.layer[0].output.dense.weight.clone()
    mine.average([other])
    assert torch.allclose(mine.network.bert.encoder.layer[0].output.dense.weight, before)


def test_progress_counts_to_the_end(encoder: Path) -> None:
    seen: list[tuple[int, int]] = []
    students(encoder, min_steps=5).new(seed=0).fit(
        texts_to_learn.examples(), lambda done, total: seen.append((done, total))
    )
    assert seen == [(i, 5) for i in range(1, 6)]


def test_a_save_that_is_killed_leaves_nothing_that_looks_whole(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = fitted(encoder, texts_to_learn.examples())
    folder = tmp_path / "cycle-001"

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            student.save(folder)
    assert not folder.exists()
    with pytest.raises(ConfigError, match=r"holds no student: there is no config\.json"):
        load_student(folder)
    student.save(folder)
    student.save(folder)
    assert [each.name for each in tmp_path.iterdir()] == ["cycle-001"]
    assert load_student(folder).labels == list(LABELS)


def test_a_second_save_that_fails_keeps_the_first(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = fitted(encoder, texts_to_learn.examples())
    student.save(tmp_path / "saved")
    saved = (tmp_path / "saved" / "model.safetensors").read_bytes()

    def full(folder: Path) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(student.tokenizer, "save_pretrained", full)
    with pytest.raises(OSError, match="No space"):
        student.save(tmp_path / "saved")
    assert (tmp_path / "saved" / "model.safetensors").read_bytes() == saved


def test_a_damaged_student_is_a_clear_error(encoder: Path, tmp_path: Path) -> None:
    fitted(encoder, texts_to_learn.examples()).save(tmp_path / "saved")
    (tmp_path / "saved" / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_student(tmp_path / "saved")


def test_a_student_of_other_labels_is_refused_in_a_run_and_fine_on_its_own(encoder: Path, tmp_path: Path) -> None:
    fitted(encoder, texts_to_learn.examples()).save(tmp_path / "saved")
    with pytest.raises(ConfigError, match="knows the labels music, weather, the task has a, b"):
        students(encoder, ("a", "b")).load(tmp_path / "saved")
    assert load_student(tmp_path / "saved").labels == list(LABELS)


def test_the_encoder_may_be_gone_once_a_student_is_saved(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder")
    fitted(folder, texts_to_learn.examples()).save(tmp_path / "saved")
    shutil.rmtree(folder)
    assert load_student(tmp_path / "saved").predict(["rain"])[0].label == "weather"


def test_a_saved_student_reads_as_much_on_its_own(encoder: Path, tmp_path: Path) -> None:
    settings = StudentSettings(model=str(encoder), max_length=24, min_steps=1, max_steps=1)
    TransformerStudents(settings, LABELS).new(0).save(tmp_path / "saved")
    assert load_student(tmp_path / "saved").settings.max_length == 24
    config = tmp_path / "saved" / "config.json"
    config.write_text(config.read_text().replace('"evokd_max_length": 24', '"evokd_max_length": "long"'))
    assert load_student(tmp_path / "saved").settings.max_length == 128


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A tracing server that keeps what it is sent."""
    bodies: list[bytes] = []

    class Collecting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(202)
            self.end_headers()

        do_PATCH = do_POST

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collecting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("fails", [False, True])
def test_the_trace_shows_counts_and_never_texts(encoder: Path, collector: Any, fails: bool) -> None:
    url, bodies = collector
    examples = [
        e.model_copy(update={"text": f"{e.text} confidential-{i}"}) for i, e in enumerate(texts_to_learn.examples())
    ]
    if fails:
        examples.append(Example(text="confidential", label="sports"))
    client = Client(api_url=url, api_key="none", auto_batch_tracing=False, info={})
    with tracing_context(enabled=True, client=client):
        student = students(encoder).new(seed=5)
        if fails:
            with pytest.raises(ConfigError):
                student.fit(examples)
        else:
            student.fit(examples)
            student.predict([example.text for example in examples])
    client.flush()
    runs: dict[str, Any] = {}
    for body in bodies:
        runs |= json.loads(body)
    assert runs["name"] == "student.fit" and runs["run_type"] == "chain" and runs["tags"] == ["student"]
    assert runs["inputs"] == {"texts": 24 + fails, "labels": 2, "warm": False, "seed": 5}
    assert ("sports" in runs["error"]) if fails else (runs["outputs"] == {"texts": 24, "steps": 4})
    assert b"confidential" not in b"".join(bodies)


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [0, 4])
def test_minilm_learns_two_topics_from_a_few_texts(freeze: int, tmp_path: Path) -> None:
    texts = {
        "music": ["play a song by the beatles", "turn up the volume of this album", "put on some jazz"],
        "weather": ["will it rain tomorrow", "how cold is it outside", "is there a storm coming this weekend"],
    }
    examples = [Example(text=text, label=label) for label, some in texts.items() for text in some]
    student = TransformerStudents(StudentSettings(min_steps=6, freeze=freeze), ("music", "weather")).new(seed=0)
    student.fit(examples)
    student.save(tmp_path / "saved")
    asked = ["I want to hear some classical piano", "do I need an umbrella today"]
    assert [p.label for p in load_student(tmp_path / "saved").predict(asked)] == ["music", "weather"]


def test_an_assistant_is_another_encoder_with_the_recipe_of_its_own(encoder: Path, tmp_path: Path) -> None:
    larger = tiny.encoder(tmp_path / "larger", "mpnet")
    settings = StudentSettings(model=str(encoder), assistant=str(larger), freeze=1, learning_rate=3e-3, max_length=20)
    made = TransformerStudents(settings, ("music", "weather"))
    assistant = made.assistant()
    assert assistant is not None and (assistant.labels, assistant.head) == (made.labels, made.head)
    taken = assistant.settings
    assert (taken.model, taken.assistant, taken.freeze, taken.max_length) == (str(larger), None, 1, 20)
    assert taken.learning_rate is None, "that of the student is not its own"
    assert assistant.new(0).network.config.model_type == "mpnet" and assistant.assistant() is None
    assert TransformerStudents(StudentSettings(model=str(encoder)), made.labels).assistant() is None


def test_the_whole_of_a_long_text_has_a_say_and_the_first_window_is_learnt(encoder: Path) -> None:
    examples = texts_to_learn.examples()
    student = fitted(encoder, examples, max_length=12)
    [head] = student.predict(["rain sun wind rain sun wind rain sun wind rain"])
    [tail] = student.predict(["play the song music album sing play the song music"])
    [both] = student.predict(
        ["rain sun wind rain sun wind rain sun wind rain " + "play the song music album sing " * 20]
    )
    assert (head.label, tail.label, both.label) == ("weather", "music", "music")
    short, long = fitted(encoder, examples, max_length=12), fitted(encoder, examples, max_length=12)
    for made, more in ((short, ""), (long, " wind snow today" * 9)):
        made.fit([Example(text="play the song music album sing will it snow today" + more, label="music")])
    assert same(weights(short), weights(long))


def test_a_temperature_is_kept_by_a_save_and_forgotten_by_a_fit(encoder: Path, tmp_path: Path) -> None:
    examples = texts_to_learn.examples()
    fitted(encoder, examples).save(tmp_path / "one")
    note_temperature(tmp_path / "one", 1.5)
    student = load_student(tmp_path / "one")
    student.save(tmp_path / "two")
    assert read_confidence(tmp_path / "two").temperature == 1.5
    student.fit(examples)
    student.save(tmp_path / "two")
    assert read_confidence(tmp_path / "two").temperature == 1.0
    averaged = load_student(tmp_path / "one")
    averaged.average([student])
    averaged.save(tmp_path / "two")
    assert read_confidence(tmp_path / "two").temperature == 1.0
