"""A finished student that labels texts."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ...tasks.base import Prediction, clean
from ...tasks.errors import ConfigError
from ...tasks.kinds.label_sets import LabelsPrediction
from ..base import Answering, Progress
from .confidence import UNKNOWN, Abstention, Confidence
from .texts import checked, each_value, no_text

log = logging.getLogger(__name__)

AT_ONCE = 512
"""Texts that are answered together."""

LONGEST = 1 << 20
"""Characters that are answered together, or one text."""

CUT = (
    "%d of %d texts are longer than the student reads (max_length under [student]); what comes after that was left out."
)


@dataclass(frozen=True)
class Predictor:
    """A finished student that labels texts. `evokd.load` opens one.

    Examples:
        >>> from evokd.testing import world
        >>> predictor = evokd.Predictor(world.student())
        >>> [prediction.label for prediction in predictor.predict(["soup with bread", "a goal in the match"])]
        ['food', 'sports']
    """

    student: Answering
    confidence: Confidence = UNKNOWN
    """What is known of its confidence; by default nothing, and its probabilities are as it gives them."""

    def predict(
        self,
        texts: Iterable[str],
        *,
        abstain: float | None = None,
        sets: float | None = None,
        progress: Progress | None = None,
    ) -> list[Prediction]:
        """Label texts.

        Args:
            texts: any finite iterable of strings: a list, a generator, a column of pandas, Arrow or `datasets`. All are
                checked before the first is labelled, and all are held in memory at once.
            abstain: share of the answers given that may be wrong, like .05. Predictions that are less sure than it
                takes are marked `abstained`. It is what is expected for texts like those that the threshold was found
                on, not a promise for others (`confidence.told_from`).
            sets: share of the texts whose set of labels, `possible`, may lack the right one, like .1. It holds where
                the texts are like the rows of the user's dev file.
            progress: called with the texts done and all there are.

        Returns:
            One prediction per text, in the order of the texts; an empty list for no texts. Probabilities lie between 0
            and 1.

        Raises:
            ConfigError: one of the texts is not a string (None, NaN, a number), `texts` is one single string or a whole
                table, or `abstain` or `sets` cannot be had.

        Examples:
            >>> from evokd.testing import world
            >>> predictor = evokd.Predictor(world.student())
            >>> predictor.predict(["soup with bread", float("nan")])
            Traceback (most recent call last):
            ...
            evokd.tasks.errors.ConfigError: text 1 (counted from 0) is nan, a float, not a string. Leave such rows ...
        """
        asked = self._asked(abstain, sets)
        known = checked(texts)
        order = sorted(range(len(known)), key=lambda number: len(known[number]))
        found: dict[int, Prediction] = {}
        for batch in _batches(known[number] for number in order):
            chosen = order[len(found) : len(found) + len(batch)]
            found.update(zip(chosen, self._answers(batch, asked), strict=True))
            if progress is not None:
                progress(len(found), len(known))
        if cut := sum(is_cut(prediction) for prediction in found.values()):
            log.warning(CUT, cut, len(found))
        return [found[number] for number in range(len(known))]

    def stream(
        self, texts: Iterable[str], *, abstain: float | None = None, sets: float | None = None
    ) -> Iterator[Prediction]:
        """The same for texts that do not fit into memory, or have no end: predictions in the order of the texts.

        It reads up to 512 texts ahead. One that is not a string ends the stream with the error that `predict` has,
        after the predictions of all texts before it.

        Examples:
            >>> from itertools import count, islice
            >>> from evokd.testing import world
            >>> predictor = evokd.Predictor(world.student())
            >>> endless = (f"soup number {number}" for number in count())
            >>> [prediction.label for prediction in islice(predictor.stream(endless), 2)]
            ['food', 'food']
        """
        return self._stream(each_value(texts), self._asked(abstain, sets))

    def predict_proba(self, texts: Iterable[str], *, progress: Progress | None = None) -> npt.NDArray[np.float64]:
        """The probability of every label, as scikit-learn has it.

        Args:
            texts: as `predict` has them.
            progress: called with the texts done and all there are.

        Returns:
            Shape (texts, labels), columns in the order of `classes_`. With one label a text each row sums to one; with
            several each column stands for itself.

        Raises:
            ConfigError: as `predict` has it; or the student finds entities.

        Examples:
            >>> from evokd.testing import world
            >>> predictor = evokd.Predictor(world.student())
            >>> predictor.predict_proba(["soup with bread", "a goal in the match"]).shape
            (2, 4)
        """
        classes = list(self.classes_)
        found = self.predict(texts, progress=progress)
        rows = np.array([[each.probabilities[name] for name in classes] for each in found], dtype=np.float64)
        return rows.reshape(len(found), len(classes))

    @cached_property
    def classes_(self) -> npt.NDArray[np.str_]:
        """The labels in the order of the columns of `predict_proba`, shape (labels).

        Raises:
            ConfigError: the student finds entities.

        Examples:
            >>> from evokd.testing import world
            >>> evokd.Predictor(world.student()).classes_.tolist()
            ['sports', 'money', 'science', 'food']
        """
        [some] = self.student.predict(["a text"])
        if not some.probabilities:
            raise ConfigError(
                "this student finds entities, so there are no labels of whole texts to have probabilities of, or to "
                "abstain from. Use predict: each span in `label` has its probability in `certainty`."
            )
        return np.array(list(some.probabilities))

    def abstention(self, risk: float) -> Abstention:
        """Where `predict(..., abstain=risk)` abstains, and what came of it on the texts that this was found on.

        Raises:
            ConfigError: the student finds entities, or the risk cannot be had.
        """
        _ = self.classes_
        return self.confidence.abstention(risk)

    def _asked(self, abstain: float | None, sets: float | None) -> tuple[float | None, float | None]:
        """The confidence below which it abstains, and the probability from which a label is possible."""
        return (
            None if abstain is None else self.abstention(abstain).threshold,
            None if sets is None else self.confidence.set_threshold(sets),
        )

    def _answers(self, texts: Sequence[str], asked: tuple[float | None, float | None]) -> Iterator[Prediction]:
        least, smallest = asked
        for raw in self.student.predict(texts):
            calibrated = raw.at_temperature(self.confidence.temperature)
            changes: dict[str, object] = {}
            if least is not None:
                changes["abstained"] = calibrated.probability < least
            if smallest is not None:
                ranked = sorted(raw.probabilities, key=raw.probabilities.__getitem__, reverse=True)
                changes["possible"] = (ranked[0], *(name for name in ranked[1:] if raw.probabilities[name] >= smallest))
            yield calibrated.model_copy(update=changes) if changes else calibrated

    def _stream(self, values: Iterator[object], asked: tuple[float | None, float | None]) -> Iterator[Prediction]:
        wrong: list[ConfigError] = []

        def strings() -> Iterator[str]:
            for place, value in enumerate(values):
                if not isinstance(value, str):
                    wrong.append(no_text(place, value))
                    return
                yield clean(value)

        for batch in _batches(strings()):
            yield from self._answers(batch, asked)
        for error in wrong:
            raise error


def is_cut(prediction: Prediction) -> bool:
    """Whether it is of a text of which only the beginning was read."""
    return isinstance(prediction, LabelsPrediction) and prediction.cut


def _batches(texts: Iterator[str]) -> Iterator[list[str]]:
    """Texts that are answered together, in order."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if len(batch) == AT_ONCE or size >= LONGEST:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
