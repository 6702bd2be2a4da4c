"""Providers that LangChain has a package for: a `Request` becomes a call of its chat model, whatever is behind it."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import BaseModel, SecretStr

from ...tasks.errors import ConfigError
from ..endpoint import Endpoint
from ..structured import Mode, instruction, strict_schema
from .custom_model import CustomModel
from .error_classification import CallError, told_by
from .errors import CallFailed, Place, explained
from .figures import read_count
from .keys import key_in
from .reply_parsing import chat_reply
from .request import Reply, Request, canonical
from .retries import Retries, Tokens

INSTALL = "pip install 'evokd[providers]'"

CUT = ("length", "max_tokens", "max_output_tokens", "model_length")
"""What providers say of an answer that ended at its token limit; compared in lower case."""

STOPPED = ("content_filter", "content_filtered", "guardrail_intervened", "refusal", "safety", "prohibited_content")
"""What they say of one that they did not want to give."""


def open_model(endpoint: Endpoint) -> BaseChatModel:
    """The chat model of a provider, by LangChain's own factory.

    Raises:
        ConfigError: the factory, the provider's package or its key are missing, or it refuses a setting.
    """
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise ConfigError(f"teacher.kind = 'langchain' needs LangChain's factory of models. {INSTALL}") from None
    given = {"timeout": endpoint.timeout, "max_retries": 0, "base_url": endpoint.base_url, "api_key": _key(endpoint)}
    own = {"temperature": endpoint.temperature, "top_p": endpoint.top_p, "max_tokens": endpoint.max_tokens}
    arguments: dict[str, Any] = {key: value for key, value in (given | own).items() if value is not None}
    try:
        model: BaseChatModel = init_chat_model(endpoint.model, **arguments | endpoint.extra_body)
    except ImportError as error:
        raise ConfigError(f"teacher.model = {endpoint.model!r}: {error}.") from error
    except Exception as error:  # each package has its own errors, for a key that is not there too
        said = " ".join(str(error).split())[:400]
        raise ConfigError(f"teacher.model = {endpoint.model!r} cannot be opened ({said}).") from error
    model.cache = False
    model.disable_streaming = True
    return model


class LangChainClient:
    """One chat model of LangChain's; implements `Connection`. Calls are repeated by `Retries`, not by its package."""

    def __init__(self, endpoint: Endpoint, tries: Retries, model: BaseChatModel | None = None) -> None:
        """Open the model, but no connection.

        Args:
            endpoint: What is asked, and how.
            tries: Repeats what may have been an accident.
            model: In place of the one that the endpoint names.

        Raises:
            ConfigError: as `open_model` does.
        """
        self.endpoint, self.model = endpoint, endpoint.model
        self._tries = tries
        self._model = model or open_model(endpoint)
        found = {value for value in vars(self._model).values() if isinstance(value, SecretStr)}
        self.secrets = tuple({secret for each in found if (secret := each.get_secret_value())})
        self._closed = False
        self._in_words: set[str] = set()
        self._proven: set[str] = set()
        self._spelled_out: set[str] = set()
        self._place = Place(endpoint, endpoint.url, self.model, self.secrets, tries.limiter.limits.patience)

    @property
    def mode(self) -> Mode:
        """`json_schema` where the model's own structured answers work, else `none`."""
        return "none" if self._in_words or not self._asks_by_schema else "json_schema"

    @property
    def _asks_by_schema(self) -> bool:
        return self.endpoint.structured in (None, "json_schema")

    def sampling(self, path: str) -> dict[str, Any]:
        """How answers are drawn; the model has been built with it, so that here it only tells requests apart."""
        own = self.endpoint
        said = {"temperature": own.temperature, "top_p": own.top_p, "max_tokens": own.max_tokens}
        return {key: value for key, value in said.items() if value is not None} | own.extra_body

    def send(self, request: Request, config: RunnableConfig, schema: type[BaseModel] | None = None) -> Reply:
        """Make one call; raises as `Connection` says."""
        if request.path != "/chat/completions" or "logprobs" in request.body:
            raise CallFailed("a chat model of LangChain continues no texts and gives no probabilities", 501)
        if schema is None:
            return self._said(request, config, "")
        name = schema.__name__
        if self._asks_by_schema and name not in self._in_words:
            added = "\n\n" + instruction(schema) if name in self._spelled_out else ""
            try:
                reply = self._said(request, config, added, schema)
                self._proven.add(name)
                return reply
            except NotImplementedError:
                pass
            except CallFailed as error:
                if not error.of_form and (name in self._proven or not error.may_be_of_form):
                    raise
        reply = self._said(request, config, "\n\n" + instruction(schema))
        self._in_words.add(name)
        return reply

    def spell_out(self, schema: type[BaseModel]) -> None:
        """Give the form in words too from now on: this model's structured answers do not keep to it."""
        self._spelled_out.add(schema.__name__)

    def lost(self) -> int:
        """Tries of this thread, since this was last asked, whose answers never came: they may be billed."""
        return self._tries.lost()

    def close(self) -> None:
        """Close a teacher of one's own; LangChain's models close their connections themselves."""
        if isinstance(self._model, CustomModel) and not self._closed:
            self._closed = True
            self._model.teacher.close()

    def _said(
        self, request: Request, config: RunnableConfig, added: str, schema: type[BaseModel] | None = None
    ) -> Reply:
        """The reply to one call.

        Raises:
            NotImplementedError: the model has no structured answers of its own.
        """
        messages = request.messages
        messages[-1]["content"] += added
        asked: Runnable[Any, Any] = self._model
        more = {"stop": stop} if (stop := request.body.get("stop")) else {}
        if schema is not None:
            form = {"title": schema.__name__, "description": "The answer.", **strict_schema(schema)[0]}
            asked = self._model.with_structured_output(form, include_raw=True)
        once = partial(_once, partial(asked.invoke, messages, config, **more))
        try:
            said = self._tries.make(once, len(canonical(request.body)))
        except CallError as trouble:
            failure = explained(trouble, self._place)
        else:
            return _reply(said, added, request).without(self.secrets)
        raise failure  # without its cause, whose text may quote the key


def _once(call: Callable[[], Any]) -> tuple[AIMessage, Tokens | None]:
    """Make one try."""
    try:
        said = call()
        message: AIMessage = said["raw"] if isinstance(said, dict) else said
    except (NotImplementedError, CallError):
        raise
    except Exception as error:  # each package has its own
        raise told_by(error) from error
    used = message.usage_metadata
    given, taken = (read_count(used["input_tokens"]), read_count(used["output_tokens"])) if used else (None, None)
    return message, None if given is None or taken is None else (given, taken)


def _key(endpoint: Endpoint) -> SecretStr | None:
    """The key to hand over; None where the provider's package is to find its own, or needs none."""
    if endpoint.api_key_env in ("", "none"):
        return None
    return SecretStr(
        key_in(endpoint.api_key_env, "or leave api_key_env out to have the provider's package read its own")
    )


def _reply(said: AIMessage, added: str, request: Request) -> Reply:
    """Answers given through a tool are the tool's arguments."""
    meta = said.response_metadata
    calls = [json.dumps(call["args"]) for call in said.tool_calls] + [
        call["args"] or "" for call in said.invalid_tool_calls
    ]
    text = "\n".join(calls) or said.text
    finish = str(meta.get("finish_reason") or meta.get("stop_reason") or meta.get("stopReason") or "").lower()
    known = {**dict.fromkeys(CUT, "length"), **dict.fromkeys(STOPPED, "content_filter")}
    return replace(chat_reply(said, request, added), text=text, finish_reason=known.get(finish, "stop"))
