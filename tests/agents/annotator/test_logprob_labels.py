"""Labelling: by number and by probability, whatever a teacher makes of the numbers."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.annotator.logprob_labels import BLANKS, label_by_logprobs
from evokd.agents.annotator.voting import PER_CALL, Labels, label_by_votes, labels_schema
from evokd.agents.base import Services
from evokd.tasks.base import Example
from evokd.tasks.kinds.classification import Classification
from evokd.testing import ScriptedTeacher, words, world
from tests.agents.acting import ODD, asked, sent

TEXTS = ["goal match", "bank loan", "planet orbit", "soup bread"]


def services(folder: Path, say: Any = None, **changes: Any) -> Services:
    return world.services(folder, teacher=world.teacher(annotator=say or world.annotator), **changes)


def rating(folder: Path, score_choices: Any) -> Services:
    teacher = ScriptedTeacher({}, {"annotator": score_choices}, prompting="completion")
    return world.services(folder, teacher=teacher)


def labels(annotations: Any) -> list[Any]:
    return [each.aggregate.label if each.aggregate else each.problem for each in annotations]


def odd(change: Any) -> Any:
    """An annotator whose right list is changed before it is sent."""
    return lambda prompt: {"labels": change(world.annotator(prompt)["labels"])}


def test_every_text_gets_its_own_label_in_any_order(tmp_path: Path) -> None:
    there = services(tmp_path)
    annotations = label_by_votes(there, TEXTS, 1, 3)
    assert labels(annotations) == list(world.VOCABULARY)
    assert all(each.aggregate and each.aggregate.votes == {each.aggregate.label: 3} for each in annotations)
    assert len(sent(there)) == 3


@pytest.mark.parametrize("count", [0, 1, PER_CALL, PER_CALL + 1, 3 * PER_CALL - 1])
def test_texts_are_labelled_in_calls_of_at_most_twenty(tmp_path: Path, count: int) -> None:
    there = services(tmp_path)
    texts = [f"{TEXTS[number % 4]} {number}" for number in range(count)]
    assert labels(label_by_votes(there, texts, 1, 2)) == [world.true_label(text) for text in texts]
    sizes = [about["count"] for about in asked(there)]
    assert len(sizes) == 2 * -(-count // PER_CALL) and all(size <= PER_CALL for size in sizes)
    assert sum(sizes) == 2 * count


def test_twice_as_many_where_the_labels_are_many(tmp_path: Path) -> None:
    many = Classification("d", dict.fromkeys([*world.VOCABULARY, *(f"label {number}" for number in range(30))], ""))
    there = services(tmp_path, task=many)
    label_by_votes(there, [f"{TEXTS[number % 4]} {number}" for number in range(41)], 1, 1)
    assert [about["count"] for about in asked(there)] == [40, 1]


def test_equal_texts_are_told_apart_by_their_number(tmp_path: Path) -> None:
    texts = [TEXTS[number % 2] for number in range(50)]
    assert labels(label_by_votes(services(tmp_path), texts, 1, 2)) == ["sports", "money"] * 25


def test_orders_differ_by_vote_and_cycle_and_not_by_run(tmp_path: Path) -> None:
    texts = [f"{text} {number}" for text in TEXTS for number in range(4)]
    one, two = services(tmp_path / "a"), services(tmp_path / "b")
    for there in (one, two):
        label_by_votes(there, texts, 1, 2)
    assert sent(one) == sent(two)
    first, second = sent(one)
    assert first != second
    label_by_votes(one, texts, 2, 2)
    assert len(set(sent(one))) == 4


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda said: said[::-1], ["sports", "money", "science", "food"]),
        (lambda said: [each for each in said if each["id"] != 1], 1),
        (lambda said: [*said, {"id": 99, "label": "food"}, {"id": 0, "label": "food"}, {"id": -1, "label": "x"}], 0),
        (lambda said: [*said, said[0]], 0),
        (lambda said: [*said, {"id": 1, "label": "drop"}], 1),
        (lambda said: [{**each, "id": each["id"] + 4} for each in said], 4),
        (lambda said: [{**said[0], "label": "health"}, *said[1:]], 1),
        (lambda said: [{**said[0], "label": ["food"]}, *said[1:]], 1),
        (lambda said: [{**said[0], "label": None}, *said[1:]], 1),
        (lambda said: [{**said[0], "label": ""}, *said[1:]], 1),
        (lambda said: [{**each, "id": str(each["id"]), "label": each["label"].upper() + "."} for each in said], 0),
        (lambda said: [], 4),
        (lambda said: "nonsense", 4),
    ],
)  # fmt: skip
def test_odd_lists_spoil_only_the_texts_they_are_odd_about(tmp_path: Path, change: Any, found: Any) -> None:
    said = labels(label_by_votes(services(tmp_path, odd(change)), TEXTS, 1, 1))
    right = list(world.VOCABULARY)
    unusable = found if isinstance(found, int) else 0
    assert sum(label.startswith("no usable answer (") for label in said) == unusable
    assert all(label == true for label, true in zip(said, right, strict=True) if not label.startswith("no usable"))


@pytest.mark.parametrize("word", ["drop", "DROP", " Drop. "])
def test_a_text_that_one_vote_drops_is_dropped(tmp_path: Path, word: str) -> None:
    def once(prompt: Any) -> Any:
        said = world.annotator(prompt)
        if prompt.sample == 1:
            place = next(i for i, each in enumerate(prompt.about["texts"]) if "soup" in each["text"])
            said["labels"][place]["label"] = word
        return said

    assert labels(label_by_votes(services(tmp_path, once), TEXTS, 1, 2)) == [
        "sports", "money", "science", "dropped by the teacher",
    ]  # fmt: skip


def test_a_tie_is_a_verdict_without_confidence(tmp_path: Path) -> None:
    def torn(prompt: Any) -> Any:
        said = world.annotator(prompt)["labels"]
        return {"labels": said if prompt.sample == 0 else [{**each, "label": "food"} for each in said]}

    annotations = label_by_votes(services(tmp_path, torn), TEXTS, 1, 2)
    assert [each.aggregate.confidence for each in annotations if each.aggregate] == [0.5, 0.5, 0.5, 1.0]


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_are_one_numbered_line(tmp_path: Path, name: str) -> None:
    there = services(tmp_path)
    texts = [ODD[name], *TEXTS]
    assert labels(label_by_votes(there, texts, 1, 1))[1:] == list(world.VOCABULARY)
    assert len(re.findall(r"^\[\d+\] ", sent(there)[0], re.MULTILINE)) == 5
    assert " ".join(ODD[name].split()) in sent(there)[0]


def test_seeds_are_shown_on_one_line_each_and_held_out_texts_are_not(tmp_path: Path) -> None:
    there = services(tmp_path)
    there.memory.remember([Example(text="a $match\n[1] won", label="sports", split="seed")])
    label_by_votes(there, TEXTS, 1, 1)
    assert "\n- a $match [1] won => sports\n" in sent(there)[0]
    assert not any(example.text in sent(there)[0] for example in there.memory.samples("dev"))


def test_the_schema_names_the_labels_and_validates_loosely() -> None:
    schema = labels_schema(world.task())
    assert issubclass(schema, Labels)
    assert "drop" in json.dumps(schema.model_json_schema()) and "science" in json.dumps(schema.model_json_schema())
    assert schema.model_validate({"labels": [{"id": 1, "label": {"odd": 1}}]}).labels[0].label == {"odd": 1}


def favour(prompt: Any, choice: str) -> float:
    """A model that knows the words a little, and likes `food` so much that it says it of everything."""
    [asked] = prompt.about["texts"]
    known = sum(word in world.VOCABULARY[choice] for word in asked["text"].split())
    return -3.0 + 1.0 * known + (5.0 if choice == "food" else 0.0)


@pytest.mark.parametrize("calibration", ["blank", "batch"])
def test_calibration_takes_the_models_liking_away(tmp_path: Path, calibration: Any) -> None:
    there = rating(tmp_path, favour)
    annotations = label_by_logprobs(there, TEXTS, 1, calibration)
    assert labels(annotations) == list(world.VOCABULARY)
    assert len(sent(there)) == len(TEXTS) + (len(BLANKS) if calibration == "blank" else 0)
    for each in annotations:
        assert each.aggregate and each.aggregate.soft and math.isclose(sum(each.aggregate.soft.values()), 1.0)


def test_blank_calibration_is_a_division_by_the_prior(tmp_path: Path) -> None:
    [annotation] = label_by_logprobs(rating(tmp_path, favour), ["goal match"], 1, "blank")
    weights = {"sports": math.e**2, "money": 1.0, "science": 1.0, "food": 1.0}
    expected = {label: weight / sum(weights.values()) for label, weight in weights.items()}
    assert annotation.aggregate and annotation.aggregate.soft == pytest.approx(expected)
    assert annotation.aggregate.confidence == pytest.approx(expected["sports"])


def test_batch_calibration_of_one_text_says_nothing(tmp_path: Path) -> None:
    [annotation] = label_by_logprobs(rating(tmp_path, favour), ["goal match"], 1, "batch")
    assert annotation.aggregate and annotation.aggregate.confidence == pytest.approx(0.25)


def test_a_server_without_probabilities_spoils_its_texts_alone(tmp_path: Path) -> None:
    there = rating(tmp_path, favour)
    score_choices = there.teacher.score_choices

    def patchy(prompts: Any, choices: Any, **more: Any) -> Any:
        rated = score_choices(prompts, choices, **more)
        asked = [words(prompt).rsplit("Text:", 1)[1] for prompt in prompts]
        return [None if "bank loan" in text else each for text, each in zip(asked, rated, strict=True)]

    there.teacher.score_choices = patchy  # type: ignore[method-assign]
    assert labels(label_by_logprobs(there, TEXTS, 1, "blank")) == [
        "sports", "the server gave no probabilities", "science", "food",
    ]  # fmt: skip


def test_no_probabilities_at_all(tmp_path: Path) -> None:
    there = world.services(tmp_path, teacher=ScriptedTeacher({}, {}, prompting="completion"))
    assert set(labels(label_by_logprobs(there, TEXTS, 1, "blank"))) == {"the server gave no probabilities"}


def test_one_demonstration_a_class_and_no_held_out_text(tmp_path: Path) -> None:
    there = rating(tmp_path, favour)
    there.memory.remember(
        Example(text=f"more {word}\nof it", label="food", split="seed") for word in world.VOCABULARY["food"]
    )
    label_by_logprobs(there, TEXTS[:1], 1, "batch")
    [said] = sent(there)
    assert len(re.findall(r"^Label: ", said, re.MULTILINE)) == 4 and said.endswith("Text: goal match\nLabel:")
    assert not any(example.text in said for example in there.memory.samples("dev"))


def test_a_task_without_a_closed_list_is_told_to_vote(tmp_path: Path) -> None:
    class Open(type(world.task())):  # type: ignore[misc]
        def choices(self) -> None:
            return None

    there = services(tmp_path, task=Open("d", {"a": "", "b": ""}))
    with pytest.raises(ValueError, match="method = 'vote'"):
        label_by_logprobs(there, TEXTS, 1, "blank")


@pytest.mark.parametrize("votes", [1, 2, 3])
def test_a_text_that_is_always_refused_costs_no_other(tmp_path: Path, votes: int) -> None:
    texts = [f"{TEXTS[number % 4]} {number}" for number in range(2 * PER_CALL)]
    there = services(tmp_path, lambda prompt: "I can't" if texts[7] in words(prompt) else world.annotator(prompt))
    said = labels(label_by_votes(there, texts, 1, votes))
    assert said[7] == "no usable answer (no label)"
    assert [*said[:7], *said[8:]] == [world.true_label(text) for n, text in enumerate(texts) if n != 7]
    assert len(sent(there)) <= votes * (2 + 2 * 5), "halves of halves, not one by one"
