"""Texts of the pool at random: what the student thinks of them has no say."""

import random
from pathlib import Path

from benchmarks.baselines.random_pool import Generator
from evokd.testing import world
from tests.agents.acting import after_seeds, drafts, train

POOL = [f"{world.make_text(label, random.Random(n))} {n}" for n in range(20) for label in world.VOCABULARY]


def test_it_picks_blindly_without_a_student_and_writes_only_when_asked_to(tmp_path: Path) -> None:
    there = world.services(tmp_path, pool=POOL)
    train(there, [("a kept text", "food")])
    state = {**after_seeds(there), "cycle": 2, "batch_kind": "label", "champion": "students/none"}
    Generator(batch=5)(world.state(**state), there)
    picked = drafts(there, 2)
    assert len(picked) == 20 and {draft.text for draft in picked} <= set(POOL[8:])
    Generator(batch=5)(world.state(**{**state, "cycle": 3, "batch_kind": "breadth"}), there)
    assert {draft.source for draft in drafts(there, 3)} == {"typical"}
