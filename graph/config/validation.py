"""Settings the user wrote, checked: they become objects, and every mistake one line that says what is allowed."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation

from ...tasks.errors import ConfigError

UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""Pydantic's error types for a key that is not there, in models and in dataclasses."""


def built(kind: Any, settings: Mapping[str, Any], where: str) -> Any:
    """An object of a dataclass from its settings, types checked, unknown keys refused at any depth."""
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise ConfigError(f"{where}: {kind!r} must be a dataclass whose fields are its settings.")
    try:
        # Inside a tuple, since a config that forbids unknown keys may not be given for a dataclass itself.
        adapter: TypeAdapter[Any] = TypeAdapter(tuple[kind], config=ConfigDict(extra="forbid"))
        return adapter.validate_python((dict(settings),))[0]
    except ValidationError as error:
        raise ConfigError(f"{where}: {first_mistake(error, tuple[kind])}") from None
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        first = str(error).splitlines()[0]
        raise ConfigError(f"{where}: the types of the fields of {kind.__name__} cannot be read: {first}") from None


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
        return f"the key {where!r} is not known. Allowed: {', '.join(_allowed(kind, first['loc'][:-1])) or 'none'}."
    if first["type"] == "missing":
        return f"the key {where!r} is missing."
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    if not where:
        return f"{message}."
    if first["type"] == "secret_value" or isinstance(first["input"], dict):  # a whole table may hold one too
        return f"{where}: {message}."
    given = repr(first["input"])
    return f"{where} = {given if len(given) <= 80 else given[:77] + '...'}: {message}."


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
