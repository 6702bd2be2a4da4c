"""One budget for many cells."""

from pathlib import Path

import pytest

from evokd.comparison.shared_budget import Shares, spent
from evokd.comparison.spec import SharedBudget
from evokd.teacher.accounting.budget import Cost
from evokd.teacher.accounting.cache import AnswerCache
from evokd.teacher.accounting.ledger import Ledger
from evokd.teacher.settings import BudgetSettings
from tests.comparison.comparisons import spend

NOTHING = BudgetSettings()


def shares(*cells: str, **whole: float) -> Shares:
    found = Shares(SharedBudget.model_validate(whole))
    for cell in cells:
        found.settle(cell, Cost())
    return found


def test_what_is_left_is_shared_equally_and_comes_back() -> None:
    whole = shares("a", "b", max_tokens=100)
    assert whole.take("a", NOTHING, 2).limits.max_tokens == 50
    assert whole.take("b", NOTHING, 1).limits.max_tokens == 50
    assert whole.left == {"max_tokens": 0} and whole.exhausted() == "max_tokens"
    assert whole.settle("a", Cost(1, 20, 0.0)) == {"max_tokens": 30}
    assert whole.left == {"max_tokens": 30} and whole.exhausted() == ""
    assert whole.take("a", NOTHING, 1).limits.max_tokens == 50, "its own 20 and the 30 that are free"


def test_a_cells_own_limit_counts_where_it_is_lower() -> None:
    whole = shares("a", max_tokens=100, max_usd=1.0)
    share = whole.take("a", BudgetSettings(max_tokens=30, max_usd=5.0, max_minutes=2), 1)
    assert share.limits == BudgetSettings(max_tokens=30, max_usd=1.0, max_minutes=2)
    assert whole.left == {"max_tokens": 70, "max_usd": 0.0}
    assert share.cut_by("budget.max_usd = 1 is reached: ...") == "max_usd"
    assert share.cut_by("budget.max_tokens = 30 is ...") == share.cut_by("budget.max_minutes = 2 is reached: ...") == ""


def test_without_a_whole_every_cell_has_its_own_limits() -> None:
    own = BudgetSettings(max_calls=3)
    share = shares("a").take("a", own, 4)
    assert share.limits == own and share.less == () and shares("a").exhausted() == ""


def test_a_share_allows_a_call_at_least() -> None:
    whole = shares("a", "b", max_calls=1)
    assert whole.take("a", NOTHING, 2).limits.max_calls == 1
    assert whole.exhausted(), "so the other one has to wait"


@pytest.mark.parametrize("left", [0.0, 1e-12])
def test_hardly_anything_is_nothing(left: float) -> None:
    whole = shares("a", max_usd=1.0)
    whole.settle("a", Cost(1, 1, 1.0 - left))
    assert whole.exhausted() == "max_usd"


def test_what_a_killed_cell_had_paid_is_counted(tmp_path: Path) -> None:
    assert spent(tmp_path) == Cost()
    (tmp_path / "ledger.jsonl").touch()
    spend(tmp_path, 40)
    ledger, cache = Ledger(tmp_path), AnswerCache(tmp_path / "answers.sqlite")
    lost = {"id": "lost", "time": "", "cycle": 2, "from_cache": False, "input": 7, "output": 3, "cached_input": 0}
    lost |= {"prompt": "p", "sample": 0, "attempt": "first"}
    cache.put("key", "{}", ledger.run, {**lost, "seconds": 0.0, "usd": 0.5})
    ledger.close()
    cache.close()
    assert spent(tmp_path) == Cost(2, 50, 0.54) == spent(tmp_path)
