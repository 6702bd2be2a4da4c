"""A finished student that labels texts."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...tasks.base import Prediction, clean
from ...tasks.errors import ConfigError
from ..base import Answering


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

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """Label texts.

        Args:
            texts: any finite iterable of strings: a list, a generator, a column of a data frame. All are checked before
                the first is labelled, and all are held in memory at once.

        Returns:
            One prediction per text, in the order of the texts; an empty list for no texts. Probabilities lie between 0
            and 1.

        Raises:
            ConfigError: one of the texts is not a string (None, NaN, a number), or `texts` is one single string.

        Examples:
            >>> from evokd.testing import world
            >>> predictor = evokd.Predictor(world.student())
            >>> predictor.predict(["soup with bread", float("nan")])
            Traceback (most recent call last):
            ...
            evokd.tasks.errors.ConfigError: text 1 (counted from 0) is nan, a float, not a string. Drop such rows, ...
        """
        checked = _checked(texts)
        return self.student.predict(checked) if checked else []


def _checked(texts: Iterable[object]) -> list[str]:
    """The texts as a list, without halves of characters, which no tokenizer can read."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise ConfigError(
            f"predict takes a list of strings, not {texts!r:.60}. Of a single text make one: predict([text])."
        )
    checked = []
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise ConfigError(
                f"text {place} (counted from 0) is {text!r:.60}, a {type(text).__name__}, not a string. Drop such "
                "rows, or turn them into strings first."
            )
        checked.append(clean(text))
    return checked
