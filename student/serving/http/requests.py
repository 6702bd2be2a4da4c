"""From bytes to texts: bodies are bounded while they are read, and every mistake is one line."""

from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from .limits import Limits
from .problems import Problem, invalid

_ONE = {"type": "string", "description": "One text."}
_LISTED = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1}
Inputs = Annotated[
    Any,  # checked by `texts_of`, which says in one line what a union of types says in four
    WithJsonSchema({"oneOf": [_ONE, _LISTED, {"type": "array", "items": _LISTED, "description": "A batch of texts."}]}),
]


class PredictRequest(BaseModel):
    """The body of `/predict`. Keys that are not listed are ignored, as Text Embeddings Inference ignores them."""

    model_config = ConfigDict(strict=True)

    inputs: Inputs = Field(examples=["There is water coming through my ceiling.", [["First text"], ["Second text"]]])
    truncate: bool | None = None
    """False refuses a text that is longer than the student reads. Otherwise its end is cut off."""
    truncation_direction: Literal["right", "Right"] = "right"
    raw_scores: bool = False
    """Scores before softmax or sigmoid."""


async def read_request(request: Request, limits: Limits) -> PredictRequest:
    """The body of a request.

    Raises:
        Problem: it is not said to be JSON (415), is too large (413), no JSON (400) or no such request (422).
    """
    said = request.headers.get("content-type", "")
    kind = said.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "validation", f"the content type is {said[:80]!r}; send application/json.")
    body = await _read_body(request, limits.body)
    try:
        return PredictRequest.model_validate_json(body)
    except ValidationError as error:
        raise _problem(error) from None


async def _read_body(request: Request, most: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(f"{int(declared):,} bytes", most)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _too_large("longer", most)
    return bytes(body)


def _too_large(size: str, most: int) -> Problem:
    return Problem(
        413, "validation", f"the body is {size}; at most {most:,} bytes are taken. Send fewer texts at once."
    )


def _problem(error: ValidationError) -> Problem:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Problem(400, "validation", f"the body is no JSON: {first['msg'].removeprefix('Invalid JSON: ')}.")
    place = ".".join(map(str, first["loc"])) or "the body"
    return invalid(f"{place}: {first['msg']}.")


def texts_of(inputs: Any, limits: Limits) -> tuple[list[str], bool]:
    """The texts of a request, and whether they are a batch, which is answered with a list for each.

    A string is one text, and so is a list of one string. Two strings in a list are one pair to Text Embeddings
    Inference, which students do not read: of a batch every text stands in a list of its own.

    Raises:
        Problem: there is no text (400), there are more than the limit (413), or it is no such input (422).
    """
    if inputs == []:
        raise Problem(400, "empty", "inputs is an empty list; send at least one text.")
    batch = isinstance(inputs, list) and any(isinstance(each, list) for each in inputs)
    rows = inputs if batch else [inputs if isinstance(inputs, list) else [inputs]]
    if len(rows) > limits.texts:
        raise Problem(
            413, "validation", f"inputs has {len(rows)} texts; at most {limits.texts} are taken in a request."
        )
    return [_text_in(row, place, limits) for place, row in enumerate(rows)], batch


def _text_in(row: object, place: int, limits: Limits) -> str:
    if isinstance(row, list) and len(row) > 1 and all(isinstance(each, str) for each in row):
        raise invalid(
            f"inputs has {len(row)} strings in one list, which means one pair of texts; a student reads single texts. "
            'For a batch put each into a list of its own: [["first"], ["second"]].'
        )
    if not isinstance(row, list) or len(row) != 1 or not isinstance(row[0], str):
        raise invalid(
            f"inputs must be a string, or for a batch a list of lists of one string each; text {place} (from 0) is not."
        )
    if len(row[0]) > limits.characters:
        raise invalid(
            f"text {place} (from 0) has {len(row[0]):,} characters; at most {limits.characters:,} are taken in a text."
        )
    return row[0]
