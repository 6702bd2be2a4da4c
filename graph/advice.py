"""What a user should know of the texts before anything is paid: they are cut, or the encoder cannot read them."""

import logging
from collections.abc import Sequence
from statistics import median_high

from agents.lengths import tokens_of
from graph.config import RunConfig
from memory.embedder import Embedder
from tasks.task import Task

log = logging.getLogger(__name__)

LATIN = "\u024f"
"""The last letter of the Latin script, most of which every encoder knows."""

UNKNOWN = 0.2
"""Share of unknown tokens that is worth a warning."""


def tell_cut(config: RunConfig, task: Task, texts: Sequence[str]) -> None:
    """Warn where the student reads only the beginning of most texts; where entities are sought it reads all of them."""
    usual, read = median_high(map(tokens_of, texts)), config.student.max_length
    if task.head != "token" and usual > read:
        log.warning(
            "Half of the texts have about %d tokens or more; the student reads the first %d of each. To have it read "
            "more, raise max_length under [student] (most encoders take 512): training then takes longer.",
            usual,
            read,
        )


def tell_unknown(config: RunConfig, texts: Sequence[str]) -> None:
    """Warn where the encoder has no tokens for the script of the texts: then it takes each for the other."""
    letters = [letter for text in texts for letter in text if letter.isalpha()]
    if sum(letter > LATIN for letter in letters) <= UNKNOWN * len(letters):
        return  # what follows takes a second
    share = Embedder(config.memory.embedder).unknown(texts)
    if share > UNKNOWN:
        log.warning(
            "memory.embedder = %r does not know %.0f %% of what your texts consist of, and takes texts for duplicates "
            "that are none. Set it, and model under [student] (it is %r), to encoders of your language.",
            config.memory.embedder,
            100 * share,
            config.student.model,
        )
