"""What servers that are compatible with OpenAI's leave out or get wrong, put right before the SDK reads it."""

import json
from typing import Any

from .figures import read_usage

THOUGHTS = ("reasoning_content", "reasoning")
"""Where servers put what a model thinks before it answers."""


def mend(answer: dict[str, Any], model: str) -> bool:
    """Give messages the role of an assistant and a text, and tokens the form of counts; whether anything was changed.

    Args:
        answer: The body of a response; changed in place.
        model: For the warning.
    """
    before = json.dumps(answer.get("usage"))
    changed = [_mend_message(choice["message"]) for choice in answer["choices"] if _has_message(choice)]
    _mend_usage(answer, model)
    return any(changed) or json.dumps(answer.get("usage")) != before


def _has_message(choice: Any) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("message"), dict)


def _mend_message(message: dict[str, Any]) -> bool:
    before = dict(message)
    message["role"] = "assistant"
    if isinstance(message.get("content"), dict):  # the object that was asked for, not its text
        message["content"] = json.dumps(message["content"])
    for unasked in ("tool_calls", "function_call"):
        message.pop(unasked, None)
    return message != before


def _mend_usage(answer: dict[str, Any], model: str) -> None:
    """Replace the counts by those that can be, or by none where they cannot: then they are estimated."""
    given = answer.get("usage")
    answer["usage"] = {}  # not None, which LangChain cannot read in a completion
    if not isinstance(given, dict):
        return
    details = given.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    prompt, said, total = (given.get(name) for name in names)
    if usage := read_usage(prompt, said, total, cached, model):
        counts = dict(zip(names, (usage.input, usage.output, usage.input + usage.output), strict=True))
        answer["usage"] = {**counts, "prompt_tokens_details": {"cached_tokens": usage.cached_input}}


def thoughts_in(message: Any) -> str:
    """What a model thought, of a message as the server sent it."""
    found = (message.get(name) for name in THOUGHTS) if isinstance(message, dict) else ()
    return next((each for each in found if isinstance(each, str) and each), "")
