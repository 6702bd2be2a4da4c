"""What the cards are written from: a student's own files, and what its run knows."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from ....tasks.base import Frozen, Source
from ....tasks.errors import ConfigError
from ....tasks.metrics import Score
from ...codecs.base import LENGTH
from ...codecs.by_name import describe

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
"""Where the encoder of `model = "minilm"` comes from; it is under Apache-2.0."""

HUB_ID = re.compile(r"(?:[A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*")
"""A model of the hub; paths of the author's machine do not look like one, or are there."""


class Told(BaseModel):
    """Part of a file of a run: what else stands there is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Calibration(Told):
    """How far probabilities were from the truth on the test file, without and with the temperature."""

    class Side(Told):
        """One of the two."""

        n: int
        ece: float | None = None
        brier: float | None = None

    temperature: float
    source: str
    n: int
    before: Side
    after: Side


class Agreement(Told):
    """The score on texts that the teacher labelled and the champion had not learnt."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int
    texts: str = ""


class Result(Told):
    """What the test file said (`result.json`)."""

    metric: str
    before: Score = Field(alias="seeds only")
    after: Score = Field(alias="champion score")
    seen: int = Field(default=0, alias="training texts that stand in the test set")
    agreement: Agreement | None = Field(default=None, alias="agreement with the teacher")
    calibration: Calibration | None = None
    details: Mapping[str, float] = {}


class Texts(Frozen):
    """What the student has learnt."""

    sources: dict[Source, int]
    """Why a text exists -> how many there are; those of the gate count."""
    teachers: tuple[str, ...] = ()
    """Names of the models that labelled them."""

    @property
    def written(self) -> int:
        """How many a teacher wrote."""
        return self.total - self.own

    @property
    def own(self) -> int:
        """How many are the user's own: examples, and texts of the pool."""
        return self.sources.get("gold", 0) + self.sources.get("pool", 0)

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.sources.values())


class RunFacts(Frozen):
    """What a run knows of its student; no path, address or key is part of it."""

    name: str
    description: str
    noun: str
    labels: dict[str, str]
    """Label -> what it means, as the teacher was told."""
    encoder: str
    writer: str
    """Name of the model that wrote texts."""
    embedded: bool
    """Whether every teacher was the model that EvoKD brings along."""
    texts: Texts
    result: Result | None = None


class Shape(Frozen):
    """What a student's `config.json` says."""

    head: str
    labels: tuple[str, ...]
    limit: int
    """Tokens of a text that it reads at once."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The shape of the student in a folder.

        Raises:
            ConfigError: its config.json is damaged.
        """
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        found, limit = describe(config), config.get(LENGTH)
        if not isinstance(limit, int):
            raise ConfigError(f"{LENGTH} in {folder / 'config.json'} should be a number of tokens, not {limit!r:.60}.")
        return cls(head=found.name, labels=tuple(found.labels), limit=limit)

    @property
    def pipeline(self) -> str:
        """The hub's name of the task."""
        return "token-classification" if self.head == "token" else "text-classification"


def base_model(encoder: str) -> str | None:
    """The encoder as the hub knows it; None for a folder of the author's."""
    if encoder == "minilm":
        return MINILM
    is_there = Path(encoder).expanduser().exists()
    return encoder if HUB_ID.fullmatch(encoder) and not is_there else None
