"""What is known of a student's confidence, kept beside it: its temperature, and how often its answers were right.

All of it comes from texts that the student, or others fitted like it, had not learnt. It is kept in `confidence.json`
in the student's folder. The temperature also stands in `config.json`, for programs that know the folder as a model of
transformers.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ...tasks.base import Frozen
from ...tasks.errors import ConfigError
from ...tasks.files import write_text

NAME = "confidence.json"

TEMPERATURE = "evokd_temperature"
"""In a student's config.json."""

FEWEST_FOR_SETS = 100
"""Rows of the user's own from which sets of labels are given. What is promised holds on average over draws of these
rows: a promise of 90 % from 100 of them is kept with 84 to 95 % in nineteen draws of twenty."""

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Temperature = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Abstention:
    """From which confidence on answers are given, and what came of it on the texts that it was found on."""

    threshold: float
    n: int
    answered: int
    wrong: int

    @property
    def expected(self) -> float:
        """Share of wrong answers: one more than were given counts, and counts as wrong."""
        return (self.wrong + 1) / (self.answered + 1)


class Confidence(Frozen):
    """A temperature, and what the student's answers were worth at it, the surest first."""

    temperature: Temperature = 1.0
    source: Literal["none", "out of fold", "dev"] = "none"
    """Whose answers these were: of others to the training texts, each without that text; or its own to dev rows."""
    confidences: tuple[Share, ...] = ()
    """Probability of each answer, calibrated."""
    right: tuple[bool, ...] = ()
    """Whether that answer was right as a whole."""
    of_label: tuple[Share, ...] = ()
    """Probability of each right label as the student gave it, without the temperature, which has been fitted on the
    same texts; of dev rows with one label a text alone."""

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len(self.confidences) != len(self.right):
            raise ValueError("confidences and right are not equally many")
        return self

    @property
    def told_from(self) -> str:
        """The texts, as part of a sentence."""
        texts = {"dev": "rows of your dev file", "out of fold": "training texts, each answered by a fit without it"}
        return f"{len(self.right)} {texts.get(self.source, 'texts')}"

    def abstention(self, risk: float) -> Abstention:
        """The lowest confidence at which at most a share of `risk` of the answers is expected to be wrong.

        As one more answer than were given counts as wrong, it takes 19 right ones for a risk of 5 %.

        Raises:
            ConfigError: the risk is no share, nothing is known, or not even the surest answers are so often right.
        """
        _check_share("abstain", risk)
        if not self.right:
            raise ConfigError(
                f"abstain = {risk:g} needs answers whose truth is known, and there is no {NAME} beside this "
                "student. Only students of a finished run have one."
            )
        curve = list(self._curve())
        good = [point for point in curve if point.expected <= risk]
        if not good:
            best = min(curve, key=lambda point: point.expected)
            raise ConfigError(
                f"abstain = {risk:g} cannot be reached: of {self.told_from}, {best.wrong} of the {best.answered} "
                f"surest answers are wrong, so {best.expected:.1%} is the least to expect. Allow more, or give the run "
                "more texts or a dev file."
            )
        return good[-1]

    def _curve(self) -> Iterator[Abstention]:
        """Risk and coverage at every confidence there is, from the surest on."""
        ranked = sorted(zip(self.confidences, self.right, strict=True), key=lambda pair: -pair[0])
        answered = wrong = 0
        for threshold, equals in groupby(ranked, key=lambda pair: pair[0]):
            hits = [hit for _, hit in equals]
            answered, wrong = answered + len(hits), wrong + hits.count(False)
            yield Abstention(threshold, len(ranked), answered, wrong)

    def set_threshold(self, risk: float) -> float:
        """The probability, without temperature, from which a label belongs into the set of a text.

        Split conformal prediction (Vovk et al.; "least ambiguous" sets of Sadinle et al. 2019): where the texts to come
        are like the dev rows, a set holds the right label in at least a share of 1 - `risk` of all texts. The share is
        one over texts and draws of the dev rows, not one for every class.

        Raises:
            ConfigError: the risk is no share, or there are too few rows that did not train.
        """
        _check_share("sets", risk)
        if len(self.of_label) < FEWEST_FOR_SETS:
            raise ConfigError(
                f"sets = {risk:g} needs at least {FEWEST_FOR_SETS} rows of your own in the run's dev file, with one "
                f"label a text, and has {len(self.of_label)}: texts that a teacher wrote promise nothing about yours."
            )
        place = math.floor((len(self.of_label) + 1) * risk)
        return sorted(self.of_label)[place - 1] if place else 0.0

    def write(self, folder: Path) -> None:
        """Write `confidence.json`, whole or not at all."""
        write_text(folder / NAME, self.model_dump_json())


UNKNOWN = Confidence()
"""Nothing: probabilities stay as the student gives them."""


def read_confidence(folder: Path) -> Confidence:
    """What is known of the confidence of the student in a folder; of one without any, a temperature of one.

    Raises:
        ConfigError: a file is damaged.
    """
    if (path := folder / NAME).is_file():
        return _read(path, Confidence.model_validate)
    if (path := folder / "config.json").is_file():
        return _read(path, lambda said: Confidence(temperature=said.get(TEMPERATURE, 1.0)))
    return UNKNOWN


def note_temperature(folder: Path, temperature: float) -> None:
    """Write a temperature into the `config.json` of a student that is a model of transformers; others have none."""
    path = folder / "config.json"
    if path.is_file():
        config = json.loads(path.read_text(encoding="utf-8")) | {TEMPERATURE: temperature}
        write_text(path, json.dumps(config, ensure_ascii=False, indent=2) + "\n")


def _read(path: Path, make: Callable[[dict[str, Any]], Confidence]) -> Confidence:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(said, dict):
            raise ValueError("it holds no JSON object")
        return make(said)
    except (OSError, ValueError, RecursionError) as error:  # pydantic's is a ValueError
        first = " ".join(str(error).splitlines()[:3])
        raise ConfigError(
            f"{path} cannot be read ({type(error).__name__}: {first}). Put it back from a copy of the student."
        ) from None


def _check_share(name: str, risk: float) -> None:
    if not 0 < risk < 1:
        raise ConfigError(f"{name} = {risk!r} must be a share of wrong answers between 0 and 1, like 0.05.")
