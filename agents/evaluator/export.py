"""Memory as a file: every text with its label, source, votes and fate, readable without us."""

from typing import get_args

from ...memory.base import Status
from ...tasks.base import Split
from ...tasks.files import write_text
from ..base import Services


def export_samples(services: Services) -> None:
    """Write `samples.jsonl`: seeds, training texts of every status, and the gate. The user's own dev set stays out.

    What is learnt is also written in the other forms that the task's field knows.
    """
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
    learnt = [*memory.samples("seed"), *memory.samples("train")]
    for name, lines in services.task.exports(learnt).items():
        write_text(services.folder.root / name, "".join(f"{line}\n" for line in lines))
