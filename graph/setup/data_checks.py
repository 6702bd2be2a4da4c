"""What a user should know of the texts before anything is paid: they are cut, or the encoder cannot read them."""

import logging
from collections.abc import Sequence
from statistics import median_high

from ...agents.generator.lengths import tokens_of
from ...memory.embedder import Embedder
from ...student.codecs.windows import parted
from ...tasks.base import Example, Span
from ...tasks.entities.cells import UNIT
from ...tasks.task import Task
from ..config.run_config import RunConfig

log = logging.getLogger(__name__)

LATIN = "\u024f"
"""The last letter of the Latin script, most of which every encoder knows."""

UNKNOWN = 0.2
"""Share of unknown tokens that is worth a warning."""


def warn_of_cut_texts(config: RunConfig, task: Task, texts: Sequence[str]) -> None:
    """Warn where the student reads only the beginning of most texts; where entities are sought it reads all of them."""
    usual, read = median_high(map(tokens_of, texts)), config.student.max_length
    if task.head != "token" and usual > read:
        log.warning(
            "Half of the texts have about %d tokens or more; the student reads the first %d of each. To have it read "
            "more, raise max_length under [student] (most encoders take 512): training then takes longer.",
            usual,
            read,
        )


def warn_of_split_entities(task: Task, examples: Sequence[Example]) -> None:
    """Warn where entities of the user's own begin or end inside what the student reads as a word."""
    if task.head != "token":
        return
    spans = {example.text: [(s.start, s.end) for s in example.label if isinstance(s, Span)] for example in examples}
    cut = [(text[start:end], text) for text, own in spans.items() for start, end in parted(text, own)]
    if cut:
        log.warning(
            "%d of %d entities of your examples begin or end inside what the student reads as one word, so that it can "
            "neither learn nor find them as they are: %r in %r. Mark whole words there. %s.",
            len(cut),
            sum(map(len, spans.values())),
            *cut[0],
            UNIT,
        )


def warn_of_unknown_script(config: RunConfig, texts: Sequence[str]) -> None:
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
