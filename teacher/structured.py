"""From a pydantic class to a request for JSON, and from whatever comes back to a checked value or a clear sentence."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from ..tasks.base import clean

T = TypeVar("T", bound=BaseModel)

Mode = Literal["json_schema", "json_object", "none"]
"""How much of a schema a server understands, best first."""

MODES: tuple[Mode, ...] = ("json_schema", "json_object", "none")

MOST_STARTS = 64
"""Places in one answer at which JSON is looked for; a hostile answer must not cost quadratic time."""


def strict_schema(schema: type[BaseModel]) -> tuple[dict[str, Any], bool]:
    """The JSON schema of a class in the strict dialect: every property required, no other allowed.

    Returns:
        The schema, and whether it may be called strict (free-form mappings have no strict form).
    """
    strict = True

    def walk(node: Any) -> Any:
        nonlocal strict
        if isinstance(node, list):
            return [walk(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return {"$ref": node["$ref"]}
        out = {
            key: _named(walk, value) if key in ("properties", "$defs") else walk(value)
            for key, value in node.items()
            if key not in ("title", "default")
        }
        if "properties" in out:
            out |= {"required": list(out["properties"]), "additionalProperties": False}
        elif out.get("type") == "object":
            strict = False
        return out

    walked: dict[str, Any] = walk(schema.model_json_schema())
    return walked, strict


def _named(walk: Any, properties: dict[str, Any]) -> dict[str, Any]:
    """Walk the values only: a property may itself be called `title` or `default`."""
    return {name: walk(value) for name, value in properties.items()}


def response_format(schema: type[BaseModel], mode: Mode = "json_schema") -> dict[str, Any] | None:
    """The `response_format` of a request body; None for a server that has none."""
    if mode == "none":
        return None
    if mode == "json_object":
        return {"type": "json_object"}
    body, strict = strict_schema(schema)
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", schema.__name__)[:64]
    return {"type": "json_schema", "json_schema": {"name": name, "strict": strict, "schema": body}}


def instruction(schema: type[BaseModel]) -> str:
    """What a server that takes no schema is told in words."""
    body = json.dumps(strict_schema(schema)[0], ensure_ascii=False)
    return f"Answer with one JSON object that fits this JSON schema, and nothing else:\n{body}"


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """What was read in an answer: a value or a problem; neither where no form was asked for."""

    value: T | None = None
    problem: str | None = None
    is_invalid: bool = False
    """Whether the answer has another form than was asked for."""


def parse(text: str, schema: type[T], finish_reason: str | None = None, refusal: str | None = None) -> Parsed[T]:
    """Read an answer. Never raises: what is wrong becomes a sentence the teacher can act on.

    A cut answer is refused before it is parsed: repaired, it would look whole.
    """
    if refusal:
        return Parsed(problem=f"the model refused: {_cut(refusal)}")
    if finish_reason == "length":
        return Parsed(problem="the answer was cut off at the token limit; it must be shorter")
    if finish_reason == "content_filter":
        return Parsed(problem="the answer was stopped by the server's content filter")
    said = without_thoughts(text)
    if not said:
        return Parsed(problem="the answer was empty")
    problem = "the answer holds no JSON object"
    fitting: list[T] = []
    for number, candidate in enumerate(_objects(said)):
        try:
            fitting.append(schema.model_validate(candidate))
        except ValidationError as error:
            if number == 0:
                problem = "the JSON does not fit the schema: " + _sentences(error)
        except RecursionError:
            problem = "the JSON is nested too deeply"
    if any(other != fitting[0] for other in fitting[1:]):  # a quoted text may hold one that somebody else wrote
        return Parsed(problem=f"the answer holds {len(fitting)} different JSON objects that fit; give one")
    return Parsed(value=fitting[0]) if fitting else Parsed(problem=problem, is_invalid=True)


THOUGHTS = r"(?:<(/?)(?:think|thinking|reasoning)>|\[(/?)THINK\])"


def without_thoughts(text: str) -> str:
    """The answer without a reasoning block, also where only its end is there (the template opened it).

    A block that never ends is all there is. A text that is JSON from its first character on is left alone: such a mark
    in it is part of a quoted text, which is not the model's own.
    """
    text = text.strip()
    marks = list(re.finditer(THOUGHTS, text, flags=re.IGNORECASE))
    if not marks or (text.startswith("{") and next(_objects(text, starts=1), None) is not None):
        return text
    kept, position, inside = "", 0, False
    for mark in marks:
        closes = bool(mark[1] or mark[2])
        if closes and not inside:
            kept = ""
        elif not inside:
            kept += text[position : mark.start()]
        inside, position = not closes, mark.end()
    return (kept if inside else kept + text[position:]).strip()


def _objects(text: str, starts: int = MOST_STARTS) -> Iterator[dict[str, Any]]:
    """Every JSON object at the top level of a text, in order; prose and fences around them are skipped."""
    decoder = json.JSONDecoder(strict=False, parse_constant=_no_constant)  # raw line breaks in strings are harmless
    position = 0
    for _ in range(starts):
        position = text.find("{", position)
        if position < 0:
            return
        try:
            found, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        yield json.loads(clean(json.dumps(found, ensure_ascii=False)))


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _sentences(error: ValidationError) -> str:
    """The first five things that are wrong, each with its place and the value given."""
    said = []
    for each in error.errors(include_url=False)[:5]:
        place = ".".join(str(step) for step in each["loc"])
        message = each["msg"].removeprefix("Value error, ")
        given = "" if each["type"] == "missing" else f" (given: {_cut(repr(each['input']), 80)})"
        said.append(f"{place}: {message}{given}" if place else message)
    return "; ".join(said)


def _cut(text: str, length: int = 200) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
