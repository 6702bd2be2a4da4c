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
    elsewhere = {"base_url": "http://user:pass@other/v1?key=secret"}
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
        ({"kind": "vllm"}, "kind 'vllm' is not known; allowed are 'local', 'openai', 'langchain' and 'module:Class'"),
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


def test_a_part_of_ones_own_is_left_alone() -> None:
    assert settings(kind="my_module:Mine", model="x").kind == "my_module:Mine"
