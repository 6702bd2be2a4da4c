"""The trainer: who is trained on what, with which seed, and never twice."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from evokd.agents.base import Services
from evokd.agents.trainer.agent import Trainer
from evokd.tasks.base import Example
from evokd.testing import ListMemory, settled, world
from tests.agents.acting import WatchedStudent, WatchedStudents, after_seeds, train

BATCH = [("the goal of the match", "sports"), ("a loan from the bank", "money"), ("an atom in the lab", "science")]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return world.services(tmp_path, students=WatchedStudents(list(world.VOCABULARY)))


def made(services: Services) -> list[WatchedStudent]:
    assert isinstance(services.students, WatchedStudents)
    return services.students.made


def fits(services: Services) -> list[tuple[int, list[str]]]:
    """(seed, texts) of every fit since they were last forgotten."""
    return [(student.seed, student.learnt) for student in made(services) if student.learnt]


def test_cycle_0_trains_on_the_seeds_alone(services: Services) -> None:
    update = settled(Trainer(), world.state(), services)
    assert update["challenger"] == "students/cycle-000"
    assert update["stats"] == {"trained_on": 4}
    assert [(seed, sorted(texts)) for seed, texts in fits(services)] == [
        (0, sorted(world.SEEDS.values())), (1, sorted(world.SEEDS.values())),
    ]  # fmt: skip


def test_both_sides_are_trained_on_the_same_seeds_with_and_without_the_batch(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    update = settled(Trainer(members=2), state, services)
    batch = {text for text, _ in BATCH}
    assert [(seed, batch <= set(texts), len(texts)) for seed, texts in fits(services)] == [
        (100, True, 7), (101, True, 7), (100, False, 4), (101, False, 4),
    ]  # fmt: skip
    assert update["stats"] == {"trained_on": 7}
    left = sorted(path.name for path in services.folder.student(1).parent.iterdir())
    assert left == [".rival-001", "cycle-000", "cycle-001"], "what was averaged is gone"


def test_classes_count_the_same_on_both_sides_unless_that_is_off(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    for balance in (True, False):
        made(services).clear()
        shutil.rmtree(services.folder.student(1), ignore_errors=True)
        shutil.rmtree(services.folder.rival(1), ignore_errors=True)
        settled(Trainer(members=1, balance=balance), state, services)
        assert [student.balance for student in made(services) if student.learnt] == [balance, balance]


def test_a_trainer_of_ones_own_chooses_what_a_fresh_student_learns(services: Services) -> None:
    class Short(Trainer):
        def select_texts(self, services: Services, examples: Sequence[Example]) -> list[Example]:
            return [example for example in examples if len(example.text) < 20]

    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    settled(Short(members=1, rival=False), state, services)
    [(_, texts)] = fits(services)
    assert texts and max(map(len, texts)) < 20


def test_one_fit_a_side(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    settled(Trainer(members=1), state, services)
    assert [seed for seed, _ in fits(services)] == [100, 100]


def test_without_a_rival_the_challenger_is_trained_alone(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    settled(Trainer(members=3, rival=False), state, services)
    assert [seed for seed, _ in fits(services)] == [100, 101, 102]
    assert not services.folder.rival(1).exists()


def test_no_rival_where_nothing_is_held_out(tmp_path: Path) -> None:
    services = world.services(tmp_path, students=WatchedStudents(list(world.VOCABULARY)))
    memory = ListMemory()
    memory.remember(services.memory.samples("seed"))
    services = Services(services.task, memory, services.students, services.teacher, services.folder)
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    settled(Trainer(members=1), state, services)
    assert len(fits(services)) == 1


def test_the_rival_of_the_decided_cycle_is_removed(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    settled(Trainer(), state, services)
    settled(Trainer(), {**state, "cycle": 2}, services)
    assert not services.folder.rival(1).exists()
    assert services.folder.rival(2).exists()
    assert services.folder.student(1).exists()


def test_a_text_of_the_batch_that_is_kept_already_is_trained_on_once(services: Services) -> None:
    known = train(services, BATCH[:1], "kept")
    state = after_seeds(services, batch=[*known, *train(services, BATCH[1:], "candidate")])
    made(services).clear()
    update = settled(Trainer(members=1, rival=False), state, services)
    assert update["stats"]["trained_on"] == 7 and len(update["batch"]) == 2
    assert len(fits(services)[0][1]) == 7


def test_a_batch_of_kept_texts_is_nothing_new(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "kept"))
    made(services).clear()
    update = settled(Trainer(), state, services)
    assert (update["challenger"], update["batch"], fits(services)) == (state["champion"], [], [])


def test_only_kept_texts_and_the_batch_are_trained_on(services: Services) -> None:
    train(services, [("shelved medal", "sports")], "shelved")
    train(services, [("quarantined soup", "food")], "quarantined")
    train(services, [("another cycle's menu", "food")], "candidate")
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    settled(Trainer(members=1), state, services)
    trained = {text for _, texts in fits(services) for text in texts}
    assert trained == {*world.SEEDS.values(), *(text for text, _ in BATCH)}


def test_warm_start_goes_on_with_the_batch_and_reviews_twice_as_many(services: Services) -> None:
    train(services, [(f"old text {number}", "food") for number in range(10)])
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    settled(Trainer(start="warm", members=1, rival=False), state, services)
    [(_, texts)] = fits(services)
    assert texts[:3] == [text for text, _ in BATCH]
    assert len(texts) == len(set(texts)) == 9


def test_warm_start_without_review_or_with_little_to_review(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    settled(Trainer(start="warm", review=False, members=1, rival=False), state, services)
    settled(Trainer(start="warm", members=1, rival=False), {**state, "cycle": 2}, services)
    assert [len(texts) for _, texts in fits(services)] == [3, 7]


def test_warm_start_compares_with_a_side_that_has_not_seen_the_batch(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    made(services).clear()
    settled(Trainer(start="warm"), state, services)
    assert all({text for text, _ in BATCH} <= set(texts) for _, texts in fits(services))
    champion = (services.folder.root / state["champion"] / "model.json").read_text()
    assert (services.folder.rival(1) / "model.json").read_text() == champion
    assert (services.folder.student(1) / "model.json").read_text() != champion


TRAP = ("the team won the match again", "money")
"""The champion knows these words as sports."""


def test_what_the_champion_is_sure_is_something_else_is_shelved_in_lessons_alone(services: Services) -> None:
    for batch_kind, trained in (("lessons", 7), ("breadth", 8)):
        ids = train(services, [*BATCH, TRAP], "candidate", lesson="2-wins")
        state = after_seeds(services, batch_kind=batch_kind, batch=ids)
        update = settled(Trainer(members=1, max_difficulty=0.8), state, services)
        assert update["stats"]["trained_on"] == trained
        services.folder.drop_rival(1)
        shutil.rmtree(services.folder.student(1))
        if batch_kind == "lessons":
            assert update["batch"] == ids[:3] and update["stats"]["too_hard"] == 1
            assert services.memory.samples("train", "too hard")[0].id == ids[3]
            assert "students/cycle-000" in services.memory.reasons("too hard")[ids[3]]


def test_of_lessons_that_are_too_hard_no_text_is_learnt(services: Services) -> None:
    traps = [TRAP, ("the team won a match", "money")]
    ids = train(services, [*BATCH, *traps], "candidate", lesson="2-wins")
    typical = train(services, [("soup with fresh bread", "food")], "candidate")
    state = after_seeds(services, batch_kind="lessons", batch=[*ids, *typical])
    update = settled(Trainer(members=1, max_difficulty=0.8), state, services)
    assert update["batch"] == typical and update["stats"]["too_hard"] == 2
    assert {each.id for each in services.memory.samples("train", "too hard")} == set(ids[3:])
    assert {each.id for each in services.memory.samples("train", "shelved")} == set(ids[:3])
    assert services.memory.reasons("shelved")[ids[0]] == "2 of 5 were out of reach"


def test_a_text_that_is_for_no_lesson_is_learnt_whatever_the_champion_says(services: Services) -> None:
    ids = [*train(services, BATCH, "candidate", lesson="2-wins"), *train(services, [TRAP], "candidate", source="pool")]
    update = settled(
        Trainer(members=1, max_difficulty=0.8), after_seeds(services, batch_kind="lessons", batch=ids), services
    )
    assert update["batch"] == ids and update["stats"] == {
        "for_lessons": 3,
        "too_hard": 0,
        "no_longer_too_hard": 0,
        "trained_on": 8,
    }


def test_what_was_out_of_reach_comes_back_when_the_champion_has_grown(services: Services) -> None:
    shelf = train(services, [("soup with fresh bread", "food"), TRAP], "too hard")
    state = after_seeds(services, batch_kind="lessons", batch=train(services, BATCH, "candidate", cycle=2))
    update = settled(Trainer(members=1, max_difficulty=0.8), state, services)
    assert update["batch"] == [*state["batch"], shelf[0]] and update["stats"]["no_longer_too_hard"] == 1
    assert update["stats"]["too_hard"] == 0


def test_a_batch_wholly_out_of_reach_changes_nothing(services: Services) -> None:
    state = after_seeds(services, batch_kind="lessons", batch=train(services, [TRAP], "candidate", lesson="2-wins"))
    update = settled(Trainer(max_difficulty=0.8), state, services)
    assert (update["challenger"], update["batch"]) == (state["champion"], [])
    assert update["stats"]["too_hard"] == 1


@pytest.mark.parametrize("start", ["fresh", "warm"])
def test_an_empty_batch_still_gives_a_challenger(services: Services, start: str) -> None:
    state = after_seeds(services)
    update = settled(Trainer(start=start), state, services)  # type: ignore[arg-type]
    champion = (services.folder.root / state["champion"] / "model.json").read_text()
    assert (services.folder.root / update["challenger"] / "model.json").read_text() == champion


def test_a_killed_training_goes_on_where_it_was(services: Services) -> None:
    state = after_seeds(services, batch=train(services, BATCH, "candidate"))
    services.students.load(services.folder.root / state["champion"]).save(services.folder.student(1))
    made(services).clear()
    Trainer(members=1)(state, services)
    assert len(fits(services)) == 1, "the challenger was there already"


def test_the_same_seed_gives_the_same_students_and_another_seed_others(tmp_path: Path) -> None:
    def seeds(name: str, seed: int) -> list[tuple[int, list[str]]]:
        services = world.services(tmp_path / name, students=WatchedStudents(list(world.VOCABULARY)), seed=seed)
        train(services, [(f"old text {number}", "food") for number in range(20)])
        Trainer(start="warm")(after_seeds(services, batch=train(services, BATCH, "candidate")), services)
        return fits(services)

    assert seeds("a", 1) == seeds("b", 1)
    assert seeds("a2", 1) != seeds("c", 2)


def test_held_out_examples_are_never_in_a_batch(services: Services) -> None:
    gate = Example(text="the referee", label="sports", split="gate")
    services.memory.remember([gate])
    state = after_seeds(services, batch=[gate.id, "unknown"])
    made(services).clear()
    settled(Trainer(members=1), state, services)
    assert not any("the referee" in texts for _, texts in fits(services))
