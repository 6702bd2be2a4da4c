"""A student as a folder that leaves EvoKD: safetensors, ONNX in float32 and, if it says the same, in int8."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...tasks.base import Prediction
from ...tasks.errors import ConfigError, StepError
from ..codecs.base import compute
from ..encoder.reading import reading
from ..transformer import TransformerStudent
from .network import require_onnx, write_network
from .onnx import FULL, QUANTIZED, OnnxStudent, infer, open_session
from .parity import AGREEING, CHOSEN, CLOSE, ENOUGH, Comparison, Parity, Quantised, Trial, compare
from .quantise import Candidate, candidates

Show = Callable[[str], None]


def write_student(student: TransformerStudent, folder: Path, trial: Trial, show: Show) -> Parity:
    """Write a student into a new folder, in float32 and in int8.

    Args:
        student: one that has learnt.
        folder: where nothing is yet; half of it may be there if this is killed.
        trial: texts to compare by.
        show: called with what is being done.

    Raises:
        ConfigError: the packages of the extra `export` are missing, or the student has no tokenizer.json.
        StepError: torch cannot export the network, or what it exported does not say the same.
    """
    require_onnx()
    if not student.tokenizer.is_fast:
        raise ConfigError("The student's tokenizer is written in Python and has no tokenizer.json: it cannot leave.")
    show("writing the weights as safetensors")
    student.save(folder)
    (folder / FULL).parent.mkdir()
    show("writing the network as ONNX (about half a minute)")
    write_network(student.network, folder / FULL)
    return Export(student, folder, trial, show).check()


@dataclass(frozen=True)
class Export:
    """One student, written in float32 and under comparison."""

    student: TransformerStudent
    folder: Path
    trial: Trial
    show: Show

    def check(self) -> Parity:
        """Compare the network in float32, then look for one in int8 and write it.

        Raises:
            StepError: the network in float32 does not say the same.
        """
        self.show(f"comparing float32 with torch on {len(self.trial.judging)} texts")
        difference = self._difference()
        if not difference <= CLOSE:
            raise StepError(
                f"The network in ONNX differs from torch by {difference:.1g} in a logit, and {CLOSE} is allowed: "
                f"a {self.student.network.config.model_type} cannot be exported. Nothing was written."
            )
        size = _megabytes((self.folder / FULL).stat().st_size)
        found = Parity(difference=difference, texts=len(self.trial.judging), megabytes=size)
        if len(self.trial.judging) < ENOUGH:
            why = (
                f"there are {len(self.trial.judging)} texts to judge it by, and {ENOUGH} are needed: give the run a "
                "pool or a dev file"
            )
            return found.model_copy(update={"refused": why})
        return found.model_copy(update=self._quantise())

    def _difference(self) -> float:
        """The largest difference of a logit from torch, over the texts that judge and the extremes of size."""
        session = open_session(self.folder / FULL, self.student.settings.threads)
        seen = [0.0]

        def differ(ids: list[list[int]]) -> np.ndarray:
            exact = self.student.logits(ids)
            differences = np.abs(exact - infer(session, ids, self.student.tokenizer.pad_token_id))
            for own, row in zip(differences, ids, strict=True):
                seen.append(float((own[: len(row)] if own.ndim == 2 else own).max()))  # what follows is padding
            return exact

        compute(self.student.rows(self.trial.judging), differ)
        for ids in self._extremes():
            differ(ids)
        return float(np.max(seen))

    def _extremes(self) -> Iterator[list[list[int]]]:
        """Batches of one row and of many, from the shortest row to the longest that is read."""
        rng, size = random.Random(0), len(self.student.tokenizer)
        for count, length in ((1, 1), (1, 2), (64, 1), (64, 9), (1, self.student.limit), (2, self.student.limit)):
            yield [[rng.randrange(size) for _ in range(length)] for _ in range(count)]

    def _quantise(self) -> dict[str, Any]:
        """The fields of `Parity` that tell of int8."""
        import onnx

        choosing = self.trial.choosing
        expected = self.student.predict(choosing)
        found: Quantised | None = None
        ways = candidates(
            self.student.network,
            onnx.load(self.folder / FULL),
            self.student.rows(choosing).ids,
            self.student.tokenizer.pad_token_id,
            self.student.settings.threads,
        )
        for way in ways:
            said = compare(self.trial, choosing, expected, self._predict(way, choosing))
            self.show(f"int8, {way.way}: {said}")
            found = Quantised(way=way.way, chosen_by=said, megabytes=_megabytes(len(way.model)))
            if said.agreement >= CHOSEN:
                return self._judge(way, found)
        why = f"no way to it agrees on {CHOSEN:.2%} of the texts to choose by" if found else "no layer can be quantised"
        return {"int8": found, "refused": why}

    def _judge(self, way: Candidate, found: Quantised) -> dict[str, Any]:
        """Write the network in int8 if it passes on the texts that had no say."""
        texts = self.trial.judging
        judged = compare(self.trial, texts, self.student.predict(texts), self._predict(way, texts))
        self.show(f"int8, judged: {judged}")
        told = found.model_copy(update={"judged": judged})
        if not judged.is_faithful:
            return {"int8": told, "refused": _why(judged)}
        (self.folder / QUANTIZED).write_bytes(way.model)
        return {"int8": told}

    def _predict(self, way: Candidate, texts: Sequence[str]) -> list[Prediction]:
        student = self.student
        session = open_session(way.model, student.settings.threads)
        return OnnxStudent(session, reading(student.tokenizer), student.head, student.limit).predict(texts)


def _why(judged: Comparison) -> str:
    if judged.agreement < AGREEING:
        return f"it {judged}, and {AGREEING:.1%} are needed"
    return f"it {judged}, and half a point is the most it may lose"


def _megabytes(size: int) -> float:
    return round(size / 1e6, 1)
