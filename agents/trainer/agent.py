"""The trainer: fits the challenger on what is kept plus the fresh batch. It asks no LLM."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from ...student.base import Student
from ...tasks.base import Example
from ..base import Services, State
from ..batch_stats import BatchStats, add_stats
from .difficulty import are_too_hard, split_by_difficulty
from .weight_averaging import average_fits


@dataclass(frozen=True)
class Trainer:
    """Fits one challenger a cycle, and the rival that the gate compares it with.

    A single training run is too noisy to judge a batch by, and the champion's last score was a maximum. So both sides
    are trained anew in every cycle, with and without the batch, on the same fresh random seeds: neither side keeps a
    lucky draw.
    """

    start: Literal["fresh", "warm"] = "fresh"
    """`fresh`: from the encoder, on everything kept. `warm`: the champion goes on with the batch (the paper)."""
    review: bool = True
    """Warm start only: mix earlier samples in, twice as many as the batch has (the paper's review history)."""
    members: PositiveInt = 2
    """Fits whose weights are averaged into each student."""
    rival: bool = True
    """Train what the challenger is compared with, where texts are held out to compare on. Off: there is no gate, and
    every batch stays (the paper)."""
    max_difficulty: Annotated[float, Field(gt=0, le=1)] | None = None
    """Probability of a wrong answer above which a text of a lesson is out of the champion's reach: it is not learnt but
    put on a shelf, and tried again when the champion has grown. None: what pays for the task's kind; 1: never."""
    balance: bool = True
    """Fresh start and one label a text: let every class count the same, however many texts it happens to have. Off: by
    their numbers. (The students that look for weaknesses are always balanced.)"""
    last_members: NonNegativeInt = 5
    """Fits averaged into a last student that learns everything kept and the gate's texts too; 0 for no last student."""

    def __call__(self, state: State, services: Services) -> State:
        """Train this cycle's challenger, and its rival where there is something to compare on."""
        cycle = state["cycle"]
        services.folder.drop_rival(cycle - 1)
        stats = state.get("stats", {})
        kept = [*services.memory.samples("seed"), *services.memory.samples("train")]
        known = {example.id for example in kept}
        batch = [example for example in services.memory.get(state.get("batch", [])) if example.id not in known]
        if state["batch_kind"] == "lessons":
            batch, stats = self._drop_too_hard(state["champion"], batch, services, stats)
        if cycle > 0 and not batch:
            return State(challenger=state["champion"], batch=[], stats=stats)  # nothing new to learn
        seeds = [services.seed * 10_000 + cycle * 100 + member for member in range(self.members)]
        challenger = services.folder.student(cycle)
        average_fits(services, challenger, seeds, self._fit(state, services, kept, batch))
        if cycle > 0 and self.rival and (services.memory.samples("gate") or services.memory.samples("dev")):
            average_fits(services, services.folder.rival(cycle), seeds, self._fit(state, services, kept, []))
        stats = add_stats(stats, trained_on=len(kept) + len(batch))
        ids = [example.id for example in batch]
        return State(challenger=services.folder.relative(challenger), batch=ids, stats=stats)

    def select_texts(self, services: Services, examples: Sequence[Example]) -> list[Example]:
        """The examples that a student learns: all of them. A trainer of one's own may override this and leave some out.

        The last student's texts are asked for here as well (`agents/trainer/last_training.py`).
        """
        return list(examples)

    def _drop_too_hard(
        self, champion: str, batch: Sequence[Example], services: Services, stats: BatchStats
    ) -> tuple[list[Example], BatchStats]:
        """The batch without texts of lessons that are too hard, with earlier ones that no longer are; and the stats.

        Where more than a few texts are too hard, so are the lessons, and none of their texts is learnt.
        """
        sure = services.task.max_difficulty if self.max_difficulty is None else self.max_difficulty
        fresh = {example.id for example in batch}
        shelf = [each for each in services.memory.samples("train", "too hard") if each.id not in fresh]
        aimed = [example for example in batch if example.origin.lesson]
        near, far = split_by_difficulty(services, champion, aimed, sure)
        grown, _ = split_by_difficulty(services, champion, shelf, sure)
        services.memory.mark([each.id for each in far], "too hard", f"{champion} was sure of another label")
        stats = add_stats(stats, for_lessons=len(aimed), too_hard=len(far), no_longer_too_hard=len(grown))
        beyond = {example.id for example in far}
        if are_too_hard(len(far), len(aimed)):
            services.memory.mark([each.id for each in near], "shelved", f"{len(far)} of {len(aimed)} were out of reach")
            beyond |= {each.id for each in near}
        return [*(example for example in batch if example.id not in beyond), *grown], stats

    def _fit(
        self, state: State, services: Services, kept: Sequence[Example], batch: Sequence[Example]
    ) -> Callable[[int, str], Student]:
        """(seed, which fit) -> a student that has learnt the batch and, fresh, all that is kept."""
        side = "the challenger" if batch or state["cycle"] == 0 else "its rival"
        texts = self.select_texts(services, [*kept, *batch])

        def fresh(seed: int, which: str) -> Student:
            student = services.students.new(seed)
            student.fit(texts, services.bar(f"training {side} on {len(texts)} texts{which}"), balance=self.balance)
            return student

        def warm(seed: int, which: str) -> Student:
            replay = min(len(kept), 2 * len(batch)) if self.review else 0
            lesson = [*batch, *random.Random(seed).sample(list(kept), replay)]
            student = services.students.load(services.folder.root / state["champion"], seed)
            if lesson:
                student.fit(lesson, services.bar(f"training {side} on {len(lesson)} texts{which}"))
            return student

        return warm if self.start == "warm" and state.get("champion") else fresh
