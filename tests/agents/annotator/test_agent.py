"""The annotator: blind, and every draft ends in exactly one place."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.annotator.agent import Annotator
from evokd.agents.annotator.logprob_labels import ALL_BAD
from evokd.agents.base import Draft, Services, State
from evokd.tasks.errors import StepError
from evokd.testing import ScriptedTeacher, settled, words, world
from tests.agents.acting import ODD, sent, write_drafts

NOTHING_WRONG: dict[str, Any] = {"quarantined": {}, "repaired": {}, "unusable": {}}


def draft(text: str, **changes: Any) -> Draft:
    return Draft(
        **{"text": text, "source": "typical", "target_class": world.true_label(text), "prompt": "p", **changes}
    )


def several(count: int) -> list[Draft]:
    rng = random.Random(2)
    return [
        draft(world.make_text(label, rng), split="gate" if number % 3 == 0 else "train")
        for number, label in enumerate((list(world.VOCABULARY) * count)[:count])
    ]


def label(
    folder: Path, drafts: list[Draft], annotator: Annotator | None = None, say: Any = None, **changes: Any
) -> tuple[State, Services]:
    """What the annotator changes in cycle 1, and the services."""
    given = {"teacher": world.teacher(annotator=say or world.annotator), **changes}
    services = world.services(folder, **given)
    write_drafts(services, drafts)
    return settled(
        annotator or Annotator(), world.state(cycle=1, batch_kind="lessons", stats={"drafted": len(drafts)}), services
    ), services


def plain(folder: Path, drafts: list[Draft], annotator: Annotator | None = None) -> tuple[State, Services]:
    def score_choices(prompt: Any, choice: str) -> float:
        text = words(prompt).rsplit("Text:", 1)[1]
        return 2.0 * sum(word in world.VOCABULARY[choice] for word in text.split())

    return label(
        folder, drafts, annotator, teacher=ScriptedTeacher({}, {"annotator": score_choices}, prompting="completion")
    )


def test_texts_become_candidates_and_the_gate_is_put_aside(tmp_path: Path) -> None:
    update, services = label(tmp_path, several(30))
    batch = services.memory.get(update["batch"])
    assert len(batch) == 20 and {example.split for example in batch} == {"train"}
    assert services.memory.samples("train", "candidate") and not services.memory.samples("train", "kept")
    assert len(services.memory.samples("gate")) == 10
    assert update["stats"] == {"drafted": 30, "accepted": 20, "held_out": 10, **NOTHING_WRONG}
    origin = batch[0].origin
    assert (origin.cycle, origin.source, origin.teacher, origin.prompt) == (1, "typical", "scripted-annotator", "p")
    assert origin.confidence == 1.0 and origin.votes == {batch[0].label: 2}


@pytest.mark.parametrize("votes", [1, 2, 3])
def test_every_draft_is_counted_once(tmp_path: Path, votes: int) -> None:
    def unruly(prompt: Any) -> Any:
        rng = random.Random(words(prompt))
        said = world.annotator(prompt)["labels"]
        for each in said:
            each["label"] = rng.choice([each["label"]] * 6 + ["drop", "health", "food", ""])
        return {"labels": [each for each in said if rng.random() < 0.9]}

    update, services = label(tmp_path, several(60), Annotator(votes=votes), unruly)
    stats = update["stats"]
    assert stats["accepted"] + stats["held_out"] + sum(stats["quarantined"].values()) == 60
    memory = services.memory
    assert len(memory.samples("train", "quarantined")) == sum(stats["quarantined"].values()) > 0
    assert stats["quarantined"] == Counter(memory.reasons("quarantined").values())
    assert len(update["batch"]) == len(set(update["batch"])) == stats["accepted"]


def test_it_is_blind(tmp_path: Path) -> None:
    secret = {"lesson": "2-secret", "subtype": "hidden kind", "source": "hard", "target_class": "science"}
    _, services = label(tmp_path, [draft("goal match", **secret), draft("bank loan", **secret)])
    for _, prompt in services.teacher.asked:  # type: ignore[attr-defined]
        assert len(prompt.body) == 1 and prompt.lesson is None
        assert not any(word in words(prompt) for word in ("secret", "hidden", "hard"))
    _, other = label(tmp_path / "b", [draft("goal match"), draft("bank loan")])
    assert sent(services) == sent(other), "what is asked does not depend on what was ordered"


def test_no_drafts_no_calls(tmp_path: Path) -> None:
    for name, run in (("a", label), ("b", plain)):
        update, services = run(tmp_path / name, [])
        assert update == {"batch": [], "stats": {"drafted": 0, "accepted": 0, "held_out": 0, **NOTHING_WRONG}}
        assert not sent(services)


def test_all_quarantined(tmp_path: Path) -> None:
    update, services = label(tmp_path, several(9), say=lambda prompt: {"labels": []})
    assert update["batch"] == [] and update["stats"]["quarantined"]["no usable answer (no label)"] == 9
    assert not services.memory.samples("gate") and len(services.memory.samples("train", "quarantined")) == 9
    assert {example.origin.confidence for example in services.memory.samples("train", "quarantined")} == {None}


@pytest.mark.parametrize("allowing", [{"threshold": 0.0}, {"quarantine": False}])
def test_a_tie_is_not_learnt_unless_that_is_allowed(tmp_path: Path, allowing: dict[str, Any]) -> None:
    def torn(prompt: Any) -> Any:
        said = world.annotator(prompt)["labels"]
        return {"labels": said if prompt.sample == 0 else [{**each, "label": "food"} for each in said]}

    update, _ = label(tmp_path / "a", [draft("goal match")], say=torn)
    assert update["stats"]["quarantined"]["not confident"] == 1
    update, services = label(tmp_path / "b", [draft("goal match")], Annotator(**allowing), torn)
    [example] = services.memory.get(update["batch"])
    assert example.soft == {"sports": 0.5, "money": 0.0, "science": 0.0, "food": 0.5}


def test_a_chat_model_need_not_agree_with_what_was_asked(tmp_path: Path) -> None:
    update, _ = label(tmp_path, [draft("goal match", target_class="food")])
    assert update["stats"]["accepted"] == 1


@pytest.mark.parametrize(("quarantine", "kept"), [(True, 1), (False, 2)])
def test_a_small_model_must_agree(tmp_path: Path, quarantine: bool, kept: int) -> None:
    drafts = [draft("goal match", target_class="food"), draft("bank loan")]
    update, _ = plain(tmp_path, drafts, Annotator(quarantine=quarantine))
    assert update["stats"]["accepted"] == kept
    assert update["stats"]["quarantined"].get("not what was asked for", 0) == 2 - kept


def test_texts_nobody_asked_for_a_class_need_not_agree(tmp_path: Path) -> None:
    update, _ = plain(tmp_path, [draft("goal match", target_class=None, source="pool")])
    assert update["stats"]["accepted"] == 1


def test_a_small_model_is_rated(tmp_path: Path) -> None:
    update, services = plain(tmp_path, several(6))
    assert update["stats"]["accepted"] == 4
    assert all(example.soft for example in services.memory.get(update["batch"]))
    assert all(isinstance(prompt.body, str) for _, prompt in services.teacher.asked)  # type: ignore[attr-defined]


def test_the_method_can_be_set(tmp_path: Path) -> None:
    teacher = ScriptedTeacher({"annotator": world.annotator}, prompting="completion")
    update, _ = label(tmp_path, several(4), Annotator(method="vote"), teacher=teacher)
    assert update["stats"]["accepted"] == 2


def test_labels_written_with_the_text_are_taken(tmp_path: Path) -> None:
    drafts = [draft("goal match", label="food"), draft("bank loan", label="Money."), draft("an orbit", label="drop"),
              draft("the soup", label=""), draft("bread", label="health")]  # fmt: skip
    update, services = label(tmp_path, drafts)
    assert [example.label for example in services.memory.get(update["batch"])] == ["food", "money"]
    assert update["stats"]["quarantined"]["no usable answer (unknown label)"] == 2
    assert update["stats"]["quarantined"]["dropped by the teacher"] == 1
    assert not sent(services)


def test_pool_texts_among_labelled_ones_are_still_labelled_blind(tmp_path: Path) -> None:
    drafts = [
        draft("goal match", label="food"),
        draft("bank loan", target_class=None, source="pool"),
        draft("soup", label="food"),
    ]
    update, services = label(tmp_path, drafts, Annotator(votes=1))
    assert [example.label for example in services.memory.get(update["batch"])] == ["food", "money", "food"]
    assert "goal match" not in sent(services)[0]


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_are_kept_as_they_are(tmp_path: Path, name: str) -> None:
    update, services = label(tmp_path, [draft(ODD[name], target_class=None)], Annotator(votes=1))
    [example] = services.memory.get(update["batch"])
    assert example.text == ODD[name]


def test_a_held_out_draft_is_never_learnt(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    text = services.memory.samples("dev")[0].text
    write_drafts(services, [draft(text), draft("goal match")])
    update = settled(Annotator(), world.state(cycle=1), services)
    assert [example.text for example in services.memory.get(update["batch"])] == ["goal match"]


def test_the_same_seed_gives_the_same_batch(tmp_path: Path) -> None:
    updates = [label(tmp_path / name, several(30))[0] for name in ("a", "b")]
    assert updates[0] == updates[1]


@pytest.mark.parametrize("method", ["vote", "with the text"])
def test_a_teacher_that_labels_nothing_stops_the_run_and_is_quoted(tmp_path: Path, method: str) -> None:
    """Every answer has the right form, so nobody else would notice before all cycles are paid for."""

    def weather(prompt: Any) -> Any:
        return {"labels": [{**each, "label": "weather"} for each in world.annotator(prompt)["labels"]]}

    own = "weather" if method == "with the text" else None
    drafts = [each.model_copy(update={"label": own}) for each in several(ALL_BAD)]
    said = r"not one of 40 texts .*\n  'weather' is not one of the labels\..*\n  'weather'.*\n  'weather'.*--no-cache"
    with pytest.raises(StepError, match=f"(?s){said}"):
        label(tmp_path / "all", drafts, say=weather)
    label(tmp_path / "few", drafts[:-1], say=weather)
    update, _ = label(tmp_path / "one", [*drafts[:-1], several(1)[0]], say=lambda prompt: spare(weather, prompt))
    assert update["stats"]["drafted"] == ALL_BAD


def spare(say: Any, prompt: Any) -> Any:
    """What is said, but right about one text of each call."""
    return {"labels": [*say(prompt)["labels"][1:], *world.annotator(prompt)["labels"][:1]]}


def test_a_server_that_answers_nobody_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"(?s)not one of 40 texts .*\n  the JSON does not fit the schema"):
        label(tmp_path, several(ALL_BAD), say=lambda prompt: "I would love to help you with that!")


@pytest.mark.parametrize(("source", "kept"), [("pool", True), ("typical", False)])
def test_a_third_answer_breaks_a_tie_about_a_text_of_the_pool_alone(tmp_path: Path, source: Any, kept: bool) -> None:
    def wavering(prompt: Any) -> Any:
        said = world.annotator(prompt)
        return {"labels": [{**each, "label": "food"} for each in said["labels"]]} if prompt.sample == 1 else said

    text = draft("the goal of the match", source=source, split="gate", target_class=None)
    update, services = label(tmp_path, [text], say=wavering)
    assert len(sent(services, "annotator")) == (3 if kept else 2)
    held = services.memory.samples("gate")
    assert [(each.label, each.origin.votes) for each in held] == [("sports", {"sports": 2, "food": 1})] * kept
    assert update["stats"]["held_out"] == kept


def test_texts_of_the_pool_and_written_ones_keep_their_places(tmp_path: Path) -> None:
    mixed = [each.model_copy(update={"source": "pool"} if n % 2 else {}) for n, each in enumerate(several(24))]
    update, services = label(tmp_path, mixed)
    found = [*services.memory.get(update["batch"]), *services.memory.samples("gate")]
    assert len(found) == 24 and all(each.label == world.true_label(each.text) for each in found)
