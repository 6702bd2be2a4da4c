"""Gets the lists of likely next tokens that ratings are made of, with as few calls as the server allows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel

from ..base import Prompt
from ..calls import Calls, Purpose
from ..structured import Parsed
from ..transport.connection import Connection
from ..transport.errors import CallFailed
from ..transport.request import Path, Reply, Request
from .scoring import relevant

SHORT_LISTS: dict[Path, tuple[int, ...]] = {"/completions": (100, 20, 5), "/chat/completions": (20, 5)}
"""How many alternatives per token are asked for; a server that refuses is asked for fewer, and that is remembered."""

LONG_LIST = 5000
"""Where 100 were given and did not hold every choice (llama.cpp); nearly every word that makes any sense is in it."""

CHAT_WALK = 8
"""Tokens of a chat answer that are looked at: an answer can't be begun for the model, so it must begin it itself."""

Judge = Callable[[str | None, str, bool], None]
"""Told of every call: what is wrong or None, what was said, whether it came from the cache."""

Make = Callable[[Path, dict[str, Any], Prompt, tuple[str, ...]], Request]


@dataclass(frozen=True)
class NextTokens:
    """Listings for one endpoint. What the server can do is learnt once and shared by all threads."""

    calls: Calls
    client: Connection
    make: Make
    judge: Judge
    limits: dict[Path, int]
    """Position in `SHORT_LISTS` that worked; -1 where the server gives no log-probabilities at all."""

    def first(self, prompt: Prompt) -> Request:
        """The request a rating begins with; equal ones are asked once."""
        return self._request(prompt, "", (), 0)

    def listing(
        self, prompt: Prompt, purpose: Purpose, config: RunnableConfig
    ) -> Callable[[str, tuple[str, ...], bool], Mapping[str, float] | None]:
        """The alternatives of the next token of one prompt, for `rating.score_choices`."""
        seen: dict[str, Reply | None] = {}
        local = self.client.endpoint.kind == "local"  # known to give long lists, and a small model to need them

        def look(begun: str, following: tuple[str, ...], long: bool) -> Mapping[str, float] | None:
            chat = not isinstance(prompt.body, str)
            place = "" if chat else begun
            long = not chat and (long or local) and self._has_long_lists()
            if place not in seen or (long and not local):
                wanted = () if chat else following
                seen[place] = self._reply(prompt, place, wanted, long, purpose, config)
            reply = seen[place]
            if reply is None or not reply.tops:
                return None
            return _walked(reply, begun) if chat else reply.tops[0]

        return look

    def _has_long_lists(self) -> bool:
        """Whether the server gave the longest of the short lists; only llama.cpp gives more than 20."""
        return self.limits.get("/completions", 0) == 0

    def _reply(
        self,
        prompt: Prompt,
        begun: str,
        following: tuple[str, ...],
        long: bool,
        purpose: Purpose,
        config: RunnableConfig,
    ) -> Reply | None:
        path = _path(prompt)
        sizes = SHORT_LISTS[path]
        while (at := self.limits.get(path, 0)) >= 0:
            request = self._request(prompt, begun, following, LONG_LIST if long else sizes[at])
            try:
                reply, _, kept = self.calls.make(
                    self.client, request, purpose, config, _read, keep=lambda reply: _pruned(reply, following)
                )
            except CallFailed as error:
                if not error.of_form or long or at + 1 == len(sizes):
                    self.judge(str(error), "", False)
                    return None
                self.limits[path] = max(at + 1, self.limits.get(path, 0))
                continue
            self.judge(None, reply.text, kept)
            if not reply.tops:
                self.limits[path] = -1
            return reply
        return None

    def _request(self, prompt: Prompt, begun: str, following: tuple[str, ...], size: int) -> Request:
        path = _path(prompt)
        sampling = {**self.client.sampling(path), "temperature": 0.0}
        if isinstance(prompt.body, str):
            body = {"prompt": prompt.body + begun, **sampling, "max_tokens": 1, "logprobs": size}
            return self.make(path, body, prompt, following)
        body = {**sampling, "max_tokens": CHAT_WALK, "logprobs": True, "top_logprobs": size}
        return self.make(path, {"messages": [dict(each) for each in prompt.body], **body}, prompt, following)


def _path(prompt: Prompt) -> Path:
    return "/completions" if isinstance(prompt.body, str) else "/chat/completions"


def _read(reply: Reply) -> Parsed[BaseModel]:
    return Parsed(problem=None if reply.tops else "the server gave no log-probabilities")


def _pruned(reply: Reply, following: tuple[str, ...]) -> Reply:
    """Without the thousands of tokens no choice begins with."""
    return replace(reply, tops=[relevant(tops, following) for tops in reply.tops]) if following else reply


def _walked(reply: Reply, begun: str) -> Mapping[str, float] | None:
    """The alternatives after what the model itself has begun with; None if it began otherwise."""
    said = ""
    for token, tops in zip(reply.tokens, reply.tops, strict=False):
        if said == begun:
            return tops
        said += token
    return None
