"""Schemas in the strict dialect, and the sentences a bad answer gets."""

import json
from typing import Literal

import pytest
from pydantic import BaseModel, Field, field_validator

from evokd.teacher.structured import parse, response_format, strict_schema, without_thoughts


class Inner(BaseModel):
    title: str = "none"
    default: int | None = None


class Outer(BaseModel):
    """Has a field named like a JSON schema keyword, a nested class and optional fields."""

    items: list[Inner] = Field(default=[], max_length=3)
    kind: Literal["a", "b"] = "a"

    @field_validator("items")
    @classmethod
    def _some(cls, items: list[Inner]) -> list[Inner]:
        if not items:
            raise ValueError("name at least one item")
        return items


class Free(BaseModel):
    scores: dict[str, float]


def test_every_property_is_required_and_no_other_allowed() -> None:
    schema, strict = strict_schema(Outer)
    inner = schema["$defs"]["Inner"]
    assert strict and schema["required"] == ["items", "kind"] and schema["additionalProperties"] is False
    assert inner["required"] == ["title", "default"] and set(inner["properties"]) == {"title", "default"}
    assert inner["properties"]["title"] == {"type": "string"} and "title" not in schema
    assert schema["properties"]["items"]["maxItems"] == 3


def test_a_free_mapping_is_not_called_strict() -> None:
    body = response_format(Free)
    assert body is not None and body["json_schema"]["strict"] is False
    assert response_format(Free, "json_object") == {"type": "json_object"} and response_format(Free, "none") is None


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ('{"items": [], "kind": "a"}', "items: name at least one item (given: [])"),
        ('{"items": [{"title": 3, "default": "x"}]}', "items.0.title: Input should be a valid string (given: 3)"),
        ('{"kind": "c"}', "kind: Input should be 'a' or 'b' (given: 'c')"),
    ],
)
def test_what_is_wrong_is_said_with_place_and_value(answer: str, sentence: str) -> None:
    assert sentence in (parse(answer, Outer).problem or "")


def test_the_object_that_fits_is_taken() -> None:
    got = parse('{"scores": 1} {"scores": {"x": 0.5}} and again {"scores": {"x": 0.5}}', Free)
    assert got.value == Free(scores={"x": 0.5})


def test_two_objects_that_fit_and_differ_are_no_answer() -> None:
    got = parse('They wrote {"scores": {"x": 1}}. My answer: {"scores": {"y": 1}}', Free)
    assert got.value is None and got.problem == "the answer holds 2 different JSON objects that fit; give one"


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("<think>a</think> b", "b"),
        ("<THINK>a <think> b</THINK>c", "c"),
        ("a</think>b", "b"),
        ("Well. <reasoning>a</reasoning> b <think>c</think> d", "Well.  b  d"),
        ("[THINK]a[/THINK]b", "b"),
        ('<think>perhaps {"a": 1}', ""),
        ("a</think>b</think>c", "c"),
        ('{"a": "x </think> y <think>"}', '{"a": "x </think> y <think>"}'),
        ('{"a": "<think>quoted</think> kept"} done', '{"a": "<think>quoted</think> kept"} done'),
        ('{not json</think>{"a": 1}', '{"a": 1}'),
    ],
)
def test_thoughts_are_left_out_and_quotations_are_not(answer: str, left: str) -> None:
    assert without_thoughts(answer) == left


@pytest.mark.parametrize("text", ['{"scores": {"\\ud83d": 1}}', '{"scores": {"a": 1, "x\\udc00": 2}}'])
def test_half_a_character_is_none(text: str) -> None:
    read = parse(text, Free).value
    assert read is not None and "\ud83d" not in read.scores and "?" in "".join(read.scores)
    json.dumps(read.model_dump(), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("hostile", ["{" * 200_000, '{"a":[' * 100_000, "[" * 100_000, "\x00", "{}" * 1000])
def test_hostile_answers_are_problems(hostile: str) -> None:
    assert parse(hostile, Free).problem
