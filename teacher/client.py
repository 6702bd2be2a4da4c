"""One endpoint: a `Request` becomes a call through LangChain; what happens becomes a `Reply` or one of two errors."""

import os
import threading
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI, OpenAI
from pydantic import BaseModel, SecretStr

from tasks.errors import ConfigError
from teacher.endpoint import Endpoint
from teacher.failures import CallFailed, Place, explained
from teacher.local import LocalServer
from teacher.pace import Pace
from teacher.patient import PatientClient, Permits
from teacher.request import Reply, Request
from teacher.structured import MODES, Mode, instruction, response_format
from teacher.wire import chat_reply, completion_reply

warnings.filterwarnings("ignore", message="Invalid schema for OpenAI's structured output")  # we fall back ourselves

MALFORMED = (TypeError, KeyError, ValueError, AttributeError, IndexError)
"""What LangChain and the SDK raise over a reply that is not an OpenAI answer (an HTML page, no `choices`)."""

OURS = ("messages", "prompt", "model", "response_format")
"""Fields of a request body that do not go through LangChain as keyword arguments."""


class Client:
    """How one endpoint is reached; shared by all threads. Nothing is opened or started before the first call."""

    def __init__(
        self, endpoint: Endpoint, pace: Pace, retries: int, permits: Permits, local: LocalServer | None
    ) -> None:
        """Read the key from the environment.

        Raises:
            ConfigError: the environment variable that should hold the key is not set.
        """
        self.endpoint = endpoint
        self.model = local.name if local else endpoint.model
        self._local = local
        self.url = endpoint.url
        self._key = SecretStr(_key(endpoint.api_key_env))
        self._pace = pace
        self._retries = retries
        self._permits = permits
        self._lock = threading.Lock()
        self._modes: dict[str, Mode] = {}
        self._http: PatientClient | None = None
        self._chat: ChatOpenAI | None = None
        self._text: OpenAI | None = None

    @property
    def key(self) -> str:
        """The key in clear, for those who keep it from being shown; `none` where there is none."""
        return self._key.get_secret_value()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be shown nowhere."""
        own = (None if self.key == "none" else self.key, urlsplit(self.url).password)
        return tuple(filter(None, own))

    @property
    def mode(self) -> Mode:
        """How much of a schema the server understood, the least of all forms that were asked for."""
        return max(self._modes.values(), key=MODES.index, default=MODES[0])

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
        """Make one call, repeated by `PatientClient` where that can help.

        Raises:
            TeacherDown: unreachable, refused key, no quota: no other call would do better.
            CallFailed: this call alone failed.
        """
        if schema is None:
            return self._once(request, config, {})
        name = schema.__name__
        for mode in MODES[MODES.index(self._modes.get(name, MODES[0])) :]:
            added = "" if mode == "json_schema" else "\n\n" + instruction(schema)
            try:
                reply = self._once(request, config, {"response_format": response_format(schema, mode)}, added)
            except CallFailed as error:
                if not error.of_form or mode == MODES[-1]:
                    raise
                continue
            self._modes[name] = mode
            return reply
        raise AssertionError("the last mode returns or raises")

    def body(self, request: Request, schema: type[BaseModel]) -> tuple[dict[str, Any], str]:
        """What `send` would send, for a batch; and what of it was appended to the last message."""
        mode = self._modes.get(schema.__name__, MODES[0])
        added = "" if mode == MODES[0] else "\n\n" + instruction(schema)
        messages = request.messages
        messages[-1]["content"] += added
        body = {**request.body, "messages": messages, "seed": request.seed} | {
            "response_format": response_format(schema, mode)
        }
        if "max_tokens" in body:
            body["max_completion_tokens"] = body["max_tokens"]
            if self._official:
                del body["max_tokens"]
        return {key: value for key, value in body.items() if value is not None}, added

    def lost(self) -> int:
        """Tries of this thread, since this was last asked, whose answers could not be read: they may be billed."""
        return self._http.lost() if self._http else 0

    def close(self) -> None:
        """Close the connections; safe to call twice. The embedded server belongs to who made it."""
        with self._lock:
            if self._http is not None:
                self._http.close()

    def _once(self, request: Request, config: RunnableConfig, more: Mapping[str, Any], added: str = "") -> Reply:
        own = self.endpoint.extra_body
        options = {key: value for key, value in request.body.items() if key not in OURS and key not in own}
        extra = {**own, **{key: value for key, value in more.items() if value is not None}}
        began = self._pace.clock.now()
        try:
            if request.path == "/completions":
                options |= {"seed": request.seed, "extra_body": extra or None}
                return self.without_key(self._completed(request, config, options))
            if "max_tokens" in options:
                options["max_completion_tokens"] = options.pop("max_tokens")
                if not self._official:  # servers that know only the old name, and refuse nothing
                    extra["max_tokens"] = options["max_completion_tokens"]
            messages = [dict(message) for message in request.body["messages"]]
            messages[-1]["content"] += added
            said = self._open_chat().invoke(messages, config, **options, seed=request.seed, extra_body=extra or None)
            return self.without_key(chat_reply(said, added))
        except openai.OpenAIError as error:
            failure = explained(error, self.place(began))
        except MALFORMED as error:
            failure = CallFailed(f"the reply is not an OpenAI answer: {self.place(began).masked(str(error))}")
        raise failure  # without its cause, whose text may quote the key

    def _completed(self, request: Request, config: RunnableConfig, options: dict[str, Any]) -> Reply:
        result = self._open_text().generate(
            [request.body["prompt"]],
            options.pop("stop", None),
            config.get("callbacks"),
            tags=config.get("tags"),
            metadata=config.get("metadata"),
            run_name=config.get("run_name"),
            **options,
        )
        return completion_reply(result)

    @property
    def _official(self) -> bool:
        """OpenAI and Azure refuse a request with both names of the token limit."""
        host = urlsplit(self.url).hostname or ""
        return self._local is None and host.endswith(("openai.com", "azure.com"))

    def _open_chat(self) -> ChatOpenAI:
        with self._lock:
            if self._chat is None:
                self._chat = ChatOpenAI(**self._common(), use_responses_api=False, disable_streaming=True)
            return self._chat

    def _open_text(self) -> OpenAI:
        with self._lock:
            if self._text is None:
                self._text = OpenAI(**self._common())
            return self._text

    def _common(self) -> dict[str, Any]:
        """What both kinds of model are built with; starts the embedded server. Call it with the lock held."""
        if self._local is not None:
            self.url = self._local.start()
        if self._http is None:
            more = {"trust_env": self._local is None, "verify": _tls()}
            self._http = PatientClient(self._pace, self._retries, self.endpoint.timeout, self._permits, **more)
        return {
            "model": self.model,
            "base_url": self.url,
            "api_key": self._key,
            "timeout": self.endpoint.timeout,
            "max_retries": 0,  # PatientClient repeats
            "http_client": self._http,
            "cache": False,
            "openai_proxy": None,
        }

    def without_key(self, reply: Reply) -> Reply:
        """A server may say back what it was sent; an answer is kept in files, and a key must be in none."""
        if self.key == "none" or self.key not in reply.text:
            return reply
        return replace(reply, text=reply.text.replace(self.key, "***"))

    def place(self, began: float) -> Place:
        """Where a call went that began at a moment, for an error."""
        return Place(
            url=self.url,
            model=self.model,
            key=self._key,
            endpoint=self.endpoint,
            tries=self._retries + 1,
            patience=self._pace.limits.patience,
            alive=self._pace.answered_since(began),
            last_words=self._local.tail if self._local else None,
        )


@cache
def _tls() -> SSLContext:
    """Certificates of the system; reading them takes a tenth of a second."""
    return httpx2.create_ssl_context()


def _key(variable: str) -> str:
    if variable == "none":
        return "none"
    if key := os.environ.get(variable):
        return key
    raise ConfigError(
        f"teacher.api_key_env: the environment variable {variable} is not set. Export it or put it into .env; "
        f"for a server that wants no key, set api_key_env = 'none'."
    )
