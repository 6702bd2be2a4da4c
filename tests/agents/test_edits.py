"""Edits of seeds: words swapped or left out, labels kept, no text twice."""

import random
from collections import Counter

import pytest

from agents.edits import edited, edits
from tasks.base import Example, Span
from tasks.ner import Ner
from tests import world


def test_every_seed_in_turn_no_two_alike_and_its_own_words_alone() -> None:
    seeds = [Example(text=text, label=label) for label, text in world.SEEDS.items()]
    drafts = edits(world.task(), seeds, 20, 0)
    texts = [draft.text for draft in drafts]
    assert len(texts) == 20 == len(set(texts)) and not set(texts) & set(world.SEEDS.values())
    assert {draft.stance for draft in drafts} == {"rewrite"}
    for draft in drafts:
        assert not Counter(draft.text.split()) - Counter(world.SEEDS[str(draft.label)].split())
    assert edits(world.task(), seeds, 20, 0) == drafts != edits(world.task(), seeds, 20, 1)


def test_a_short_seed_has_few_edits() -> None:
    seeds = [Example(text="goal match", label="sports")]
    assert {draft.text for draft in edits(world.task(), seeds, 50, 0)} == {"match goal", "goal", "match"}
    assert edits(world.task(), [Example(text="goal", label="sports")], 5, 0) == []


@pytest.mark.parametrize("text", ["one", "a b", "a b c d e f g h i j k l m n o p q r s t"])
def test_an_edit_leaves_something(text: str) -> None:
    for seed in range(50):
        assert edited(text, random.Random(seed))


def test_entities_keep_their_quotes() -> None:
    task = Ner("names", {"PER": "a person"})
    seeds = [Example(text="Ann Lee came home late", label=(Span(start=0, end=7, type="PER"),))]
    assert {draft.label for draft in edits(task, seeds, 5, 0)} == {"PER Ann Lee"}
