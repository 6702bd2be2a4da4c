"""Defaults by kind, roles that differ, and combinations that are refused."""

import pytest
from pydantic import ValidationError

from evokd.teacher.settings import TeacherSettings


def settings(**given: object) -> TeacherSettings:
    return TeacherSettings.model_validate(given)


def test_the_default_is_the_embedded_model() -> None:
    role = settings().role("generator")
    assert (role.kind, role.prompting, role.timeout, role.api_key_env, role.usd(5, 5)) == (
        "local",
        "completion",
        300,
        "none",
        0,
    )


def test_a_role_overrides_only_what_it_names() -> None:
    role = settings(kind="openai", model="m", temperature=0.7, roles={"annotator": {"temperature": 0.0}}).role(
        "annotator"
    )
    assert (role.model, role.temperature, role.prompting, role.timeout) == ("m", 0.0, "instruct", 300)


def test_a_role_of_another_kind_inherits_no_address_name_or_price() -> None:
    given = settings(
        kind="openai", model="m", base_url="http://h/v1", usd_per_million_input=1, usd_per_million_output=2, top_p=0.5,
        roles={"annotator": {"kind": "local"}},
    )  # fmt: skip
    role = given.role("annotator")
    assert (role.model, role.base_url, role.usd_input, role.top_p) == ("", None, 0, 0.5)


def test_another_model_has_a_price_of_its_own() -> None:
    roles = {"analyst": {"model": "gpt-5"}, "annotator": {"temperature": 0.0}, "critic": {"model": "nobody's"}}
    given = settings(
        kind="openai", model="gpt-5-mini", usd_per_million_input=1, usd_per_million_output=2, roles=roles,
        usd_per_million_cached_input=0.5,
    )  # fmt: skip
    assert given.role("annotator").usd(1_000_000, 0) == 1 and given.role("analyst").listed
    assert not given.role("critic").priced and given.role("critic").usd_cached is None


def test_a_key_goes_to_one_server_only() -> None:
    elsewhere = {"base_url": "http://user:pass@other/v1"}
    with pytest.raises(ValidationError, match=r"roles.analyst.api_key_env is needed: http://other/v1 is another") as no:
        settings(kind="openai", model="m", roles={"analyst": elsewhere})
    assert "OPENAI_API_KEY is not sent there" in str(no.value)
    for own in ({"api_key_env": "OTHER"}, {"api_key_env": "none"}):
        settings(kind="openai", model="m", roles={"analyst": elsewhere | own})
    settings(kind="openai", model="m", base_url="http://h/a/v1", roles={"analyst": {"base_url": "http://h/b/v1"}})
    settings(kind="openai", model="m", api_key_env="none", roles={"analyst": elsewhere})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "openai"}, "teacher.model is needed"),
        ({"base_url": "http://h/v1"}, "teacher.base_url goes with kind = 'openai'"),
        ({"roles": {"analyst": {"kind": "openai"}}}, "teacher.roles.analyst.model is needed"),
        ({"extra_body": {"messages": []}}, "extra_body may not set messages"),
        ({"extra_body": {"model_kwargs": {"trust_remote_code": True}}}, "a model's own code is never run"),
        ({"modell": "x"}, "modell"),
        ({"roles": {"analyst": {"concurrency": 3}}}, "concurrency"),
        ({"temperature": -1}, "temperature"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**given)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "base_url is empty: leave it out for OpenAI's own server"),
        ("  ", "base_url is empty"),
        ("localhost:8000/v1", "'localhost:8000/v1' has no http:// or https:// .*'http://localhost:8000/v1', perhaps"),
        ("hunter2@h/v1?k=hunter2", "'h/v1' has no http://"),
        ("me:hunter2@h/v1", "'h/v1' has no http://"),
        ("ftp://me:hunter2@h/v1", "'ftp://h/v1' has no http://"),
        ("http:///v1", "'http:///v1' names no host"),
        ("http://h:http/v1", "is no address"),
        ("http://h/v1?key=hunter2", "'http://h/v1' may hold nothing after"),
        ("http://h/v1?api-version=1&key=hunter2", "'http://h/v1' may hold nothing after"),
        ("http://h/v1?api-version=hunter2%20hunter2", "'http://h/v1' may hold nothing after"),
        ("http://h/v1?api-version=1&api-version=hunter2", "'http://h/v1' may hold nothing after"),
        ("http://me:hunter2@h/v1#hunter2", "'http://h/v1' may hold nothing after"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_what_is_secret_in_it(url: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        settings(kind="openai", model="m", base_url=url)
    assert "hunter2" not in str(refused.value)


def test_an_address_is_taken_without_white_space() -> None:
    role = settings(kind="openai", model="m", base_url=" http://me:pw@h:1/v1\n").role("")
    assert role.base_url == "http://me:pw@h:1/v1" and role.shown_url == "http://h:1/v1"


def test_the_version_that_azure_wants_stays_in_its_address_and_is_shown() -> None:
    role = settings(kind="openai", model="m", base_url="https://me@h/openai/v1/?api-version=2024-10-21").role("")
    assert (
        role.url.endswith("?api-version=2024-10-21") and role.shown_url == "https://h/openai/v1/?api-version=2024-10-21"
    )
    with pytest.raises(ValidationError, match="or give it as an argument in extra_body"):
        settings(kind="langchain", model="azure_openai:m", base_url="https://h/?api-version=1")


def test_an_address_in_the_environment_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "h/v1")
    with pytest.raises(ValidationError, match="variable OPENAI_BASE_URL = 'h/v1' has no http://"):
        settings(kind="openai", model="m")


PASTED = (
    "sk-proj-0123456789abcdef",
    "gsk_Zx81aBcdEfGhIjKlMnOpQr",
    "hf_aBcdEfGhIjKlMnOpQr1234",
    "AKIA0123456789ABCDEF",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "a key",
)


@pytest.mark.parametrize("key", PASTED)
def test_a_key_in_place_of_its_variable_is_refused_and_not_shown(key: str) -> None:
    for given in ({"api_key_env": key}, {"roles": {"analyst": {"api_key_env": key}}}):
        with pytest.raises(ValidationError, match="api_key_env is the name of an environment variable") as refused:
            settings(kind="openai", model="m", **given)
        assert key not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "none", "MY_KEY", "openrouter", "MY_2ND_OPENROUTER_KEY_2026", "Key"]
)
def test_names_of_variables_are_taken(name: str) -> None:
    assert settings(kind="openai", model="m", api_key_env=f" {name} ").role("").api_key_env == name


def test_a_name_that_looks_odd_is_taken_where_there_is_such_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("key2ofmyotherteam", "x")
    assert settings(kind="openai", model="m", api_key_env="key2ofmyotherteam")


def test_a_class_of_ones_own_is_called_by_its_name_and_takes_its_settings() -> None:
    role = settings(kind="mine:Mine", settings={"path": "x"}).role("analyst")
    assert (role.model, role.url, role.settings, role.priced) == ("Mine", "mine:Mine", {"path": "x"}, False)


def test_a_part_of_ones_own_is_left_alone() -> None:
    assert settings(kind="my_module:Mine", model="x").kind == "my_module:Mine"
