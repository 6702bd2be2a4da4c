"""Memory as a file: every text with its label, source, votes and fate, readable without us."""

from typing import get_args

from agents.base import Services
from memory.base import Status
from tasks.base import Split


def export_samples(services: Services) -> None:
    """Write `samples.jsonl`: seeds, training texts of every status, and the gate. The user's own dev set stays out."""
    memory, rows = services.memory, []
    splits: tuple[Split, ...] = ("seed", "train", "gate")
    for split in splits:
        for status in get_args(Status) if split == "train" else ("kept",):
            reasons = memory.reasons(status)
            rows += [
                {**example.model_dump(mode="json"), "status": status, "reason": reasons.get(example.id, "")}
                for example in memory.samples(split, status)
            ]
    services.folder.write_rows(services.folder.root / "samples.jsonl", rows)
