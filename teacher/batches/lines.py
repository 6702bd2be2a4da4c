"""What a batch's files say, line by line. It comes from outside: a line that is not what it should be is no answer."""

import json
from collections.abc import Iterable

from pydantic import BaseModel, Field, JsonValue, NonNegativeInt, ValidationError

from teacher.base import Usage
from teacher.request import Reply


class _Response(BaseModel):
    status_code: int
    body: JsonValue = None


class _Line(BaseModel):
    custom_id: str
    response: _Response | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Details(BaseModel):
    cached_tokens: NonNegativeInt | None = None


class _Usage(BaseModel):
    prompt_tokens: NonNegativeInt
    completion_tokens: NonNegativeInt
    prompt_tokens_details: _Details | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class Delivered:
    """The answers and refusals of a batch by the id of their request."""

    def __init__(self, lines: Iterable[str], wanted: Iterable[str]) -> None:
        """Read the lines; the first usable answer to a request counts, and what nobody asked for is left out."""
        self.replies: dict[str, Reply] = {}
        self.refused: set[str] = set()
        """Requests that the server says it did not answer: they are not billed."""
        known = set(wanted)
        for text in lines:
            line = _line(text)
            if line is None or line.custom_id not in known or line.custom_id in self.replies:
                continue
            if line.response is None or line.response.status_code != 200:
                self.refused.add(line.custom_id)
            elif (reply := _reply(line.response.body)) is not None:
                self.replies[line.custom_id] = reply


def _line(text: str) -> _Line | None:
    try:
        return _Line.model_validate(json.loads(text))
    except (ValueError, ValidationError, RecursionError):
        return None


def _reply(body: JsonValue) -> Reply | None:
    try:
        said = _Completion.model_validate(body)
    except (ValidationError, RecursionError):
        return None
    choice, usage = said.choices[0], said.usage or _Usage(prompt_tokens=0, completion_tokens=0)
    cached = (usage.prompt_tokens_details or _Details()).cached_tokens or 0
    return Reply(
        text=choice.message.content or "",
        finish_reason=choice.finish_reason,
        refusal=choice.message.refusal,
        usage=Usage(usage.prompt_tokens, usage.completion_tokens, min(cached, usage.prompt_tokens)),
    )
