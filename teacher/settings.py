"""What the user may write under `[teacher]` and `[budget]`."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from tasks.errors import ConfigError
from teacher.base import Prompting

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


KINDS = ("local", "openai", "langchain")
"""Kinds of teachers that are ours."""


class LocalSettings(BaseModel):
    """How the embedded model is served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threads: int | None = Field(default=None, ge=1)
    """CPU threads. Unset: the cores that are idle when it starts; more of them are many times slower, not faster."""
    slots: int = Field(default=8, ge=1)
    """Requests answered side by side."""
    context: int = Field(default=1024, ge=128)
    """Tokens of prompt and answer together, per slot."""
    startup_seconds: float = Field(default=120, gt=0)
    """How long loading the model may take."""


class BatchSettings(BaseModel):
    """How a server's batch API is used: many prompts in one file, cheaper, answered within a day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: int = Field(default=8, ge=1)
    """Prompts at once below which ordinary calls are made: they are answered now."""
    price: float = Field(default=0.5, gt=0, le=1)
    """What a token costs there, as a share of its ordinary price: OpenAI takes half."""
    poll_seconds: float = Field(default=60, gt=0)
    """Between two looks at what the server has done."""
    patience_hours: float = Field(default=25, gt=0)
    """How long one sitting waits for a batch; the servers give themselves 24 hours. The run can be resumed."""


class RoleSettings(BaseModel):
    """One model behind one address, and how it is asked. Unset fields of a role are taken from `[teacher]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str | None = None
    """`local` (embedded, no key), `openai` (any OpenAI-compatible server), `langchain` (any provider LangChain has a
    package for), or `module:Class` for a part of your own."""
    model: str | None = None
    """Model name; for `local` a path to a .gguf file, or nothing for SmolLM2-135M-Instruct; for `langchain` with its
    provider, e.g. `anthropic:claude-sonnet-4-5`."""
    base_url: str | None = None
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; `none` for a server that wants no key. Unset:
    `OPENAI_API_KEY`, and the provider's own for `langchain`."""
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    """Tokens of one answer. Unset: the server's own limit, and 400 for `local`."""
    prompting: Prompting | None = None
    """Unset: `plain` for `local`, `chat` for the others."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds without a byte from the server; a whole answer may take twice as long. Unset: 60, and 300 for `local`,
    where a busy CPU may be slow."""
    usd_per_million_input: float | None = Field(default=None, ge=0)
    """Price of prompt tokens. Unset: unknown, and 0 for `local`."""
    usd_per_million_cached_input: float | None = Field(default=None, ge=0)
    """Price of prompt tokens that the server has in its own cache. Unset: as of the others."""
    usd_per_million_output: float | None = Field(default=None, ge=0)
    extra_body: dict[str, JsonValue] = {}
    """More fields for the request body, e.g. `reasoning_effort` or a server's own sampling options; for `langchain`,
    more arguments of the model's class."""

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str | None) -> str | None:
        if kind is None or kind in KINDS or ":" in kind:
            return kind
        raise ValueError(f"kind {kind!r} is not known; allowed are {', '.join(map(repr, KINDS))} and 'module:Class'")

    @field_validator("extra_body")
    @classmethod
    def _no_protected(cls, body: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(PROTECTED & set(body)):
            raise ValueError(f"extra_body may not set {', '.join(taken)}: EvoKD sets these itself")
        return body


class TeacherSettings(RoleSettings):
    """`[teacher]`: the model of every role, and what single roles do differently."""

    kind: str | None = "local"
    concurrency: int = Field(default=8, ge=1)
    """Calls in flight at once; fewer after the server said "too many", one more after each round without."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Of each model behind an address, repetitions included. Unset: as many as the server takes."""
    tokens_per_minute: float | None = Field(default=None, gt=0)
    """Input and output together, of each model behind an address. Unset: as many as the server takes."""
    retries: int = Field(default=4, ge=0)
    """Repetitions of a call after a server error, a lost connection or no answer in time."""
    patience: float = Field(default=600, ge=0)
    """Seconds a rate limit is waited out without one answer; after that the run stops and can be resumed."""
    cache: str | None = None
    """File with answers to share with other runs, made where it is missing; relative to the current folder. Equal
    requests of runs with equal seeds are paid for once. Unset: a run reuses its own answers only."""
    use_cache: bool = True
    """`false`: every cycle asks anew, and answers are not shared. What a step that was killed had been told is kept."""
    redact: tuple[str, ...] = ()
    """Regular expressions; what they match is replaced in everything a LangSmith trace shows."""
    batch: BatchSettings | None = None
    """`true`, or a table of settings: prompts that can wait go to the server's batch API (`kind = "openai"`)."""
    local: LocalSettings = LocalSettings()
    roles: dict[str, RoleSettings] = {}
    """Role name (`analyst`, `generator`, `annotator`, or your own) -> what differs."""

    @field_validator("batch", mode="before")
    @classmethod
    def _switch(cls, batch: object) -> object:
        return {True: {}, False: None}[batch] if isinstance(batch, bool) else batch

    @field_validator("cache")
    @classmethod
    def _absolute(cls, path: str | None) -> str | None:
        """A run may be resumed from another folder."""
        if path == "":
            raise ValueError("must name a file; leave it out for no shared cache")
        return None if path is None else str(Path(path).expanduser().resolve())

    @field_validator("redact")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                found = re.compile(pattern).search("")
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
            if found:
                raise ValueError(f"{pattern!r} matches the empty text, so it would be found everywhere")
        return patterns

    @model_validator(mode="after")
    def _roles_fit(self) -> Self:
        if self.kind in KINDS:
            kinds = {self.role(role).kind for role in ("", *self.roles)}
            if self.batch is not None and "openai" not in kinds:
                raise ValueError(f"batch goes with kind = 'openai'; here every model is {' or '.join(sorted(kinds))}")
        return self

    def role(self, name: str) -> "Endpoint":
        """The settings of one role with every default filled in.

        Raises:
            ValueError: a combination that cannot work; as a validator's error it reaches the user with its key.
        """
        own = self.roles.get(name, RoleSettings())
        kind = own.kind or self.kind or "local"
        merged = {field: getattr(self, field) for field in RoleSettings.model_fields}
        if kind != self.kind:  # another kind of server: its address, name, key and price are not inherited
            merged = {field: merged[field] for field in ("temperature", "top_p", "max_tokens")}
        merged |= {field: getattr(own, field) for field in own.model_fields_set}
        return Endpoint.of(
            kind, RoleSettings(**{**merged, "kind": kind}), f"teacher.roles.{name}" if name else "teacher"
        )


class Endpoint(BaseModel):
    """A role's settings, resolved. Two roles with equal endpoints share one client."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["local", "openai", "langchain"]
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
    extra_body: dict[str, JsonValue]

    @classmethod
    def of(cls, kind: str, own: RoleSettings, where: str) -> "Endpoint":
        """Fill in the defaults of a kind; `where` is the key named in errors."""
        local = kind == "local"
        if kind not in KINDS:
            raise ValueError(f"{where}.kind {kind!r}: one role alone can be {', '.join(map(repr, KINDS))} only")
        if local and own.base_url:
            raise ValueError(
                f"{where}.base_url goes with kind = 'openai'; the embedded model has an address of its own"
            )
        if not local and not own.model:
            example = "gpt-5-mini" if kind == "openai" else "anthropic:claude-sonnet-4-5"
            raise ValueError(f"{where}.model is needed for kind = {kind!r}, e.g. model = {example!r}")
        if kind == "langchain" and ":" not in (own.model or ""):
            raise ValueError(f"{where}.model = {own.model!r} needs its provider, e.g. 'anthropic:claude-sonnet-4-5'")
        if kind == "langchain" and own.prompting == "plain":
            raise ValueError(f"{where}.prompting = 'plain': a chat model of LangChain does not continue texts")
        free = 0.0 if local else None
        return cls(
            kind=kind,  # type: ignore[arg-type]
            model=own.model or "",
            base_url=own.base_url,
            api_key_env="none" if local else own.api_key_env or ("OPENAI_API_KEY" if kind == "openai" else ""),
            temperature=own.temperature,
            top_p=own.top_p,
            max_tokens=own.max_tokens or (400 if local else None),
            prompting=own.prompting or ("plain" if local else "chat"),
            timeout=own.timeout or (300 if local else 60),
            usd_input=free if own.usd_per_million_input is None else own.usd_per_million_input,
            usd_output=free if own.usd_per_million_output is None else own.usd_per_million_output,
            usd_cached=own.usd_per_million_cached_input,
            extra_body=own.extra_body,
        )

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


class BudgetSettings(BaseModel):
    """`[budget]`: where a run stops by itself; an unset limit does not exist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_usd: float | None = Field(default=None, gt=0)
    max_tokens: int | None = Field(default=None, ge=1)
    """Input and output together."""
    max_calls: int | None = Field(default=None, ge=1)
    """Calls that reached the server; answers from the cache are free."""
    max_minutes: float | None = Field(default=None, gt=0)
    """Of active time, earlier sittings of the same run included."""

    def check_prices(self, teacher: TeacherSettings) -> None:
        """Refuse a money limit that could not be kept.

        Raises:
            ConfigError: `max_usd` is set and the price of some role's model is not.
        """
        if self.max_usd is None or teacher.kind not in KINDS:
            return
        for role in ("", *sorted(teacher.roles)):
            if not teacher.role(role).priced:
                where = f"teacher.roles.{role}" if role else "teacher"
                raise ConfigError(
                    f"budget.max_usd = {self.max_usd} cannot be kept: the price of model "
                    f"{teacher.role(role).model!r} is unknown. Set {where}.usd_per_million_input and "
                    f"usd_per_million_output, or limit budget.max_tokens instead."
                )
