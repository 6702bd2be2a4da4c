"""A config holds no secret, as the run folder has a copy of it; what is refused is not repeated."""

from typing import Any

import pytest

from evokd.graph.config.run_config import parsed
from evokd.graph.config.secrets import refuse_secrets
from evokd.tasks.errors import ConfigError

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({"teacher": {"base_url": f"https://me:{SECRET}@h/v1"}}, "teacher.base_url"),
        ({"teacher": {"base_url": f"https://{SECRET}@h/v1"}}, "teacher.base_url"),
        ({"teacher": {"base_url": f"https://h/v1?code={SECRET}"}}, "teacher.base_url"),
        ({"teacher": {"roles": {"x": {"base_url": f"http://u:{SECRET}@h"}}}}, "teacher.roles.x.base_url"),
        ({"teacher": {"extra_body": {"api_key": SECRET}}}, "teacher.extra_body.api_key"),
        ({"teacher": {"extra_body": {"h": {"Authorization": SECRET}}}}, "teacher.extra_body.h.Authorization"),
        ({"teacher": {"settings": {"db_password": SECRET}}}, "teacher.settings.db_password"),
        ({"memory": {"settings": {"address": f"http://u:{SECRET}@h"}}}, "memory.settings.address"),
        ({"memory": {"settings": {"addresses": [f"http://h?api_key={SECRET}"]}}}, "memory.settings.addresses"),
        ({"task": {"settings": {"access_token": SECRET}}}, "task.settings.access_token"),
        ({"agents": {"critic": {"apiKey": SECRET}}}, "agents.critic.apiKey"),
        ({"teacher": {"extra_body": {"aws_secret_access_key": SECRET}}}, "teacher.extra_body.aws_secret_access_key"),
        ({"teacher": {"settings": {"accessToken": SECRET}}}, "teacher.settings.accessToken"),
        ({"teacher": {"settings": {"hf_token": SECRET}}}, "teacher.settings.hf_token"),
        ({"student": {"settings": {"passwords": [SECRET]}}}, "student.settings.passwords"),
        ({"memory": {"settings": {"dsn": f"https://h/x?sig={SECRET}"}}}, "memory.settings.dsn"),
        ({"teacher": {"base_url": f"https://h/v1?api-version=1&code={SECRET}"}}, "teacher.base_url"),
        ({"teacher": {"base_url": f"https://h/v1?{SECRET}"}}, "teacher.base_url"),
        ({"teacher": {"base_url": f"https://h/v1?api-version=1;{SECRET}"}}, "teacher.base_url"),
        ({"teacher": {"settings": {"api_key_env": f"sk-{SECRET}"}}}, "teacher.settings.api_key_env:"),
    ],
)  # fmt: skip
def test_a_secret_is_refused_by_its_place_and_not_repeated(raw: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(raw, "x.toml")
    said = str(refused.value)
    assert said.startswith(f"x.toml: {place} ") and SECRET not in said and "\n" not in said


@pytest.mark.parametrize(
    "raw",
    [
        {"teacher": {"base_url": "http://localhost:8000/v1", "api_key_env": "MY_PASSWORD", "max_tokens": 5}},
        {"teacher": {"extra_body": {"stop_token": "x", "password": ""}, "settings": {"api_key_env": "MY_KEY"}}},
        {"teacher": {"base_url": "https://h/openai/v1/?api-version=2024-10-21"}},
        {"teacher": {"extra_body": {"max_new_tokens": 5, "skip_special_tokens": True, "stop_token_ids": [1]}}},
        {"student": {"settings": {"mask_token": "[MASK]", "tokens": "x"}}},
        {"task": {"labels": {"password": "cannot log in", "secret": "x"}, "description": "see https://u@h"}},
        {"student": {"model": "user@host"}, "agents": {"analyst": 5}, "task": 5},
    ],
)
def test_what_only_looks_like_one_is_not(raw: dict[str, Any]) -> None:
    refuse_secrets(raw, "x.toml")
