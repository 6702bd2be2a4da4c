"""A role: drops drafts that are too short to say anything."""

from dataclasses import dataclass

from evokd import Services, State, add_stats
from evokd.agents.drafts import leave_drafts, take_drafts


@dataclass(frozen=True)
class Critic:
    """Drops drafts of fewer than `least` words."""

    least: int = 2

    def __call__(self, state: State, services: Services) -> State:
        """Read the drafts of this cycle, and leave those that are long enough."""
        drafts = take_drafts(services, state["cycle"], "critic")
        kept = [draft for draft in drafts if len(draft.text.split()) >= self.least]
        leave_drafts(services, state["cycle"], kept)
        return State(stats=add_stats(state.get("stats", {}), other={"criticised": len(drafts) - len(kept)}))
