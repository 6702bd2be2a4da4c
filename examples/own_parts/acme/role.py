"""A role: drops drafts that are too short to say anything."""

from dataclasses import dataclass

from evokd import Draft, Services, State, add_stats


@dataclass(frozen=True)
class Critic:
    """Drops drafts of fewer than `least` words."""

    least: int = 2

    def __call__(self, state: State, services: Services) -> State:
        """Read the drafts of this cycle, and leave those that are long enough."""
        path = services.folder.cycle(state["cycle"]) / "drafts.jsonl"
        written = path.with_name("written.jsonl")  # what came in, for a step that is run a second time
        if not written.exists():
            services.folder.write_rows(written, services.folder.read_rows(path, Draft))
        drafts = services.folder.read_rows(written, Draft)
        kept = [draft for draft in drafts if len(draft.text.split()) >= self.least]
        services.folder.write_rows(path, kept)
        return State(stats=add_stats(state.get("stats", {}), other={"criticised": len(drafts) - len(kept)}))
