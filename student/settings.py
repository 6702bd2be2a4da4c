"""What the user may write under `[student]`."""

from pydantic import Field

from tasks.base import Frozen


class StudentSettings(Frozen):
    """The encoder and how it is trained. The defaults were measured for one to a few hundred texts per class."""

    kind: str = "transformer"
    """`transformer`, or `module:Class` for a part of your own."""
    model: str = "minilm"
    """`minilm` (22 M parameters, comes with the install), or the folder or hub id of any Hugging Face encoder."""
    max_length: int = Field(default=128, ge=8)
    """Word pieces; longer texts are cut."""
    epochs: int = Field(default=4, ge=0)
    """Passes over the texts, within `min_steps` and `max_steps`; past `max_steps` at least three passes."""
    min_steps: int = Field(default=24, ge=0)
    max_steps: int = Field(default=160, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    head_learning_rate: float = Field(default=1e-3, gt=0)
    freeze: int = Field(default=0, ge=0)
    """Lower layers that are not trained. Four of MiniLM's six make a fit about two and a half times as fast, for topics
    and intents at little cost; it costs points on sentiment."""
    threads: int = Field(default=1, ge=1)
    """CPU threads. One is fastest where anything else computes."""
    device: str = "auto"
    """`auto` (a GPU if there is one), `cpu`, `cuda`, `cuda:1`, `mps`, ..."""
