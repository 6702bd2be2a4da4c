"""What is held out for the gate is not where a role looks for drafts."""

from pathlib import Path

from evokd.agents.base import Draft
from evokd.agents.drafts import read_all_drafts, write_drafts
from evokd.testing import world


def test_a_role_that_reads_the_drafts_finds_none_that_is_held_out(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    drafts = [Draft(text=f"text {n}", source="typical", split="gate" if n % 2 else "train") for n in range(6)]
    write_drafts(services, 1, drafts)
    found = services.folder.read_rows(services.folder.cycle(1) / "drafts.jsonl", Draft)
    assert [draft.text for draft in found] == ["text 0", "text 2", "text 4"]
    assert [draft.text for draft in read_all_drafts(services, 1)] == [draft.text for draft in drafts]


def test_a_role_may_take_drafts_out_and_the_others_keep_their_order(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    write_drafts(
        services, 1, [Draft(text=f"text {n}", source="typical", split="gate" if n == 1 else "train") for n in range(4)]
    )
    path = services.folder.cycle(1) / "drafts.jsonl"
    services.folder.write_rows(path, services.folder.read_rows(path, Draft)[1:])
    assert [draft.text for draft in read_all_drafts(services, 1)] == ["text 1", "text 2", "text 3"]
