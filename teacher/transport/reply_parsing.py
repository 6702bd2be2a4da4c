"""What LangChain hands back, as a `Reply`."""

import math
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import LLMResult

from ...tasks.base import clean
from ..base import Usage
from .figures import read_usage
from .request import Reply, Request, canonical

LETTERS = 4
"""Characters of a token, about."""


def chat_reply(said: AIMessage, request: Request, added: str) -> Reply:
    """A chat answer; `added` is what was appended to the last message."""
    used, meta = said.usage_metadata, said.response_metadata
    tokens, tops = _listed(meta.get("logprobs"))
    usage = None
    if used:
        cached = used.get("input_token_details", {}).get("cache_read")
        given, taken, total = used["input_tokens"], used["output_tokens"], used["total_tokens"]
        usage = read_usage(given, taken, total, cached, request.body["model"])
    return Reply(
        text=clean(said.text),
        finish_reason=meta.get("finish_reason"),
        refusal=said.additional_kwargs.get("refusal"),
        tops=tops,
        tokens=tokens,
        usage=_known(usage, request, said.text),
        added=added,
        thoughts=str(said.additional_kwargs.get("reasoning_content") or ""),
    )


def completion_reply(result: LLMResult, request: Request) -> Reply:
    """A text completion. LangChain does not pass on how much of the prompt the server had cached."""
    said, used = result.generations[0][0], (result.llm_output or {}).get("token_usage") or {}
    info = said.generation_info or {}
    tokens, tops = _listed(info.get("logprobs"))
    given, taken, total = (used.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    usage = _known(read_usage(given, taken, total, None, request.body["model"]), request, said.text)
    return Reply(text=clean(said.text), finish_reason=info.get("finish_reason"), tops=tops, tokens=tokens, usage=usage)


def _known(usage: Usage | None, request: Request, text: str) -> Usage:
    """The usage, or an estimate where the server does not count: a budget would never end there."""
    return usage or Usage(len(canonical(request.body)) // LETTERS, len(text) // LETTERS)


def _listed(logprobs: Any) -> tuple[list[str], list[dict[str, float]]]:
    """Tokens and listed alternatives, from the chat format (llama.cpp uses it everywhere) or the old one."""
    if not isinstance(logprobs, dict):
        return [], []
    if isinstance(content := logprobs.get("content"), list):
        pairs = [[(top["token"], top["logprob"]) for top in each.get("top_logprobs") or []] for each in content]
        return [str(each.get("token", "")) for each in content], [_merged(each) for each in pairs]
    tops = [_merged(list((each or {}).items())) for each in logprobs.get("top_logprobs") or []]
    return [str(token) for token in logprobs.get("tokens") or []], tops


def _merged(pairs: list[tuple[str, float]]) -> dict[str, float]:
    """Log-probability by token text; pieces of a character may share one text, and nonsense is left out."""
    out: dict[str, float] = {}
    for token, logprob in pairs:
        if token and isinstance(logprob, int | float) and not math.isnan(logprob):
            out[token] = max(logprob, out.get(token, -math.inf))
    return out
