"""The drafts of a cycle as files: those to train on, and apart from them those that are held out for the gate.

A role that reads `drafts.jsonl` may show its texts to the teacher. What the gate judges by must not be among them.
"""

from collections.abc import Iterable

from .base import Draft, Services

TRAIN, HELD_OUT = "drafts.jsonl", "held_out_drafts.jsonl"


def write_drafts(services: Services, cycle: int, drafts: Iterable[Draft]) -> None:
    """Write the drafts of a cycle, each with its place, in two files."""
    placed = [draft.model_copy(update={"place": place}) for place, draft in enumerate(drafts)]
    folder = services.folder.cycle(cycle)
    services.folder.write_rows(folder / HELD_OUT, [draft for draft in placed if draft.split != "train"])
    services.folder.write_rows(folder / TRAIN, [draft for draft in placed if draft.split == "train"])


def read_all_drafts(services: Services, cycle: int) -> list[Draft]:
    """Read the drafts of a cycle, those held out for the gate too, in the order in which they were written.

    For whoever labels or counts them. Whoever shows texts to the teacher for another reason reads `drafts.jsonl`.
    """
    folder = services.folder.cycle(cycle)
    found = [draft for name in (TRAIN, HELD_OUT) for draft in services.folder.read_rows(folder / name, Draft)]
    return sorted(found, key=lambda draft: draft.place)


def take_drafts(services: Services, cycle: int, role: str) -> list[Draft]:
    """Read the drafts that a role of one's own finds, the same ones when its step is run a second time.

    Those held out for the gate are not among them.

    Args:
        services: of the run.
        cycle: whose drafts.
        role: its name; what it found is kept beside the drafts under it.
    """
    path = services.folder.cycle(cycle) / TRAIN
    found = path.with_name(f"drafts_before_{role}.jsonl")
    if not found.exists():
        services.folder.write_rows(found, services.folder.read_rows(path, Draft))
    return services.folder.read_rows(found, Draft)


def leave_drafts(services: Services, cycle: int, drafts: Iterable[Draft]) -> None:
    """Write the drafts that a role leaves to those after it."""
    services.folder.write_rows(services.folder.cycle(cycle) / TRAIN, drafts)
