"""The generator: how many drafts of which kind reach the disk, and what is refused on the way."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.annotator.agent import Annotator
from evokd.agents.base import Draft, Services, State
from evokd.agents.generator.agent import ROUNDS, Generator, _assign_gate
from evokd.agents.generator.pool_sampling import PER_WRITTEN, count_unseen, example_texts
from evokd.tasks.base import Example
from evokd.testing import ScriptedTeacher, settled, step, words, world
from tests.agents.acting import ODD, after_seeds, drafts, lesson, sent, train

POOL = [
    world.make_text(label, random.Random(f"{label} {number}")) for label in world.VOCABULARY for number in range(24)
]


def generate(there: Services, generator: Generator | None = None, **state: Any) -> State:
    given = {"cycle": 1, "batch_kind": "breadth", "champion": "students/cycle-000", **state}
    return settled(generator or Generator(backbone=40, gate_size=20, batch=12), world.state(**given), there)


def aimed(folder: Path, generator: Generator, *lessons: Any, **changes: Any) -> tuple[State, Services]:
    """What is written in cycle 2 for these lessons."""
    there = world.services(folder, **changes)
    train(there, [("a kept text", "food")])
    there.memory.remember(lessons=lessons)
    update = generate(there, generator, cycle=2, batch_kind="lessons", lessons=[each.id for each in lessons])
    return update, there


def saying(*said: str) -> Any:
    """A generator that gives these texts to whatever order, and no subtypes."""
    listed = [{"text": text} for text in said]
    return lambda prompt: {"classes": [], "texts": listed, "hard": listed, "typical": listed, "probe": listed}


def test_the_backbone_and_its_gate(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    update = generate(there, stats={"other": {"x": 1}})
    written = drafts(there)
    assert update == {"stats": {"other": {"x": 1}, "drafted": 60, "refused": update["stats"]["refused"]}, "lessons": []}
    assert Counter(draft.target_class for draft in written) == dict.fromkeys(world.VOCABULARY, 15)
    gate = Counter(draft.target_class for draft in written if draft.split == "gate")
    assert gate == dict.fromkeys(world.VOCABULARY, 5), "the same share of every class"
    kinds = Counter((draft.target_class, draft.subtype) for draft in written if draft.split == "gate")
    assert len(kinds) == 12 and set(kinds.values()) == {1, 2}, "and of each of its three subtypes"


def test_of_more_classes_than_the_gate_has_texts_any_may_have_one_there() -> None:
    drafts = [
        Draft(text=f"{label} {n}", source="typical", target_class=str(label))
        for label in range(60)
        for n in range(5 - label // 30)
    ]
    found = Counter[str]()
    for seed in range(40):
        gate = [draft.target_class or "" for draft in _assign_gate(drafts, 20, seed) if draft.split == "gate"]
        assert len(gate) == len(set(gate)) == 20
        found.update(gate)
    assert len(found) == 60, "in forty runs each class had a text in some gate"


def test_the_backbone_has_at_least_four_texts_a_class(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    generate(there, Generator(backbone=1, gate_size=0))
    assert len(drafts(there)) == 16


def test_later_breadth_batches_are_small_and_have_no_gate(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    train(there, [("a kept text", "food")])
    generate(there, cycle=3)
    assert len(drafts(there, 3)) == 12 and {draft.split for draft in drafts(there, 3)} == {"train"}


def test_a_second_backbone_sets_no_second_gate_aside(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    state = after_seeds(there)
    generator = Generator(backbone=40, gate_size=20)
    state = step(Annotator(), step(generator, state, there), there)
    there.memory.mark(state["batch"], "shelved", "it did harm")
    state = step(generator, {**state, "cycle": 3, "batch_kind": "breadth"}, there)
    assert len(there.memory.samples("gate")) == 20
    assert len(drafts(there, 3)) == 40 and {draft.split for draft in drafts(there, 3)} == {"train"}


def test_the_default_mix(tmp_path: Path) -> None:
    _, there = aimed(tmp_path, Generator(batch=11), lesson(), lesson("new", kind="probe"))
    assert Counter(draft.source for draft in drafts(there, 2)) == {"hard": 4, "typical": 4, "probe": 2, "rewrite": 1}
    assert {draft.lesson for draft in drafts(there, 2)} == {"2-short", "2-new", None}


def test_the_papers_settings(tmp_path: Path) -> None:
    paper = Generator(gate_size=0, batch=12, varied=False)
    _, there = aimed(tmp_path, paper, lesson(), lesson("other"))
    assert Counter((draft.source, draft.lesson) for draft in drafts(there, 2)) == dict.fromkeys(
        [("hard", "2-short"), ("hard", "2-other"), ("typical", "2-short"), ("typical", "2-other")], 3
    )
    assert {draft.target_class for draft in drafts(there, 2)} == {None}, "the class is the annotator's to say"


def test_without_easy_there_are_hard_texts_only(tmp_path: Path) -> None:
    _, there = aimed(tmp_path, Generator(batch=8, easy=False), lesson())
    assert [draft.source for draft in drafts(there, 2)] == ["hard"] * 8


def test_without_separate_labels_come_with_the_texts(tmp_path: Path) -> None:
    def labelled(prompt: Any) -> Any:
        said = world.generator(prompt)
        return {
            key: [{**each, "label": world.true_label(each["text"])} for each in texts] for key, texts in said.items()
        }

    teacher = world.teacher(generator=labelled)
    _, there = aimed(tmp_path, Generator(batch=8, separate=False), lesson(), teacher=teacher)
    assert all(draft.label == world.true_label(draft.text) for draft in drafts(there, 2))
    state = settled(Annotator(), world.state(cycle=2), there)
    assert state["stats"]["accepted"] == 8 and not sent(there, "annotator")


def test_lessons_of_other_cycles_are_not_written_for(tmp_path: Path) -> None:
    there = world.services(tmp_path)
    train(there, [("a kept text", "food")])
    there.memory.remember(lessons=[lesson("old"), lesson("new")])
    generate(there, cycle=2, batch_kind="lessons", lessons=["2-new"])
    assert {draft.lesson for draft in drafts(there, 2) if draft.source != "rewrite"} == {"2-new"}


def test_a_lesson_that_a_small_batch_has_no_room_for_has_not_failed(tmp_path: Path) -> None:
    update, _ = aimed(tmp_path, Generator(batch=5), lesson("a"), lesson("b"), lesson("c"))
    assert update["lessons"] == ["2-a"]


def test_no_lessons_means_breadth(tmp_path: Path) -> None:
    _, there = aimed(tmp_path, Generator(batch=8))
    assert {(draft.source, draft.lesson) for draft in drafts(there, 2)} == {("typical", None)}


def test_duplicates_and_held_out_texts_are_refused_and_counted(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    dev = services.memory.samples("dev")[0].text
    said = saying(dev, "A kept text", "soup with bread", "goal one", "goal one!", "loan two")
    update, there = aimed(tmp_path, Generator(batch=6, easy=False), lesson(),
                          teacher=world.teacher(generator=said))  # fmt: skip
    assert [draft.text for draft in drafts(there, 2)] == ["goal one", "loan two"]
    # Round 1: dev, two known ones and a repetition; then four texts are ordered twice, none of the first four is new.
    assert update["stats"]["refused"] == {"duplicate": 3 + 3 + 3, "held-out": 3}
    assert update["stats"]["drafted"] == 2


def test_refused_texts_are_ordered_again_but_not_for_ever(tmp_path: Path) -> None:
    def stubborn(prompt: Any) -> Any:
        return {"hard": [{"text": "soup with bread"}, {"text": f"goal {prompt.sample}"}], "typical": [], "probe": []}

    update, there = aimed(tmp_path, Generator(batch=9, easy=False), lesson(),
                          teacher=world.teacher(generator=stubborn))  # fmt: skip
    assert update["stats"]["drafted"] == len(sent(there)) == ROUNDS
    assert update["stats"]["refused"] == {"duplicate": ROUNDS}


@pytest.mark.parametrize("said", [saying(), saying("", " "), lambda prompt: "no", lambda prompt: {"hard": "x"}])
def test_a_teacher_that_writes_nothing_leaves_an_empty_batch(tmp_path: Path, said: Any) -> None:
    there = world.services(tmp_path, teacher=world.teacher(generator=said))
    assert generate(there)["stats"] == {"drafted": 0, "refused": {}}
    assert drafts(there) == [] and (there.folder.cycle(1) / "drafts.jsonl").exists()
    assert settled(Annotator(), world.state(cycle=1), there)["batch"] == []


@pytest.mark.parametrize(("doubled", "again"), [(1, False), (4, True)])
def test_a_text_or_two_are_not_ordered_again(tmp_path: Path, doubled: int, again: bool) -> None:
    def repeating(prompt: Any) -> Any:
        said = world.generator(prompt)
        if "texts" not in said or prompt.sample % 1000:  # the first order alone
            return said
        return {"texts": [*said["texts"][:-doubled], *said["texts"][:1] * doubled]}

    there = world.services(tmp_path, teacher=world.teacher(generator=repeating))
    generate(there, Generator(backbone=40, gate_size=0))
    rounds = {prompt.sample // 1000 for role, prompt in there.teacher.asked if prompt.about["purpose"] == "breadth"}  # type: ignore[attr-defined]
    assert (len(rounds) > 1) is again


def test_a_shortfall_takes_the_same_share_from_the_gate(tmp_path: Path) -> None:
    def short(prompt: Any) -> Any:
        said = world.generator(prompt)
        return {"texts": said["texts"][:5] if prompt.sample < 11_000 else []} if "texts" in said else said

    there = world.services(tmp_path, teacher=world.teacher(generator=short))
    generate(there)
    written = drafts(there)
    assert len(written) == 20 and sum(draft.split == "gate" for draft in written) == round(20 * 20 / 60)
    per_class = Counter(draft.target_class for draft in written if draft.split == "gate")
    assert max(per_class.values()) - min(per_class.values()) <= 1 and len(per_class) == 4


def test_odd_texts_reach_the_disk_whole(tmp_path: Path) -> None:
    teacher = world.teacher(generator=saying(*ODD.values()))
    _, there = aimed(tmp_path, Generator(batch=20, easy=False), lesson(), teacher=teacher)
    assert [draft.text for draft in drafts(there, 2)] == [" ".join(text.split()) for text in ODD.values()]


def test_the_first_batch_is_written_and_its_gate_is_of_the_pool(tmp_path: Path) -> None:
    there = world.services(tmp_path, pool=POOL)
    after_seeds(there)
    generate(there, Generator(backbone=40, gate_size=20))
    written = drafts(there)
    assert Counter((draft.source, draft.split) for draft in written) == {("typical", "train"): 40, ("pool", "gate"): 20}
    gate = [draft for draft in written if draft.split == "gate"]
    assert {draft.text for draft in gate} <= set(POOL) - set(example_texts(POOL)), "none that a prompt shows"
    assert {draft.target_class for draft in gate} == {None}
    assert not any(draft.text in said for draft in gate for said in sent(there))


@pytest.mark.parametrize(("size", "real"), [(44, True), (45, False)])
def test_a_pool_that_is_too_small_for_a_gate_leaves_it_to_the_teacher(tmp_path: Path, size: int, real: bool) -> None:
    there = world.services(tmp_path, pool=POOL)
    after_seeds(there)
    generate(there, Generator(backbone=40, gate_size=size))
    gate = Counter(draft.source for draft in drafts(there) if draft.split == "gate")
    assert len(POOL) - len(example_texts(POOL)) == 88 and gate == {"pool" if real else "typical": size}
    assert sum(draft.split == "train" for draft in drafts(there)) == 40


def test_the_gate_is_a_random_part_of_the_pool(tmp_path: Path) -> None:
    found = Counter[str]()
    for seed in range(20):
        there = world.services(tmp_path / str(seed), pool=POOL, seed=seed)
        after_seeds(there)
        generate(there, Generator(backbone=16, gate_size=44))
        found.update(draft.text for draft in drafts(there) if draft.split == "gate")
    assert set(found) == set(POOL[8:]) and max(found.values()) < 20


def test_a_labelling_batch_is_of_the_pool_alone_and_larger_than_a_written_one(tmp_path: Path) -> None:
    there = world.services(tmp_path, pool=POOL, teacher=ScriptedTeacher({}))
    train(there, [("a kept text", "food")])
    after_seeds(there)
    update = generate(there, Generator(batch=5), cycle=2, batch_kind="label")
    picked = drafts(there, 2)
    assert {(draft.source, draft.split) for draft in picked} == {("pool", "train")}
    assert update["stats"]["drafted"] == len(picked) == 5 * PER_WRITTEN
    assert not sent(there), "nothing is written"


def test_labelling_ends_when_the_pool_does(tmp_path: Path) -> None:
    there = world.services(tmp_path, pool=POOL[:30])
    train(there, [("a kept text", "food")])
    after_seeds(there)
    counts = []
    for cycle in (2, 3, 4):
        update = generate(there, Generator(batch=5), cycle=cycle, batch_kind="label")
        counts.append((update["stats"]["drafted"], count_unseen(there)))
        train(there, [(draft.text, "food") for draft in drafts(there, cycle)], "quarantined")
    assert counts == [(20, 27), (7, 7), (0, 0)] and count_unseen(there) == 0


@pytest.mark.parametrize("prompting", ["instruct", "completion"])
def test_labelling_from_the_seeds_on_needs_no_generator(tmp_path: Path, prompting: Any) -> None:
    there = world.services(tmp_path, pool=POOL, teacher=ScriptedTeacher({}, prompting=prompting))
    after_seeds(there)
    generate(there, Generator(backbone=40, gate_size=20), batch_kind="label")
    texts = Counter(draft.text for draft in drafts(there))
    assert Counter(draft.split for draft in drafts(there))["gate"] == 20 and not sent(there)
    assert max(texts.values()) == 1 and 20 < len(texts) <= 60, "what is held out is not picked too"


@pytest.mark.parametrize("examples", [True, False])
def test_a_small_batch_goes_to_the_classes_that_have_the_fewest_texts(tmp_path: Path, examples: bool) -> None:
    there = world.services(tmp_path)
    for cycle in (1, 2, 3):
        generate(there, Generator(batch=4, gate_size=0, backbone=0, examples=examples), cycle=cycle,
                 batch_kind="breadth" if cycle == 1 else "lessons")  # fmt: skip
    first = Counter(draft.target_class for draft in drafts(there, 1))
    later = [Counter(draft.target_class for draft in drafts(there, cycle)) for cycle in (2, 3)]
    assert set(first.values()) == {4} and all(len(each) == 2 for each in later)
    assert set(later[0]) | set(later[1]) == set(world.VOCABULARY)


def test_a_written_copy_of_a_held_out_pool_text_is_refused(tmp_path: Path) -> None:
    there = world.services(tmp_path, pool=POOL[:20], teacher=world.teacher(generator=saying(*POOL[:20], "goal new")))
    after_seeds(there)
    generate(there, Generator(backbone=16, gate_size=9, examples=False))
    texts = [draft.text for draft in drafts(there)]
    gate = {draft.text for draft in drafts(there) if draft.split == "gate"}
    assert len(texts) == len(set(texts)) and len(gate) == 9 and gate <= set(POOL[2:20])


def test_no_text_is_drafted_twice_over_many_cycles(tmp_path: Path) -> None:
    there = world.services(tmp_path, pool=POOL)
    state = after_seeds(there)
    seen: list[str] = []
    for _ in range(4):
        state = step(Generator(backbone=40, gate_size=20, batch=24), state, there)
        seen += [draft.text for draft in drafts(there, state["cycle"])]
        state = step(Annotator(), state, there)
        there.memory.mark(state["batch"], "kept")
        state = State(**{**state, "cycle": state["cycle"] + 1, "stats": {}})  # type: ignore[typeddict-item]
    assert len(seen) == len(set(seen)) == 60 + 3 * 24
    dev = {example.text for example in there.memory.samples("dev")}
    assert not dev & set(seen)


def test_a_small_model_writes_every_class_in_equal_parts(tmp_path: Path) -> None:
    def say(prompt: Any) -> str:
        label = words(prompt).rsplit("A text about ", 1)[1].split(",")[0].split(":")[0]
        return world.make_text(label, random.Random(prompt.sample)) + '." and so on'

    there = world.services(tmp_path, teacher=ScriptedTeacher({"generator": say}, prompting="completion"))
    generate(there)
    written = drafts(there)
    assert Counter(draft.target_class for draft in written) == dict.fromkeys(world.VOCABULARY, 15)
    assert all(
        draft.subtype is None and world.true_label(draft.text.rstrip(".")) == draft.target_class for draft in written
    )
    assert Counter(draft.target_class for draft in written if draft.split == "gate") == dict.fromkeys(
        world.VOCABULARY, 5
    )


def test_the_same_seed_writes_and_sets_aside_the_same(tmp_path: Path) -> None:
    def run(name: str, seed: int) -> Any:
        there = world.services(tmp_path / name, pool=POOL, seed=seed)
        after_seeds(there)
        generate(there)
        return drafts(there)

    assert run("a", 1) == run("b", 1) != run("c", 2)


def test_a_gate_text_of_an_earlier_cycle_is_not_written_again(tmp_path: Path) -> None:
    there = world.services(tmp_path, teacher=world.teacher(generator=saying("goal gate", "goal free")))
    train(there, [("a kept text", "food")])
    there.memory.remember([Example(text="Goal  gate", label="sports", split="gate")], lessons=[lesson()])
    update = generate(there, Generator(batch=4), cycle=2, batch_kind="lessons", lessons=["2-short"])
    assert [draft.text for draft in drafts(there, 2)] == ["goal free"]
    assert update["stats"]["refused"]["held-out"] >= 1


def test_an_order_that_failed_is_given_again_however_small_its_share(tmp_path: Path) -> None:
    failed: list[str] = []

    def one_fails(prompt: Any) -> Any:
        if prompt.about.get("target_class") == "food" and not failed:
            failed.append(words(prompt))
            return {"texts": []}
        return world.generator(prompt)

    there = world.services(tmp_path, teacher=world.teacher(generator=one_fails))
    generate(there, Generator(backbone=400, gate_size=0, examples=False))
    assert failed and Counter(draft.target_class for draft in drafts(there)) == dict.fromkeys(world.VOCABULARY, 100)
