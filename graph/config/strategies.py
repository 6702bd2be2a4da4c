"""Whole loops by name: which settings of the agents make the paper's loop, its baselines, or ours.

A strategy is only a set of defaults; every one of them can be overridden under `[agents]` in the config. The paper's
ablations are such overrides: `easy`, `correct`, `review`, `separate`, each `false`; so is its EvoKD + Init:
`curriculum = "gated"` for the evaluator and `first = "rewrites"` for the generator.
"""

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Mapping[str, Any]]

ZEROGEN: Settings = {
    "trainer": {"rival": False},
    "evaluator": {"curriculum": "breadth"},
    "generator": {"gate_size": 0, "examples": False, "separate": False, "guidelines": False},
    "annotator": {"quarantine": False},
}

STRATEGIES: Mapping[str, Settings] = {
    # Breadth first, a gate set aside before training, every later batch a candidate. The defaults of the agents.
    "gated": {},
    # Evolving Knowledge Distillation as published (arXiv 2403.06414): half hard, half easy texts aimed at the errors
    # on the last batch, one label each, one student that goes on with every batch and reviews earlier ones.
    "paper": {
        "trainer": {
            "start": "warm",
            "members": 1,
            "rival": False,
            "max_difficulty": 1.0,
            "last_members": 0,
            "balance": False,
        },
        "evaluator": {"curriculum": "lessons"},
        "analyst": {"probe": False, "crossfit": False},
        "generator": {"gate_size": 0, "varied": False, "guidelines": False, "conversation": True},
        "annotator": {"votes": 1, "quarantine": False},
    },
    # Plain varied generation with blind labels and no feedback: what the loop has to beat.
    "static": {
        "trainer": {"rival": False},
        "evaluator": {"curriculum": "breadth"},
        "generator": {"gate_size": 0},
    },
    # One pass from the description alone, labels written with the texts (ZeroGen, arXiv 2202.07922).
    "zerogen": ZEROGEN,
    # The seeds in other words, which keep their labels (AugGPT, arXiv 2302.13007).
    "auggpt": {
        "trainer": {"rival": False},
        "evaluator": {"curriculum": "breadth"},
        "generator": {"gate_size": 0, "first": "rewrites", "separate": False, "guidelines": False},
        "annotator": {"quarantine": False},
    },
    # The seeds and nothing else.
    "none": {},
}

MOST_CYCLES: Mapping[str, int] = {"none": 0, "zerogen": 1, "auggpt": 1}
"""Cycles after which a strategy has nothing more to do, whatever `[stop]` says."""
