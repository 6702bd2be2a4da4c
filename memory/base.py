"""What the agents may ask of the memory they share."""

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol, runtime_checkable
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from ..tasks.base import ErrorCase, Example, Frozen, Lesson, Split

Status = Literal["kept", "candidate", "shelved", "too hard", "quarantined"]
"""A train example is a `candidate` until the gate decides; then `kept` or `shelved`. One that is `too hard` never
came to the gate: it would teach this student the reverse of what it says. It is tried again when the student has grown.
`quarantined` examples could not be labelled with confidence. `shelved` and `quarantined` ones are never trained on."""

Vectors = npt.NDArray[np.float32]


class MemorySettings(Frozen):
    """The `[memory]` section of a configuration."""

    embedder: str = "minilm"
    """`minilm` (comes with the install), or the folder or hub id of another encoder with safetensors weights."""
    duplicate_cosine: float = Field(default=0.95, gt=0, le=1)
    """Two texts with a larger cosine than this count as the same."""
    server: str | None = None
    """`http://host:port` of a Chroma server (`chroma run`); by default the memory lies in the run's folder."""

    @field_validator("server")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            address = urlsplit(value)
            is_sound = address.scheme in ("http", "https") and bool(address.hostname and address.port)
        except ValueError:  # what cannot be a port
            is_sound = False
        if not is_sound or "@" in address.netloc or address.path.strip("/") or address.query or address.fragment:
            raise ValueError("must be the address of a Chroma server and no more: http://host:port")
        return value


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> str:
        """What tells vectors of two encoders apart: name and hash of the weights."""

    @property
    def dim(self) -> int:
        """Numbers in a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, shape (texts, dim)."""


@runtime_checkable
class Memory(Protocol):
    """Samples, errors and lessons on disk. Every write is idempotent: a node that runs twice changes nothing twice.

    What that means for a step that is killed and run again from its start:

    * An example remembered again with the same content is left as it is, **its status too**: after `mark(ids, "kept")`
      a second `remember(..., status="candidate")` of the same batch does not undo the verdict. Only `mark` changes the
      status of an example whose content stays the same.
    * With another content (another label, other votes) it is replaced, and gets the status of that call.
    * A held-out text is never a sample: `remember` of a gate, dev or test example takes its id out of the samples and
      errors, and a train example or error with a held-out id is left out and logged. Whichever comes first, the end is
      the same.
    * A step that decides over a batch must name the batch by its ids (they are in the state), never by its status
      (`samples("train", "candidate")`): when it runs again, its first run may have marked them already.

    Examples:
        >>> from evokd.testing import ListMemory
        >>> memory: evokd.Memory = ListMemory()
        >>> memory.remember([evokd.Example(text="soup with bread", label="food")])
        >>> memory.novel(["Soup with  bread", "a planet and its orbit"]), memory.embed(["a", "b"]).shape
        (['duplicate', None], (2, 256))
    """

    def remember(
        self,
        examples: Iterable[Example] = (),
        errors: Iterable[ErrorCase] = (),
        lessons: Iterable[Lesson] = (),
        status: Status = "kept",
        reason: str = "",
    ) -> None:
        """Insert or replace by id. Held-out examples (gate, dev, test) go to a collection no search ever reads.

        Held-out examples are always `kept`. Of test examples only `novel` is told: nothing gives them back. An error is
        one case per cycle and example, a lesson one per id.

        Raises:
            ValueError: an error case whose example is held out.
        """

    def mark(self, ids: Sequence[str], status: Status, reason: str = "") -> None:
        """Change the status of examples already remembered; ids that are no sample are left out and logged."""

    def samples(self, split: Split, status: Status = "kept") -> list[Example]:
        """Examples of a split, in the order they came: cycle, then id.

        Those of gate and dev are for scoring only; of `test` there are none, as no agent scores it.
        """

    def get(self, ids: Sequence[str]) -> list[Example]:
        """Seed and train examples by id, in the order asked; unknown and held-out ids are left out."""

    def reasons(self, status: Status) -> dict[str, str]:
        """Id -> why it is quarantined, shelved or too hard ("" where no reason was given)."""

    def errors(self, cycle: int | None = None) -> list[ErrorCase]:
        """All error cases, or those of one cycle; by cycle, then id."""

    def lessons(self) -> list[Lesson]:
        """All lessons, oldest first."""

    def similar(self, text: str, k: int) -> list[ErrorCase]:
        """The k nearest past errors by embedding, nearest first. Never of a held-out text."""

    def novel(self, texts: Sequence[str]) -> list[str | None]:
        """For each text: None if it is new, else why it is refused.

        Reasons: `held-out` (near a gate, dev or test text; told first), `duplicate` (near a sample of any status, or
        near an earlier text of the same call that was found new). Near is: the same normalised text, or a cosine above
        `duplicate_cosine`. The comparison is exact, however many there are; only of a test file, which may be large,
        a memory may compare the vectors of a part, and the normalised texts of all.
        """

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row per text; a text is encoded once in the life of the object."""

    def close(self) -> None:
        """Release the files."""
