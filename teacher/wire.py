"""What LangChain hands back, as a `Reply`."""

import math
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import LLMResult

from teacher.base import Usage
from teacher.request import Reply


def chat_reply(said: AIMessage, added: str) -> Reply:
    """A chat answer; `added` is what was appended to the last message."""
    usage, meta = said.usage_metadata, said.response_metadata
    tokens, tops = _listed(meta.get("logprobs"))
    return Reply(
        text=said.text,
        finish_reason=meta.get("finish_reason"),
        refusal=said.additional_kwargs.get("refusal"),
        tops=tops,
        tokens=tokens,
        usage=Usage(
            usage["input_tokens"], usage["output_tokens"], usage.get("input_token_details", {}).get("cache_read") or 0
        )
        if usage
        else Usage(),
        added=added,
    )


def completion_reply(result: LLMResult) -> Reply:
    """A text completion. LangChain does not pass on how much of the prompt the server had cached."""
    said, used = result.generations[0][0], (result.llm_output or {}).get("token_usage") or {}
    info = said.generation_info or {}
    tokens, tops = _listed(info.get("logprobs"))
    usage = Usage(used.get("prompt_tokens") or 0, used.get("completion_tokens") or 0)
    return Reply(text=said.text, finish_reason=info.get("finish_reason"), tops=tops, tokens=tokens, usage=usage)


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
