"""What every memory must do."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ...memory.base import Memory, Status
from ...tasks.base import ErrorCase, Example, Lesson, Origin, Split


def example(text: str, label: str = "music", split: Split = "train", cycle: int = 1) -> Example:
    """An example as the annotator leaves it."""
    return Example(text=text, label=label, split=split, origin=Origin(cycle=cycle, source="hard", votes={label: 3}))


PLAY, WEATHER, BOOK = example("play the new song by adele"), example("will it rain", "weather"), example("book a table")


class MemoryContract:
    """What every memory must do. Subclass it, say in `make` how yours is opened, and run pytest.

    Examples:
        >>> class TestMine(MemoryContract):
        ...     def make(self, folder):
        ...         return MyMemory(folder, HashEmbedder(), MemorySettings())
    """

    persists = True
    """Whether what was remembered is there when the same folder is opened again."""

    def make(self, folder: Path) -> Memory:
        """Your memory in a folder that may not be there yet.

        It must compare texts by `evokd.testing.HashEmbedder()` and by the default of `memory.duplicate_cosine`.
        """
        raise NotImplementedError("say in `make` how your memory is opened")

    @pytest.fixture
    def memory(self, tmp_path: Path) -> Iterator[Memory]:
        """An empty one."""
        made = self.make(tmp_path / "memory")
        yield made
        made.close()

    def test_is_a_memory(self, memory: Memory) -> None:
        assert isinstance(memory, Memory)

    @pytest.mark.parametrize(
        "odd",
        [
            Example(text="plain", label="a"),
            Example(text="emoji 😀 \x00 \u2028 é e\u0301 \u202eabc 中文", label="ein Label, mit Komma", split="seed"),
            Example(
                text="soft",
                label="a",
                soft={"b": 1 / 3, "a": 2 / 3},
                origin=Origin(confidence=0.1 + 0.2, target_class="b"),
            ),
            Example(id="mine", text="its own id", label="a"),
        ],
    )
    def test_an_example_comes_back_equal(self, memory: Memory, odd: Example) -> None:
        memory.remember([odd])
        assert memory.samples(odd.split) == [odd]
        assert memory.get([odd.id]) == [odd]

    def test_samples_come_by_cycle_then_id(self, memory: Memory) -> None:
        examples = [example(f"text number {i}", cycle=i % 3) for i in range(30)]
        memory.remember(examples[15:])
        memory.remember(examples[:15])
        assert memory.samples("train") == sorted(examples, key=lambda e: (e.origin.cycle, e.id))

    def test_splits_and_statuses_are_kept_apart(self, memory: Memory) -> None:
        seed, gate = example("my own", split="seed"), example("gate text", split="gate")
        memory.remember([seed, gate])
        memory.remember([PLAY], status="candidate")
        memory.remember([BOOK], status="quarantined", reason="two classes fit")
        assert memory.samples("seed") == [seed]
        assert memory.samples("gate") == [gate]
        assert memory.samples("gate", "candidate") == memory.samples("train") == memory.samples("dev") == []
        assert memory.samples("train", "candidate") == [PLAY]
        assert memory.samples("train", "quarantined") == [BOOK]
        assert memory.reasons("quarantined") == {BOOK.id: "two classes fit"}
        assert memory.reasons("candidate") == {PLAY.id: ""}

    def test_mark_changes_status_and_reason_and_ignores_what_is_no_sample(self, memory: Memory) -> None:
        gate = example("gate text", split="gate")
        memory.remember([PLAY, WEATHER, gate], status="candidate")
        memory.mark([PLAY.id, gate.id, "unknown", PLAY.id], "shelved", "no gain")
        assert memory.samples("train", "shelved") == [PLAY]
        assert memory.samples("train", "candidate") == [WEATHER]
        assert memory.reasons("shelved") == {PLAY.id: "no gain"}
        assert memory.samples("gate") == [gate]
        memory.mark([], "kept")

    def test_a_second_run_of_the_writing_step_does_not_undo_the_verdict(self, memory: Memory) -> None:
        def annotator() -> None:
            memory.remember([PLAY, WEATHER], status="candidate")
            memory.remember([BOOK], status="quarantined", reason="unsure")

        def evaluator() -> None:
            memory.mark([PLAY.id], "kept")
            memory.mark([WEATHER.id], "shelved", "worse on dev")

        def state() -> list[object]:
            statuses: tuple[Status, ...] = ("kept", "candidate", "shelved", "quarantined")
            return [(memory.samples("train", s), memory.reasons(s)) for s in statuses]

        annotator()
        evaluator()
        once = state()
        annotator()
        assert state() == once
        annotator()
        evaluator()
        assert state() == once

    def test_another_content_replaces_and_takes_the_status_given(self, memory: Memory) -> None:
        memory.remember([PLAY], status="candidate")
        memory.mark([PLAY.id], "shelved", "old")
        relabelled = PLAY.model_copy(update={"label": "weather"})
        memory.remember([relabelled], status="candidate")
        assert memory.samples("train", "candidate") == [relabelled]
        assert memory.samples("train", "shelved") == []
        assert memory.reasons("candidate") == {PLAY.id: ""}

    def test_of_one_id_twice_in_a_call_the_later_counts(self, memory: Memory) -> None:
        later = PLAY.model_copy(update={"label": "weather"})
        memory.remember([PLAY, later])
        assert memory.samples("train") == [later]

    @pytest.mark.parametrize("split", ["gate", "dev", "test"])
    def test_held_out_texts_are_never_found(self, memory: Memory, split: Split) -> None:
        hidden = example("the hidden marker text", split=split)
        memory.remember([hidden, PLAY])
        assert memory.get([hidden.id, PLAY.id]) == [PLAY]
        assert memory.samples("train") == [PLAY]

    @pytest.mark.parametrize("held_out_first", [True, False])
    def test_a_held_out_text_is_no_sample_whichever_came_first(self, memory: Memory, held_out_first: bool) -> None:
        train, gate = example("The  same text"), example("the same TEXT", split="gate")
        case = ErrorCase(example=train, predicted="weather", probability=0.9, cycle=1)
        for held_out in (held_out_first, not held_out_first):
            if held_out:
                memory.remember([gate])
            else:
                memory.remember([train], errors=[case])
        assert (memory.samples("train"), memory.get([train.id]), memory.errors()) == ([], [], [])
        assert memory.similar("the same text", 3) == []
        assert memory.samples("gate") == [gate]

    def test_a_text_in_two_held_out_splits_stays_in_both(self, memory: Memory) -> None:
        dev = example("twice", split="dev")
        memory.remember([dev, dev.moved("gate")])
        assert memory.samples("dev") == [dev]
        assert memory.samples("gate") == [dev.moved("gate")]

    def test_the_test_file_is_known_to_novelty_and_read_by_nobody(self, memory: Memory) -> None:
        """A text near it is refused, and no call gives its texts."""
        memory.remember([example("the team won the hidden match", split="test")])
        memory.remember([example("The team won the  hidden match")])
        assert memory.samples("test") == memory.samples("train") == []
        told = memory.novel(["the TEAM won the hidden match", "the team won the hidden match!", "who won the match"])
        assert told == ["held-out", "held-out", None]

    def test_an_error_on_a_held_out_example_is_refused(self, memory: Memory) -> None:
        case = ErrorCase(example=example("x", split="dev"), predicted="weather", probability=0.5, cycle=1)
        with pytest.raises(ValueError, match="held-out"):
            memory.remember(errors=[case])
        assert memory.errors() == []

    def test_errors_by_cycle_and_fixed_later(self, memory: Memory) -> None:
        cases = [
            ErrorCase(example=e, predicted="other", probability=0.7, cycle=c)
            for c, e in ((2, PLAY), (1, PLAY), (1, WEATHER), (10, BOOK))
        ]
        memory.remember(errors=cases)
        fixed = cases[0].model_copy(update={"fixed_in": 3})
        memory.remember(errors=[fixed])
        assert memory.errors(2) == [fixed]
        assert memory.errors(3) == []
        assert memory.errors() == sorted([fixed, *cases[1:]], key=lambda c: (c.cycle, c.example.id))

    def test_lessons_come_oldest_first_and_keep_their_effect(self, memory: Memory) -> None:
        young = Lesson(id="a", name="negation", pattern="not bad", advice="write it", cycle=2, evidence=("x", "y"))
        old = Lesson(id="b", name="irony \ud800", pattern="", advice="", kind="probe", cycle=1)
        memory.remember(lessons=[young, old])
        measured = young.model_copy(update={"effect": {"before": 0.5, "after": 0.7, "kept": 1.0}})
        memory.remember(lessons=[measured])
        assert memory.lessons() == [old, measured]

    def test_similar_gives_the_nearest_errors_first_and_no_sample(self, memory: Memory) -> None:
        near = example("play the new song")
        cases = [ErrorCase(example=e, predicted="o", probability=0.7, cycle=1) for e in (WEATHER, BOOK, near, PLAY)]
        memory.remember([PLAY, WEATHER, BOOK])
        assert memory.similar("will it rain today", 2) == []
        memory.remember(errors=cases)
        assert memory.similar("will it rain today", 2)[0] == cases[0]
        assert memory.similar("play the new song by adele", 2) == [cases[3], cases[2]]
        assert len(memory.similar("x", 10)) == 4
        assert memory.similar("play", 0) == []

    def test_novel_compares_text_and_vector_with_everything(self, memory: Memory) -> None:
        memory.remember([PLAY, example("a text for the gate only", split="gate")])
        memory.remember([WEATHER], status="quarantined")
        memory.remember([BOOK], status="shelved")
        reasons = memory.novel(
            [
                "PLAY  the new song\nby Adele",  # a sample, but for case and space
                "play the new song by adele!",  # near a sample
                "will it rain",  # quarantined
                "\uff42ook a table",  # shelved, full-width letter
                "A text for the gate only",
                "a text for the gate only.",  # near a held-out text
                "something quite different",
                "Something quite different",
                "something quite different?",
                "and one more thing to say",
            ]
        )
        assert reasons == [*["duplicate"] * 4, *["held-out"] * 2, None, *["duplicate"] * 2, None]
        assert memory.novel(["something quite different"]) == [None], "asking writes nothing"
        assert memory.novel([]) == []

    def test_held_out_is_told_before_duplicate(self, memory: Memory) -> None:
        memory.remember([example("one text about trains and planes", split="test")])
        memory.remember([example("one text about trains and planes!")])
        assert memory.novel(["one text about trains and planes"]) == ["held-out"]

    def test_a_refused_text_does_not_make_its_neighbours_refused(self, memory: Memory) -> None:
        known = "a sentence of many words that will be lengthened step by step until it is another one"
        refused, neighbour = f"{known} abcd", f"{known} abcd efgh 123"
        cosines = memory.embed([known, refused, neighbour]) @ memory.embed([refused, neighbour]).T
        assert cosines[0, 0] > 0.95 > cosines[0, 1]
        assert cosines[1, 1] > 0.95
        memory.remember([example(known)])
        assert memory.novel([refused, neighbour]) == ["duplicate", None]
        assert memory.novel([neighbour, refused]) == [None, "duplicate"]

    def test_embeddings_are_unit_rows_in_the_order_asked(self, memory: Memory) -> None:
        vectors = memory.embed(["a", "b", "a"])
        assert vectors.shape[0] == 3
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert (vectors[0] == vectors[2]).all()
        assert memory.embed([]).shape == (0, vectors.shape[1])

    def test_nothing_is_remembered_of_nothing(self, memory: Memory) -> None:
        memory.remember()
        assert (memory.samples("train"), memory.errors(), memory.lessons()) == ([], [], [])
        assert memory.get(["x"]) == memory.get([]) == []
        assert memory.reasons("quarantined") == {}
        assert memory.novel(["x"]) == [None]

    def test_what_was_remembered_is_there_when_it_is_opened_again(self, tmp_path: Path) -> None:
        first = self.make(tmp_path / "memory")
        if not self.persists:
            pytest.skip("this memory lives as long as its process")
        case = ErrorCase(example=WEATHER, predicted="music", probability=0.7, cycle=1)
        lesson = Lesson(id="a", name="rain", pattern="rain", advice="write rain", cycle=1)
        first.remember([PLAY, WEATHER, example("hidden", split="gate")], errors=[case], lessons=[lesson])
        first.remember([BOOK], status="quarantined", reason="two classes fit")
        first.close()
        again = self.make(tmp_path / "memory")
        assert again.samples("train") == sorted([PLAY, WEATHER], key=lambda each: each.id)
        assert again.samples("gate") == [example("hidden", split="gate")]
        assert (again.errors(), again.lessons()) == ([case], [lesson])
        assert again.reasons("quarantined") == {BOOK.id: "two classes fit"}
        assert again.novel([PLAY.text, "hidden", "something quite different"]) == ["duplicate", "held-out", None]
        again.close()
