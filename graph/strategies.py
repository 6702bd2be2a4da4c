"""Whole loops by name: which settings of the agents make the paper's loop, plain generation, or ours.

A strategy is only a set of defaults; every one of them can be overridden under `[agents]` in the config.
"""

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Mapping[str, Any]]

STRATEGIES: Mapping[str, Settings] = {
    # Breadth first, a gate set aside before training, every later batch a candidate. The defaults of the agents.
    "gated": {},
    # Evolving Knowledge Distillation as published (arXiv 2403.06414): half hard, half easy texts aimed at the errors
    # on the last batch, one label each, one student that goes on with every batch and reviews earlier ones.
    "paper": {
        "trainer": {"start": "warm", "members": 0},
        "evaluator": {"gate": False, "curriculum": "lessons"},
        "analyst": {"probe": False},
        "generator": {
            "gate": 0,
            "mix": {"hard": 0.5, "typical": 0.5, "probe": 0.0, "coverage": 0.0},
            "most_uses": 0,
            "card": False,
        },
        "annotator": {"votes": 1, "threshold": 0.0, "agreement": "off", "most_uses": 0},
    },
    # Plain varied generation with blind labels and no feedback: what the loop has to beat.
    "static": {
        "trainer": {"members": 0},
        "evaluator": {"gate": False, "curriculum": "breadth"},
        "generator": {"gate": 0},
    },
}
