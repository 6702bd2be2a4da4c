"""Limits hold under many threads and across processes."""

import contextlib
import random
import threading

import pytest

from evokd.tasks.errors import BudgetExhausted, ConfigError
from evokd.teacher.accounting.budget import Budget, Cost
from evokd.teacher.settings import BudgetSettings, TeacherSettings

LOCAL = TeacherSettings()


def test_many_threads_never_pass_a_limit() -> None:
    budget = Budget(BudgetSettings(max_calls=50, max_tokens=1000), LOCAL)
    made: list[int] = []

    def work() -> None:
        try:
            while True:
                with budget.reserve(Cost(1, 40)) as book:
                    made.append(1)
                    book(Cost(1, 15))
        except BudgetExhausted:
            return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == budget.spent.calls == 50 and budget.spent.tokens == 750


def test_a_call_waits_for_those_in_flight_instead_of_giving_up() -> None:
    budget = Budget(BudgetSettings(max_tokens=100), LOCAL)
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with budget.reserve(Cost(1, 60)) as book:
            book(Cost(1, 60))

    with budget.reserve(Cost(1, 60)) as book:
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        book(Cost(1, 20))  # cheaper than thought, so there is room for both
    thread.join()
    assert budget.spent == Cost(2, 80)


def test_a_failed_call_gives_its_place_back() -> None:
    budget = Budget(BudgetSettings(max_calls=1), LOCAL)
    with pytest.raises(RuntimeError), budget.reserve(Cost(1)):
        raise RuntimeError
    with budget.reserve(Cost(1)) as book:
        book(Cost(1))


@pytest.mark.parametrize(
    ("limits", "spent", "words"),
    [
        (BudgetSettings(max_calls=2), Cost(2, 10), "budget.max_calls = 2 is reached: 2 calls made"),
        (BudgetSettings(max_tokens=99), Cost(2, 90), "budget.max_tokens = 99 is reached: 90 tokens used"),
        (BudgetSettings(max_usd=1.5), Cost(2, 10, 1.49), "budget.max_usd = 1.5 is reached: 1.4900 USD spent"),
    ],
)
def test_the_message_names_limit_spending_and_remedy(limits: BudgetSettings, spent: Cost, words: str) -> None:
    budget = Budget(limits, LOCAL)
    budget.restore(spent)
    with pytest.raises(BudgetExhausted) as stop, budget.reserve(Cost(1, 10, 0.02)):
        pass
    assert words in str(stop.value) and "resume" in str(stop.value)


def test_minutes_count_earlier_sittings() -> None:
    now = [1000.0]
    budget = Budget(BudgetSettings(max_minutes=2), LOCAL, earlier_seconds=90, clock=lambda: now[0])
    with budget.reserve(Cost(1)):
        pass
    now[0] += 31
    assert budget.seconds == 121
    with pytest.raises(BudgetExhausted, match=r"2\.0 minutes of active time"), budget.reserve(Cost(1)):
        pass


def test_a_money_limit_needs_prices() -> None:
    unpriced = TeacherSettings(roles={"analyst": {"kind": "openai", "model": "m"}})  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match=r"budget.max_usd = 1.0 .*teacher.roles.analyst.usd_per_million_input"):
        Budget(BudgetSettings(max_usd=1.0), unpriced)
    Budget(BudgetSettings(max_usd=1.0), LOCAL)  # the embedded model costs nothing


def test_the_worst_of_what_is_in_flight_keeps_others_out_until_it_is_known() -> None:
    budget = Budget(BudgetSettings(max_usd=10.0), LOCAL)
    with budget.reserve(Cost(1, 0, 1.0), Cost(1, 0, 9.0)) as book:
        with budget.reserve(Cost(1, 0, 1.0), Cost(1, 0, 9.0)) as second:
            second(Cost(1, 0, 9.0))
        book(Cost(1, 0, 9.0))
    assert budget.spent.usd == 18.0, "the limit is passed by less than one call of nine"
    with pytest.raises(BudgetExhausted), budget.reserve(Cost(1, 0, 1.0), Cost(1, 0, 9.0)):
        pass


def test_32_calls_in_flight_pass_a_limit_by_less_than_one_call() -> None:
    for seed in range(5):
        rng, budget = random.Random(seed), Budget(BudgetSettings(max_usd=40.0), LOCAL)
        costs = [rng.choice([0.01, 0.1, 1.0]) for _ in range(2000)]
        lock = threading.Lock()

        def work(budget: Budget = budget, costs: list[float] = costs, lock: threading.Lock = lock) -> None:
            with contextlib.suppress(BudgetExhausted):
                while True:
                    with budget.reserve(Cost(1, 0, 0.1), Cost(1, 0, 1.0)) as book:
                        with lock:
                            cost = costs.pop()
                        book(Cost(1, 0, cost))

        threads = [threading.Thread(target=work) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 40 - 0.1 <= budget.spent.usd < 40 + 1.0


def test_another_try_needs_room_for_those_that_were_lost_and_for_the_wait() -> None:
    now = [0.0]
    budget = Budget(BudgetSettings(max_tokens=100, max_minutes=2), LOCAL, clock=lambda: now[0])
    with budget.reserve(Cost(1, 30), Cost(1, 60)):
        assert budget.permits(0) and budget.permits(2) and budget.permits(0, wait=119)
        assert budget.refusal is None
        assert not budget.permits(3) and "max_tokens = 100" in str(budget.refusal)
        assert not budget.permits(0, wait=120) and "max_minutes = 2" in str(budget.refusal)
    with budget.reserve(Cost(1, 30)):
        assert budget.refusal is None, "another call starts afresh"


def test_a_call_that_was_let_in_is_not_refused_for_those_that_came_after_it() -> None:
    """Once short answers are known, calls expected to be cheap come in, and hold their worst beside it."""
    budget = Budget(BudgetSettings(max_tokens=100), LOCAL)
    inside, done = threading.Event(), threading.Event()

    def later() -> None:
        with budget.reserve(Cost(1, 5), Cost(1, 60)):
            inside.set()
            done.wait(30)

    with budget.reserve(Cost(1, 30), Cost(1, 60)):
        thread = threading.Thread(target=later)
        thread.start()
        assert inside.wait(30), "65 tokens are less than 100"
        assert budget.permits(0) and budget.permits(1), "60 are its own"
        assert not budget.permits(2), "30 + 2 x 30 are 30 more than it holds, beside the 120 in flight"
        done.set()
        thread.join()
        assert budget.permits(2)
