"""When a run is over."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ..agents.base import State
from ..agents.batch_stats import has_no_drafts

EMPTY = 2
"""Batches in a row, of the kind that would come next, without one new text, after which there are taken to be none."""


@dataclass(frozen=True)
class Stop:
    """Stops after a number of cycles, when the score is reached, or when nothing has helped or come for a while.

    It also stops where nothing is to be expected of anything that could be done next (`agents/policy.py`).

    Examples:
        >>> from evokd.testing import world
        >>> stop = evokd.Stop(cycles=3)
        >>> stop(world.state(cycle=3)), stop(world.state(cycle=4))
        ('', 'all 3 cycles are done')
    """

    cycles: Annotated[int, Field(ge=0)] = 6
    patience: Annotated[int, Field(ge=1)] = 4
    """Batches shelved in a row."""
    target: Annotated[float, Field(gt=0, le=1)] | None = None
    """Main score on dev (on the gate where there is no dev file), between 0 and 1."""

    def __call__(self, state: State) -> str:
        """Why the run is over, or an empty string."""
        if self.target is not None and state["history"]:
            scores = state["history"][-1]["scores"]
            reached = scores.get("dev", scores.get("gate", {})).get("value") or 0.0
            if reached >= self.target:
                return f"the target is reached: {reached:.3f} is at least {self.target:.3f}"
        if state.get("nothing_left"):
            return state["history"][-1]["outlook"]
        if state.get("shelved_in_a_row", 0) >= self.patience:
            return f"no batch of the last {self.patience} made the student better"
        alike = [row for row in state["history"] if row["batch_kind"] == state["batch_kind"]]  # others may have texts
        last = [has_no_drafts(row["stats"]) for row in alike[-EMPTY:]]
        if len(last) == EMPTY and all(last):
            there = "the pool holds" if state["batch_kind"] == "label" else "the teacher writes"
            return f"the last {EMPTY} batches had no new text: what {there} is there already"
        if state["cycle"] > self.cycles:
            return f"all {self.cycles} cycles are done"
        return ""
