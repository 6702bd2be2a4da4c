"""Prices of hosted models: from the list, at addresses the list knows, unless the user says otherwise."""

import pytest

from evokd.teacher.accounting.prices import listed, source
from evokd.teacher.endpoint import Endpoint, RoleSettings
from evokd.teacher.settings import BudgetSettings, TeacherSettings

OPENAI = "https://api.openai.com/v1"


def test_a_hosted_model_has_a_price_and_cached_tokens_are_cheaper() -> None:
    found = listed("gpt-4o-mini", OPENAI)
    assert found is not None and (found.input, found.output) == (pytest.approx(0.15), pytest.approx(0.6))
    assert found.cached == pytest.approx(0.075)
    assert source().startswith("genai-prices ")


@pytest.mark.parametrize(("model", "url"), [("gpt-4o-mini", "http://localhost:8000/v1"), ("no-such-model", OPENAI)])
def test_none_is_guessed(model: str, url: str) -> None:
    assert listed(model, url) is None


def test_the_users_own_price_is_the_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    endpoint = TeacherSettings(kind="openai", model="gpt-4o-mini").role("")
    assert endpoint.listed and endpoint.usd(1_000_000, 1_000_000, cached=1_000_000) == pytest.approx(0.075 + 0.6)
    half = TeacherSettings(kind="openai", model="gpt-4o-mini", usd_per_million_input=7.0).role("")
    assert not half.listed and not half.priced, "half a price of the user's is not filled up with the list's"
    own = {"usd_per_million_input": 7.0, "usd_per_million_output": 8.0}
    assert TeacherSettings(kind="openai", model="gpt-4o-mini", **own).role("").usd(1_000_000, 0) == 7.0


def test_a_server_elsewhere_named_by_the_environment_has_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    assert not TeacherSettings(kind="openai", model="gpt-4o-mini").role("").priced


def test_a_money_limit_is_kept_by_listed_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    roles = {"annotator": RoleSettings(model="gpt-4o")}
    settings = TeacherSettings(kind="openai", model="gpt-4o-mini", roles=roles)
    BudgetSettings(max_usd=1.0).check_prices(settings)
    assert settings.role("annotator").usd_input == pytest.approx(2.5), "a role's model has its own"


def test_a_providers_model_is_looked_up_by_its_provider() -> None:
    def prices(**given: str) -> tuple[float | None, float | None]:
        endpoint = Endpoint.of("langchain", RoleSettings(**given), "teacher")
        return endpoint.usd_input, endpoint.usd_output

    assert prices(model="anthropic:claude-sonnet-4-5") == (pytest.approx(3.0), pytest.approx(15.0))
    assert prices(model="anthropic:no-such-model") == prices(model="acme:big") == (None, None)
    assert prices(model="anthropic:claude-sonnet-4-5", base_url="http://localhost:1/v1") == (None, None)
