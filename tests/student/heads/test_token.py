"""The head for entities: tags on all pieces, spans at the right characters, over windows, the same each time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from evokd.student.codecs.windows import Passage, Passages, Window
from evokd.student.encoder.loading import layers
from evokd.student.encoder.reading import reading
from evokd.student.heads.token import UNASKED, TokenHead
from evokd.student.settings import StudentSettings
from evokd.student.transformer import TransformerStudent, TransformerStudents, load_student
from evokd.tasks.base import Example, Span
from evokd.tasks.entities.tags import SpanPrediction
from evokd.tasks.errors import ConfigError
from evokd.testing import examples as texts_to_learn
from tests.student import tiny

TYPES = ("music", "weather")


def students(folder: Path, **given: Any) -> TransformerStudents:
    settings = {"model": str(folder), "epochs": 1} | tiny.SPAN_RECIPE | given
    return TransformerStudents(StudentSettings(**settings), TYPES, "token")


@pytest.fixture(scope="module")
def taught(encoders: Callable[[str], Path]) -> TransformerStudent:
    """One that has learnt; no test may teach it more."""
    made = students(encoders("bert")).new(seed=0)
    made.fit(texts_to_learn.span_examples())
    return made


def test_it_learns_spans_of_one_and_of_two_words(taught: TransformerStudent) -> None:
    examples = texts_to_learn.span_examples()
    predictions = taught.predict([example.text for example in examples])
    assert [prediction.label for prediction in predictions] == [example.label for example in examples]
    assert {len(prediction.label) for prediction in predictions} == {0, 1, 2}
    for prediction, example in zip(predictions, examples, strict=True):
        assert isinstance(prediction, SpanPrediction)
        assert [example.text[w.start : w.end] for w in prediction.words] == example.text.split()
        for word in prediction.words:
            assert tuple(word.shares) == ("O", "B-music", "I-music", "B-weather", "I-weather")
            assert sum(word.shares.values()) == pytest.approx(1.0)
        assert 0 < prediction.probability <= min(prediction.certainty, default=1.0) <= 1
        assert len(prediction.certainty) == len(prediction.label)
        assert SpanPrediction.model_validate(prediction.model_dump()) == prediction


def test_all_pieces_of_a_word_say_what_it_is_and_the_first_whether_it_begins() -> None:
    head = TokenHead(["music"])
    # two words of two pieces and one piece; the first piece of the first word, a case mark, knows nothing
    passage = Passage([(0, 5), (6, 9)], [-1, 0, 0, 1], [Window(0, 1, 0, 4)])
    said = torch.tensor([[9.0, 9, 9], [0.0, 0, -2], [0.0, 0, 3], [3.0, 0, 0]])
    (found,) = head.predictions([torch.vstack([torch.zeros(1, 3), said]).numpy()], Passages([[]], [passage]))
    assert isinstance(found, SpanPrediction)
    logs = torch.log_softmax(said.double(), -1)
    outside = (logs[1, 0] + logs[2, 0]) / 2
    inside = (torch.logsumexp(logs[1, 1:], 0) + torch.logsumexp(logs[2, 1:], 0)) / 2
    music = float(torch.softmax(torch.stack([outside, inside]), 0)[1])
    begins = float(torch.softmax(said[1, 1:].double(), 0)[0])
    shares = found.words[0].shares
    assert shares == pytest.approx({"O": 1 - music, "B-music": music * begins, "I-music": music * (1 - begins)})
    assert [(span.start, span.end) for span in found.label if isinstance(span, Span)] == [(0, 5)]


def test_texts_without_words_have_no_spans(taught: TransformerStudent) -> None:
    for prediction in taught.predict(["", " \n"]):
        assert prediction.label == () and prediction.probability == 1.0 and prediction.margin == 1.0
    assert taught.predict([]) == []
    made = students(Path(taught.settings.model), min_steps=2).new(seed=0)
    made.fit([Example(id="empty", text=" ", label=())])
    assert all(torch.isfinite(weight).all() for weight in made.network.state_dict().values())


def test_it_is_saved_whole_and_found_again(taught: TransformerStudent, tmp_path: Path) -> None:
    texts = [example.text for example in texts_to_learn.span_examples()]
    taught.save(tmp_path / "saved")
    assert not list((tmp_path / "saved").glob("*.bin"))
    loaded = load_student(tmp_path / "saved")
    assert isinstance(loaded.head, TokenHead) and loaded.labels == list(TYPES) and loaded.warm
    assert loaded.predict(texts) == taught.predict(texts)
    pipeline = transformers.pipeline(
        "token-classification", model=str(tmp_path / "saved"), aggregation_strategy="simple"
    )
    for prediction, found in zip(taught.predict(texts), pipeline(texts), strict=True):
        assert [(each["start"], each["end"], each["entity_group"]) for each in found] == [
            (span.start, span.end, span.type) for span in prediction.label
        ]


def test_tags_of_another_scheme_or_order_are_refused(taught: TransformerStudent, tmp_path: Path) -> None:
    taught.save(tmp_path / "saved")
    config = tiny.config_of(tmp_path / "saved")
    config["id2label"] |= {"1": "I-music", "2": "B-music"}
    (tmp_path / "saved" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match=r"its outputs should be O, B-music, I-music,.* but are O, I-music"):
        load_student(tmp_path / "saved")


def test_a_student_of_another_head_is_refused(taught: TransformerStudent, tmp_path: Path) -> None:
    taught.save(tmp_path / "saved")
    with pytest.raises(ConfigError, match="has not the head that the task needs, 'sequence'"):
        TransformerStudents(taught.settings, TYPES).load(tmp_path / "saved")
    with pytest.raises(
        ConfigError, match=r"head 'tokens' is not known\. Did you mean 'token'\? Allowed: multilabel, sequence, token"
    ):
        TransformerStudents(taught.settings, TYPES, "tokens").new(seed=0)


@pytest.mark.parametrize("freeze", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_student_fresh_and_warm(
    freeze: int, encoders: Callable[[str], Path], tmp_path: Path
) -> None:
    def run(seed: int, folder: Path) -> list[Any]:
        factory = students(encoders("bert"), freeze=freeze, min_steps=4)
        made = factory.new(seed)
        before = [layer.state_dict()["attention.self.query.weight"].clone() for layer in layers(made.network)]
        made.fit(texts_to_learn.span_examples())
        after = [layer.state_dict()["attention.self.query.weight"] for layer in layers(made.network)]
        assert [torch.equal(one, two) for one, two in zip(before, after, strict=True)] == [
            number < freeze for number in range(4)
        ]
        made.save(folder)
        again = factory.load(folder, seed)
        again.fit(texts_to_learn.span_examples(8))
        texts = ["rain snow", "play the song"]
        return [made.predict(texts), again.predict(texts)]

    one, two, other = run(1, tmp_path / "a"), run(1, tmp_path / "b"), run(2, tmp_path / "c")
    assert one == two and one[0] != one[1] and one != other


@pytest.mark.parametrize("family", tiny.one_fast(tiny.FAMILIES))
def test_every_family_learns_without_a_pooling_layer(
    family: str, encoders: Callable[[str], Path], tmp_path: Path
) -> None:
    made = students(encoders(family), min_steps=2, freeze=0 if family == "albert" else 2).new(seed=0)
    assert made.network.config.num_hidden_layers == 4 and not hasattr(made.network.config, "evokd_pooling")
    made.fit(texts_to_learn.span_examples())
    made.save(tmp_path / "saved")
    said, again = (each.predict(["rain today", ""]) for each in (made, load_student(tmp_path / "saved")))
    assert [p.label for p in said] == [p.label for p in again] and len(said[0].words) == 2


def test_a_sequence_student_lends_its_encoder_without_the_pooling_layer(
    encoders: Callable[[str], Path], tmp_path: Path
) -> None:
    base = TransformerStudents(StudentSettings(model=str(encoders("bert"))), TYPES).new(seed=0)
    base.save(tmp_path / "base")
    made = students(tmp_path / "base").new(seed=0)
    assert len(layers(made.network)) == 4 and not made.network.config.evokd_pooling


def test_targets_are_on_every_piece_and_unasked_elsewhere() -> None:
    text = "Anna Lindström sees Émile."
    tokenizer = tiny.TOKENIZERS["wordpiece"](["an na lind strom se es emil e ."])
    head = TokenHead(["PER"])
    rows = head.rows(reading(tokenizer), [text], 50)
    (target,) = head.targets([Example(text=text, label=spans(text, "Anna Lindström", "Émile"))], rows)
    named = ["-" if number == UNASKED else head.tags[number] for number in target.tolist()]
    owners = [-1, *rows.passages[0].owners, -1]
    assert [owner for owner, tag in zip(owners, named, strict=True) if tag == "B-PER"] == [0, 3]
    for at, (owner, tag) in enumerate(zip(owners, named, strict=True)):
        if owner in (0, 1, 3):
            assert tag == ("B-PER" if owner != 1 and owners[at - 1] != owner else "I-PER")
        else:
            assert tag == ("-" if owner < 0 else "O")
    assert owners.count(1) > 1


def spans(text: str, *names: str) -> tuple[Span, ...]:
    return tuple(Span(start=text.index(name), end=text.index(name) + len(name), type="PER") for name in names)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ((Span(start=0, end=6, type="spy"),), "entity type 'spy' is not known. Allowed: music, weather"),
        ("weather", "the label must be spans, not 'weather'"),
        (("weather",), r"the label must be spans, not \"\('weather',\)\""),
    ],
)
def test_a_label_that_does_not_fit_is_named(label: Any, words: str, encoders: Callable[[str], Path]) -> None:
    example = Example(text="secret text", label=label)
    with pytest.raises(ConfigError, match=f"Example {example.id}: {words}") as caught:
        students(encoders("bert")).new(seed=0).fit([example])
    assert "secret" not in str(caught.value)


def test_a_tokenizer_without_offsets_is_refused() -> None:
    class Slow:
        is_fast = False

    with pytest.raises(ConfigError, match="no fast tokenizer"):
        TokenHead(TYPES).prepare(Slow())


def test_long_texts_are_learnt_and_read_in_windows(encoders: Callable[[str], Path]) -> None:
    made = students(encoders("bert"), max_length=12).new(seed=0)
    examples = texts_to_learn.span_examples()
    words = " today" * 30
    text = f"{examples[0].text}{words} {examples[1].text}"
    shift = len(examples[0].text) + len(words) + 1
    label = [*examples[0].label]
    label += [
        span.model_copy(update={"start": span.start + shift, "end": span.end + shift}) for span in examples[1].label
    ]
    made.fit([*examples, Example(text=text, label=tuple(label))])
    (prediction,) = made.predict([text])
    assert prediction.label == tuple(label)
    assert isinstance(prediction, SpanPrediction) and len(prediction.words) == len(text.split())
