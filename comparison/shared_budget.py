"""One budget for many cells: what each may spend, so that all together never spend more than the whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..teacher.accounting.budget import Cost
from ..teacher.accounting.cache import AnswerCache
from ..teacher.accounting.ledger import Ledger
from ..teacher.settings import BudgetSettings
from .spec import SharedBudget

Limits = Mapping[str, float]
"""A key of `[budget]` -> how much of it; a key without a limit is not there."""

FIELDS = {"max_usd": "usd", "max_tokens": "tokens", "max_calls": "calls"}
"""Key of `[budget]` -> field of `Cost`."""

LEAST = {"max_usd": 1e-9, "max_tokens": 1.0, "max_calls": 1.0}
"""Less than this is nothing."""


def spent(folder: Path) -> Cost:
    """What a cell that is not at work has spent, with the calls that a kill kept out of its ledger."""
    if not (folder / "ledger.id").exists():
        return Cost()
    ledger, answers = Ledger(folder), AnswerCache(folder / "answers.sqlite")
    try:
        ledger.complete(answers.entries(ledger.run))
        return ledger.cost
    finally:
        ledger.close()
        answers.close()


@dataclass(frozen=True)
class Share:
    """What one cell may spend in all, earlier sittings included."""

    limits: BudgetSettings
    """Its own, or less."""
    less: tuple[str, ...]
    """The keys on which the whole allows it less than its own config does."""

    def cut_by(self, why: str) -> str:
        """The key by which the whole stopped a cell; empty where it was its own limit. `why` is `BudgetExhausted`'s."""
        return next((key for key in self.less if f"budget.{key} " in why), "")


class Shares:
    """Keeps the account of the whole."""

    def __init__(self, whole: SharedBudget) -> None:
        self._whole = {key: float(value) for key, value in whole.model_dump(exclude_none=True).items()}
        self._held: dict[str, Limits] = {}
        """Cell -> what it has spent, or what is reserved for it while it is at work."""

    def settle(self, cell: str, cost: Cost) -> Limits:
        """Book what a cell has spent; what was reserved for it beyond that is free again, and returned."""
        spent = {key: float(getattr(cost, FIELDS[key])) for key in self._whole}
        held, self._held[cell] = self._held.get(cell, spent), spent
        return {key: held[key] - spent[key] for key in self._whole}

    @property
    def left(self) -> Limits:
        """What is neither spent nor reserved."""
        return {key: whole - sum(held[key] for held in self._held.values()) for key, whole in self._whole.items()}

    def exhausted(self) -> str:
        """The first key of which nothing is left; empty where there is something of each."""
        return next((key for key, left in self.left.items() if left < LEAST[key]), "")

    def take(self, cell: str, own: BudgetSettings, parts: int) -> Share:
        """Reserve an equal part of what is left for a settled cell; call it only where something of each is left."""
        held, limits, less = dict(self._held[cell]), own, []
        for key, left in self.left.items():
            most, mine = held[key] + max(left / parts, LEAST[key]), getattr(own, key)
            if mine is None or most < mine:
                less.append(key)
                limits = limits.model_copy(update={key: most if key == "max_usd" else int(most)})
            held[key] = most if mine is None else min(most, mine)
        self._held[cell] = held
        return Share(limits, tuple(less))
