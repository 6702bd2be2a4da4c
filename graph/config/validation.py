"""What pydantic found wrong in a config as one line that says what is allowed; and what TOML cannot say, null."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from ...tasks.errors import did_you_mean

UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""Pydantic's error types for a key that is not there, in models and in dataclasses."""


def first_mistake(error: ValidationError, kind: Any) -> str:
    """The first thing that is wrong, in one line.

    Args:
        error: pydantic's.
        kind: the type that was validated.
    """
    first = error.errors(include_url=False)[0]
    place = [part for part in first["loc"] if part != "[key]"]
    where = ".".join(str(part) for part in (place[1:] if place and place[0] == 0 else place))
    if first["type"] in UNKNOWN:
        allowed = _allowed(kind, first["loc"][:-1])
        hint = did_you_mean(first["loc"][-1], allowed)
        return f"the key {where!r} is not known.{hint} Allowed: {', '.join(allowed) or 'none'}."
    if first["type"] == "missing":
        return f"the key {where!r} is missing."
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    if not where:
        return f"{message}."
    if first["type"] == "secret_value" or isinstance(first["input"], dict):  # a whole table may hold one too
        return f"{where}: {message}."
    given = repr(first["input"])
    hint = did_you_mean(first["input"], re.findall(r"'(.*?)'", message)) if first["type"] == "literal_error" else ""
    return f"{where} = {given if len(given) <= 80 else given[:77] + '...'}: {message}.{hint}"


def with_nulls(kind: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """A table of a config that is whole, with what is null in it: TOML has none, so what may be null is left out there.

    Without this, a default that is no longer None in a later version would be taken for what the run was given.

    Args:
        kind: a pydantic model or a dataclass, whose own tables are treated alike; not those by name in a dictionary.
        given: the table.
    """
    whole = dict(given)
    for name, hint in _fields(kind).items():
        if isinstance(whole.get(name), Mapping) and _fields(hint):
            whole[name] = with_nulls(hint, whole[name])
        elif name not in whole and _may_be_null(hint):
            whole[name] = None
    return whole


def _may_be_null(hint: Any) -> bool:
    hint = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return type(None) in get_args(hint)


def _allowed(kind: Any, place: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a place inside a type."""
    kinds = [kind]
    for part in place:
        kinds = [inner for each in kinds for inner in _below(each, part)]
    return sorted({name for each in kinds for name in _fields(each)})


def _below(kind: Any, part: int | str) -> Iterator[Any]:
    """The types a value may have at a key of a type."""
    fields = _fields(kind)
    if part in fields:
        yield from _members(fields[str(part)])
    elif not fields:  # a tuple, a list or a mapping
        for argument in get_args(kind)[-1:]:
            yield from _members(argument)


def _members(kind: Any) -> Iterator[Any]:
    """A type, or the members of a union."""
    if get_args(kind) and type(None) in get_args(kind):
        for member in get_args(kind):
            yield from _members(member)
    else:
        yield kind


def _fields(kind: Any) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return {field.name: field.type for field in dataclasses.fields(kind)}
    return {}
