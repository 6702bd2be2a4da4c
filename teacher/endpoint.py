"""One model behind one address: what the user may write of it, and what that comes to."""

import json
import os

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from .accounting.prices import Prices, listed
from .address import check_address, shown_address, without_query
from .base import Prompting
from .key_names import refuse_key_as_name
from .structured import Mode

OFFICIAL = "https://api.openai.com/v1"
"""Where `kind = "openai"` asks if neither the config nor OPENAI_BASE_URL says otherwise."""

PROTECTED = frozenset(
    {
        "messages",
        "prompt",
        "model",
        "n",
        "seed",
        "stream",
        "response_format",
        "logprobs",
        "top_logprobs",
        "max_tokens",
        "max_completion_tokens",
        "stop",
    }
)
"""Body fields EvoKD sets itself; `extra_body` must not contradict them."""


REMOTE = "trust_remote_code"
"""What lets a provider that loads models here (`huggingface:`) run the code that lies beside their weights."""

KINDS = ("local", "openai", "langchain")
"""Kinds of teachers that are ours."""


class RoleSettings(BaseModel):
    """One model behind one address, and how it is asked. Unset fields of a role are taken from `[teacher]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: str | None = None
    """`local` (embedded, no key), `openai` (any OpenAI-compatible server), `langchain` (any provider LangChain has a
    package for), or `module:Class` for one of your own (see `evokd.teacher.custom`)."""
    model: str | None = None
    """Model name; for `local` a path to a .gguf file, or nothing for SmolLM2-135M-Instruct; for `langchain` with its
    provider, e.g. `anthropic:claude-sonnet-4-5`."""
    base_url: str | None = None
    """Address of the server, with `http://` or `https://`; Azure's may end in `?api-version=...`. Unset:
    `OPENAI_BASE_URL`, else OpenAI's own."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; `none` for a server that wants no key. Unset:
    `OPENAI_API_KEY`, and the provider's own for `langchain`."""
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    """Tokens of one answer. Unset: the server's own limit, 400 for `local`, and 256 where a text is only continued."""
    prompting: Prompting | None = None
    """Unset: `completion` for `local`, `instruct` for the others."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds without a byte from the server; a whole answer may take twice as long. Unset: 300, as models
    that think, busy CPUs and servers that work on one call after the other are silent for minutes."""
    usd_per_million_input: float | None = Field(default=None, ge=0)
    """Price of prompt tokens. If no price is set: as the list `genai-prices` has it for this model at this address, or
    unknown; 0 for `local`."""
    usd_per_million_cached_input: float | None = Field(default=None, ge=0)
    """Price of prompt tokens that the server has in its own cache. Unset: as of the others."""
    usd_per_million_output: float | None = Field(default=None, ge=0)
    structured: Mode | None = None
    """The strongest form in which JSON is asked for: `json_schema`, `json_object`, or `none` (in words alone). Unset:
    what the server takes, tried in this order."""
    extra_body: dict[str, JsonValue] = {}
    """More fields for the request body, e.g. `reasoning_effort` or a server's own sampling options; for `langchain`,
    more arguments of the model's class."""
    settings: dict[str, JsonValue] = {}
    """Arguments of a class of your own, `kind = "module:Class"`."""

    @field_validator("base_url")
    @classmethod
    def _whole_address(cls, url: str | None) -> str | None:
        return None if url is None else check_address(url, "base_url")

    @field_validator("api_key_env")
    @classmethod
    def _name_of_variable(cls, name: str | None) -> str | None:
        return None if name is None else refuse_key_as_name(name.strip())

    @field_validator("extra_body")
    @classmethod
    def _no_protected(cls, body: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(PROTECTED & set(body)):
            raise ValueError(f"extra_body may not set {', '.join(taken)}: EvoKD sets these itself")
        if REMOTE in json.dumps(body):
            raise ValueError(f"extra_body may not set {REMOTE}: a model's own code is never run")
        return body


class Endpoint(BaseModel):
    """A role's settings, resolved. Two roles with equal endpoints share one client."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    model: str
    base_url: str | None
    api_key_env: str
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    prompting: Prompting
    timeout: float
    usd_input: float | None
    usd_output: float | None
    usd_cached: float | None
    listed: bool
    """Whether the prices are those of `genai-prices`, not the user's."""
    structured: Mode | None
    extra_body: dict[str, JsonValue]
    settings: dict[str, JsonValue]

    @classmethod
    def of(cls, kind: str, own: RoleSettings, where: str) -> "Endpoint":
        """Fill in the defaults of a kind; `where` is the key named in errors."""
        _check_kind(kind, own, where)
        local, custom = kind == "local", kind not in KINDS
        usual_key = {"openai": "OPENAI_API_KEY", "local": "none"}.get(kind, "")
        prices = Prices(0.0, 0.0, 0.0) if local else None if custom else _prices(kind, own)
        return cls(
            kind=kind,
            model=own.model or (kind.rpartition(":")[2] if custom else ""),
            base_url=own.base_url,
            api_key_env="none" if local else own.api_key_env or usual_key,
            temperature=own.temperature,
            top_p=own.top_p,
            max_tokens=own.max_tokens or (400 if local else None),
            prompting=own.prompting or ("completion" if local else "instruct"),
            timeout=own.timeout or 300,
            usd_input=prices.input if prices else own.usd_per_million_input,
            usd_output=prices.output if prices else own.usd_per_million_output,
            usd_cached=prices.cached if prices else own.usd_per_million_cached_input,
            listed=prices is not None and not local,
            structured=own.structured,
            extra_body=own.extra_body,
            settings=own.settings,
        )

    @property
    def url(self) -> str:
        """The address of a server that is not the embedded one; of a provider or class without one, its name."""
        return _address(self.kind, self.model, self.base_url)

    @property
    def shown_url(self) -> str:
        """The same without what may be secret in it."""
        return shown_address(self.url)

    @property
    def priced(self) -> bool:
        """Whether the price of a call is known."""
        return self.usd_input is not None and self.usd_output is not None

    def usd(self, input_tokens: int, output_tokens: int, cached: int = 0) -> float | None:
        """Price of a call in US dollars, or None where it is unknown; `cached` of the input tokens may be cheaper."""
        if self.usd_input is None or self.usd_output is None:
            return None
        of_cached = self.usd_input if self.usd_cached is None else self.usd_cached
        fresh = input_tokens - cached
        return (fresh * self.usd_input + cached * of_cached + output_tokens * self.usd_output) / 1e6


def _check_kind(kind: str, own: RoleSettings, where: str) -> None:
    """Refuse settings that a kind has no use for, and a kind without what it needs."""
    if kind in KINDS and own.settings:
        raise ValueError(f"{where}.settings goes with kind = 'module:Class'; for kind = {kind!r} see extra_body")
    if kind == "local" and own.base_url:
        raise ValueError(f"{where}.base_url goes with kind = 'openai'; the embedded model has an address of its own")
    if kind in ("openai", "langchain") and not own.model:
        example = "gpt-5-mini" if kind == "openai" else "anthropic:claude-sonnet-4-5"
        raise ValueError(f"{where}.model is needed for kind = {kind!r}, e.g. model = {example!r}")
    if kind == "openai" and not own.base_url and (url := os.environ.get("OPENAI_BASE_URL")):
        check_address(url, "the environment variable OPENAI_BASE_URL")
    if kind == "langchain" and ":" not in (own.model or ""):
        raise ValueError(f"{where}.model = {own.model!r} needs its provider, e.g. 'anthropic:claude-sonnet-4-5'")
    if kind == "langchain" and own.base_url and without_query(own.base_url)[1]:
        raise ValueError(f"{where}.base_url with '?...' needs kind = 'openai'; or give it as an argument in extra_body")
    if kind == "langchain" and own.prompting == "completion":
        raise ValueError(f"{where}.prompting = 'completion': a chat model of LangChain does not continue texts")


def _address(kind: str, model: str, base_url: str | None) -> str:
    if kind not in KINDS:
        return base_url or kind
    if kind == "langchain":
        return base_url or model.partition(":")[0]
    return base_url or os.environ.get("OPENAI_BASE_URL") or OFFICIAL


def _prices(kind: str, own: RoleSettings) -> Prices | None:
    """Those of the list, where the user says nothing of any."""
    given = (own.usd_per_million_input, own.usd_per_million_output, own.usd_per_million_cached_input)
    if given != (None, None, None):
        return None
    provider, _, name = (own.model or "").partition(":") if kind == "langchain" else ("", "", own.model or "")
    return listed(name, _address(kind, own.model or "", own.base_url), provider if own.base_url is None else "")
