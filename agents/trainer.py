"""The trainer: fits the challenger on what is kept plus the fresh batch. It asks no LLM."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt

from agents.base import Services, State
from tasks.base import Example


@dataclass(frozen=True)
class Trainer:
    """Fits one challenger a cycle, and the pairs of students that the gate compares.

    A single training run is too noisy to judge a batch by, and the champion's last score was a maximum. So both sides
    are trained anew in every cycle, with and without the batch, on the same fresh random seeds: neither side keeps a
    lucky draw.
    """

    start: Literal["fresh", "warm"] = "fresh"
    """`fresh`: from the encoder, on everything kept. `warm`: the champion goes on with the batch (the paper)."""
    review: bool = True
    """Warm start only: mix earlier samples in, twice as many as the batch has (the paper's review history)."""
    members: NonNegativeInt = 2
    """Students trained on each side of the comparison; 0 trains the challenger alone."""
    last_fit: bool = True
    """When the loop is over, train once more on everything kept and on the gate's texts too."""

    def __call__(self, state: State, services: Services) -> State:
        """Train this cycle's challenger, and its rivals where there is something to compare on."""
        cycle = state["cycle"]
        services.folder.drop_rivals(cycle - 1)
        kept = [*services.memory.samples("seed"), *services.memory.samples("train")]
        known = {example.id for example in kept}
        batch = [example for example in services.memory.get(state.get("batch", [])) if example.id not in known]
        if cycle > 0 and not state.get("batch"):
            return State(challenger=state["champion"])  # nothing new to learn
        challenger = services.folder.student(cycle)
        jobs = [(challenger, batch, 0)]
        if cycle > 0 and self._comparable(services):
            for member in range(self.members):
                if member:  # the challenger itself is the first member of its side
                    jobs.append((services.folder.rival(cycle, "challenger", member), batch, member))
                jobs.append((services.folder.rival(cycle, "champion", member), [], member))
        for number, (folder, fresh, member) in enumerate(jobs, start=1):
            seed = services.seed * 10_000 + cycle * 100 + member
            what = f"training {number} of {len(jobs)} on {len(kept) + len(fresh)} texts"
            if self.start == "warm" and state.get("champion"):
                self._go_on(services.folder.root / state["champion"], folder, (kept, fresh), seed, services, what)
            elif not folder.exists():  # a killed run finds the students it had finished
                student = services.students.new(seed)
                student.fit([*kept, *fresh], services.bar(what))
                student.calibrate(services.memory.samples("dev"))
                student.save(folder)
        counts = {**state.get("counts", {}), "trained on": len(kept) + len(batch)}
        return State(challenger=services.folder.relative(challenger), counts=counts)

    def _comparable(self, services: Services) -> bool:
        return self.members > 0 and bool(services.memory.samples("gate") or services.memory.samples("dev"))

    def _go_on(
        self,
        champion: Path,
        folder: Path,
        texts: tuple[Sequence[Example], Sequence[Example]],
        seed: int,
        services: Services,
        what: str,
    ) -> None:
        kept, batch = texts
        if folder.exists():
            return
        replay = min(len(kept), 2 * len(batch)) if self.review else 0
        lesson = [*batch, *random.Random(seed).sample(list(kept), replay)]
        student = services.students.load(champion, seed)
        if lesson:
            student.fit(lesson, services.bar(what))
        student.calibrate(services.memory.samples("dev"))
        student.save(folder)
