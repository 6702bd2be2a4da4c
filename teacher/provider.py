"""Providers that LangChain has a package for: a `Request` becomes a call of its chat model, whatever is behind it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, SecretStr

from tasks.errors import ConfigError, EvoKDError
from teacher.endpoint import Endpoint
from teacher.failures import CallFailed, Place, refused
from teacher.keys import key_in
from teacher.pace import Pace
from teacher.patient import Permits
from teacher.request import Reply, Request, canonical
from teacher.responses import OVERLOADED, TRY_AGAIN
from teacher.structured import Mode, instruction, strict_schema
from teacher.tries import Tries, rest_after
from teacher.trouble import Trouble
from teacher.waits import asked_wait
from teacher.wire import chat_reply

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


class ProviderClient:
    """One model of a provider; implements `Connection`. The pace is kept and calls are repeated here, not there."""

    def __init__(self, endpoint: Endpoint, pace: Pace, retries: int, permits: Permits) -> None:
        """Open the model, but no connection.

        Raises:
            ConfigError: as `open_model` does.
        """
        self.endpoint, self.model = endpoint, endpoint.model
        self._pace, self._retries, self._permits = pace, retries, permits
        self._model = open_model(endpoint)
        found = {value for value in vars(self._model).values() if isinstance(value, SecretStr)}
        self.secrets = tuple({secret for each in found if (secret := each.get_secret_value())})
        self._in_words: set[str] = set()
        self._spelled_out: set[str] = set()
        self._tries = Tries()

    @property
    def mode(self) -> Mode:
        """`json_schema` where the model's own structured answers work, else `none`."""
        return "none" if self._in_words else "json_schema"

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
        if name not in self._in_words:
            added = "\n\n" + instruction(schema) if name in self._spelled_out else ""
            try:
                return self._said(request, config, added, schema)
            except NotImplementedError:
                pass
            except CallFailed as error:
                if not error.of_form:
                    raise
        reply = self._said(request, config, "\n\n" + instruction(schema))
        self._in_words.add(name)
        return reply

    def spell_out(self, schema: type[BaseModel]) -> None:
        """Give the form in words too from now on: this model's structured answers do not keep to it."""
        self._spelled_out.add(schema.__name__)

    def lost(self) -> int:
        """Tries of this thread, since this was last asked, whose answers never came: they may be billed."""
        return self._tries.take()

    def close(self) -> None:
        """Nothing to do: LangChain's models close their connections themselves."""

    def _said(
        self, request: Request, config: RunnableConfig, added: str, schema: type[BaseModel] | None = None
    ) -> Reply:
        """The reply to one call.

        Raises:
            NotImplementedError: the model has no structured answers of its own.
        """
        messages = request.messages
        messages[-1]["content"] += added
        if schema is None:
            stop = request.body.get("stop")
            more = {"stop": stop} if stop else {}
            said = self._patiently(lambda: self._model.invoke(messages, config, **more), request)
        else:
            form = {"title": schema.__name__, "description": "The answer.", **strict_schema(schema)[0]}
            asked = self._model.with_structured_output(form, include_raw=True)
            said = self._patiently(lambda: asked.invoke(messages, config)["raw"], request)  # type: ignore[index]
        reply = _reply(said, added, request)
        return replace(reply, text=self._masked(reply.text))

    def _patiently(self, call: Callable[[], Any], request: Request) -> AIMessage:
        """Keep the pace, wait out rate limits, repeat what may have been an accident."""
        since, tries, size = self._pace.clock.now(), 0, len(canonical(request.body))
        while True:
            with self._pace.turn(size) as turn:
                self._check()
                try:
                    said: AIMessage = call()
                except NotImplementedError:
                    raise
                except Exception as error:  # each package has its own
                    trouble = Trouble.of(error)
                else:
                    usage = said.usage_metadata
                    self._pace.answered(turn, (usage["input_tokens"], usage["output_tokens"]) if usage else None)
                    return said
                wait = asked_wait(trouble.headers, self._pace.clock.date())
                crowded = trouble.status in OVERLOADED or (trouble.status == 503 and wait is not None)
                if crowded and not trouble.no_money and self._pace.refused(turn, wait, since):
                    self._check(self._pace.closed_for)
                    continue
            self._tries.lose(trouble.is_broken)
            tries += 1
            passing = trouble.is_broken or trouble.status in TRY_AGAIN
            if crowded or trouble.no_money or not passing or tries > self._retries:
                raise self._explained(trouble, since)
            pause = rest_after(tries)
            self._check(pause)
            self._pace.rest(pause)

    def _check(self, wait: float = 0.0) -> None:
        """Give up if the budget does not allow the next try in `wait` seconds; the caller knows why."""
        if not self._permits(self._tries.lost, wait):
            raise CallFailed("the budget does not allow another try")

    def _explained(self, trouble: Trouble, since: float) -> EvoKDError:
        place = Place(
            url=self.endpoint.url, model=self.model, key=SecretStr("none"),
            endpoint=self.endpoint, retries=self._retries, patience=self._pace.limits.patience,
            alive=self._pace.answered_since(since), last_words=None,
        )  # fmt: skip
        cause = place.masked(self._masked(trouble.cause))
        if trouble.status:
            return refused(trouble.status, cause, trouble.no_money, place)
        if trouble.is_unreachable or (trouble.is_broken and not place.alive):
            return place.down(f"cannot be reached ({cause})", "Check teacher.base_url and the network, then resume.")
        return CallFailed(f"the call failed: {cause}")

    def _masked(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret.strip(), "***")  # an error may quote the white space around it in another way
        return text


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
