"""One endpoint: a `Request` becomes a call through LangChain; what happens becomes a `Reply` or one of two errors."""

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import openai
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, SecretStr

from ..address import secrets_of
from ..embedded.process import LocalServer
from ..endpoint import Endpoint
from ..structured import MODES, Mode, instruction, response_format
from .error_classification import CallError
from .errors import NO_ANSWER, CallFailed, Place, explained
from .keys import key_in
from .openai_models import Models
from .reply_parsing import chat_reply, completion_reply
from .request import Reply, Request
from .retries import Retries

MALFORMED = (openai.OpenAIError, TypeError, KeyError, ValueError, AttributeError, IndexError)
"""What LangChain and the SDK raise over an answer that has `choices`, and not what OpenAI puts into them."""

NO_KEY = "for a server that wants no key, set api_key_env = 'none'"

LIMITS = ("max_tokens", "max_completion_tokens")
"""Names of the token limit; servers want one or the other, and most take both."""

NOTHING: Mapping[str, Any] = MappingProxyType({})

OURS = ("messages", "prompt", "model", "response_format")
"""Fields of a request body that do not go through LangChain as keyword arguments."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")

TELL_LOOPBACK = "EVOKD_TELL_LOOPBACK"
"""Variable with which tests and benchmarks have a server on loopback told what is asked as data (`about`), so that it
need not read it out of the words. No other server is ever told."""


class Client:
    """How one endpoint is reached; shared by all threads. Nothing is opened or started before the first call."""

    def __init__(self, endpoint: Endpoint, tries: Retries, local: LocalServer | None) -> None:
        """Read the key from the environment.

        Raises:
            ConfigError: as `key_in` does.
        """
        self.endpoint = endpoint
        self.model = local.name if local else endpoint.model
        self._local = local
        variable = endpoint.api_key_env
        self._key = SecretStr("none" if variable == "none" else key_in(variable, NO_KEY))
        self._tries = tries
        self._models = Models(endpoint, self._key, local, tries)
        self._modes: dict[str, Mode] = {}
        self._spelled_out: set[str] = set()
        self._left_out: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """Where calls go."""
        return self._models.url

    @property
    def key(self) -> str:
        """The key in clear, for those who keep it from being shown; `none` where there is none."""
        return self._key.get_secret_value()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be shown nowhere."""
        return (*self._keys, *secrets_of(self.url))

    @property
    def _keys(self) -> tuple[str, ...]:
        return () if self.key == "none" else (self.key,)

    @property
    def mode(self) -> Mode:
        """How much of a schema the server understood, the least of all forms that were asked for."""
        return max(self._modes.values(), key=MODES.index, default=self._first_mode)

    @property
    def _first_mode(self) -> Mode:
        return self.endpoint.structured or MODES[0]

    def sampling(self, path: str) -> dict[str, Any]:
        """How answers are drawn, as fields of the request body.

        A text completion always says it in full, because the SDK's own defaults there (0.7, 256 tokens) are not ours.
        """
        own = self.endpoint
        said: dict[str, Any] = {"temperature": own.temperature, "top_p": own.top_p, "max_tokens": own.max_tokens}
        if path == "/completions":
            said = {"temperature": 1.0, "top_p": 0.95, "max_tokens": 256} | {
                k: v for k, v in said.items() if v is not None
            }
        return {key: value for key, value in said.items() if value is not None} | own.extra_body

    def send(self, request: Request, config: RunnableConfig, schema: type[BaseModel] | None = None) -> Reply:
        """Make one call, repeated by `Retries` where that can help.

        Raises:
            TeacherDown: unreachable, refused key, no quota: no other call would do better.
            CallFailed: this call alone failed.
        """
        if schema is None:
            return self._accepted(request, config)
        name = schema.__name__
        for mode in MODES[MODES.index(self._modes.get(name, self._first_mode)) :]:
            form = {"response_format": response_format(schema, mode)}
            try:
                reply = self._accepted(request, config, form, self._words(schema, mode))
            except CallFailed as error:
                is_of_form = error.of_form or (error.may_be_of_form and name not in self._modes)
                if not is_of_form or mode == MODES[-1]:
                    raise
                continue
            self._modes[name] = mode
            return reply
        raise AssertionError("the last mode returns or raises")

    def spell_out(self, schema: type[BaseModel]) -> None:
        """Give the form in words too from now on: this server takes `response_format` and does not look at it."""
        self._spelled_out.add(schema.__name__)

    def lost(self) -> int:
        """Tries of this thread, since this was last asked, whose answers could not be read: they may be billed."""
        return self._tries.lost()

    def close(self) -> None:
        """Close the connections; safe to call twice. The embedded server belongs to who made it."""
        self._models.close()

    def _words(self, schema: type[BaseModel], mode: Mode) -> str:
        """What is appended to the last message, for a server that understands less than a schema."""
        named = mode == MODES[0] and schema.__name__ not in self._spelled_out
        return "" if named else "\n\n" + instruction(schema)

    def _accepted(
        self, request: Request, config: RunnableConfig, more: Mapping[str, Any] = NOTHING, added: str = ""
    ) -> Reply:
        """The reply to the request without those of our fields that this server refuses by name."""
        while True:
            without = self._left_out
            try:
                return self._once(request, config, more, added, without)
            except CallFailed as error:
                refused = _refused_field(error, without)
                if refused is None:
                    raise
                self._left_out |= {refused}

    def _once(
        self, request: Request, config: RunnableConfig, more: Mapping[str, Any], added: str, without: frozenset[str]
    ) -> Reply:
        own = self.endpoint.extra_body
        options = {key: value for key, value in request.body.items() if key not in OURS and key not in own}
        extra = {**own, **{key: value for key, value in more.items() if value is not None}}
        if request.about and self._tells:
            extra["about"] = dict(request.about)
        options["seed"] = request.seed
        if request.path == "/chat/completions" and "max_tokens" in options:
            options["max_completion_tokens"] = options.pop("max_tokens")
            if self._takes_old_limit:
                extra["max_tokens"] = options["max_completion_tokens"]
        for name in without:
            options.pop(name, None)
            extra.pop(name, None)
        options["extra_body"] = extra or None
        try:
            if request.path == "/completions":
                return self._completed(request, config, options).without(self._keys)
            messages = [dict(message) for message in request.body["messages"]]
            messages[-1]["content"] += added
            said = self._models.chat().invoke(messages, config, **options)
            return chat_reply(said, request, added).without(self._keys)
        except CallError as trouble:
            failure = explained(trouble, self._place)
        except MALFORMED as error:
            failure = CallFailed(f"{NO_ANSWER}: {self._place.masked(str(error))}", 200)
        raise failure  # without its cause, whose text may quote the key

    def _completed(self, request: Request, config: RunnableConfig, options: dict[str, Any]) -> Reply:
        result = self._models.text().generate(
            [request.body["prompt"]],
            options.pop("stop", None),
            config.get("callbacks"),
            tags=config.get("tags"),
            metadata=config.get("metadata"),
            run_name=config.get("run_name"),
            **options,
        )
        return completion_reply(result, request)

    @property
    def _tells(self) -> bool:
        """Whether the server is a test's own, which is told what is asked as data."""
        return bool(os.environ.get(TELL_LOOPBACK)) and self._local is None and _host(self.url) in LOOPBACK

    @property
    def _takes_old_limit(self) -> bool:
        """Whether `max_tokens` is sent, for servers that know no other name; OpenAI and Azure refuse both at once."""
        is_official = self._local is None and _host(self.url).endswith(("openai.com", "azure.com"))
        return not is_official or LIMITS[1] in self._left_out

    @property
    def _place(self) -> Place:
        patience, tail = self._tries.limiter.limits.patience, self._local.tail if self._local else None
        return Place(self.endpoint, self.url, self.model, self.secrets, patience, tail)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _refused_field(error: CallFailed, without: frozenset[str]) -> str | None:
    """The field that a refusal names, of those that can be left out: the seed, and one of two names of the limit."""
    optional = ("seed",) if without & set(LIMITS) else ("seed", *reversed(LIMITS))
    named = (name for name in optional if re.search(rf"\b{name}\b", str(error)) and name not in without)
    return next(named, None) if error.of_form else None
