"""What the user may write under `[teacher]` and `[budget]`."""

import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..tasks.errors import ConfigError
from .address import shown_address
from .endpoint import KINDS, Endpoint, RoleSettings


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
    local: LocalSettings = LocalSettings()
    roles: dict[str, RoleSettings] = Field(default_factory=dict)
    """Role name (`analyst`, `generator`, `annotator`, or your own) -> what differs."""

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
        self.role("")
        for name, own in self.roles.items():
            self._check_key(name, own)
        return self

    def _check_key(self, name: str, own: RoleSettings) -> None:
        """Refuse to hand the key of one server to another."""
        usual, other = self.role(""), self.role(name)
        is_elsewhere = own.base_url is not None and urlsplit(other.url).netloc != urlsplit(usual.url).netloc
        if is_elsewhere and usual.kind == other.kind and own.api_key_env is None and other.api_key_env != "none":
            raise ValueError(
                f"roles.{name}.api_key_env is needed: {shown_address(other.url)} is another server, and the key in "
                f"{usual.api_key_env} is not sent there. Name the variable that holds its key, or 'none'."
            )

    @property
    def own_kinds(self) -> tuple[str, ...]:
        """Every kind that is named and is not ours, once."""
        kinds = (self.kind, *(role.kind for role in self.roles.values()))
        return tuple(dict.fromkeys(kind for kind in kinds if kind and kind not in KINDS))

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
        elif own.model or own.base_url:  # another model, or the same elsewhere: it has a price of its own
            merged = {field: value for field, value in merged.items() if not field.startswith("usd_")}
        merged |= {field: getattr(own, field) for field in own.model_fields_set}
        return Endpoint.of(
            kind, RoleSettings(**{**merged, "kind": kind}), f"teacher.roles.{name}" if name else "teacher"
        )


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
        if self.max_usd is None:
            return
        for role in ("", *sorted(teacher.roles)):
            if not teacher.role(role).priced:
                where = f"teacher.roles.{role}" if role else "teacher"
                raise ConfigError(
                    f"budget.max_usd = {self.max_usd} cannot be kept: the price of model "
                    f"{teacher.role(role).model!r} is unknown. Set {where}.usd_per_million_input and "
                    f"usd_per_million_output, or limit budget.max_tokens instead."
                )
