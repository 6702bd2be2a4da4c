"""The student: a Hugging Face encoder with a head, trained, asked, and saved as safetensors."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from langsmith import traceable

from ..tasks.base import Example, Prediction
from ..tasks.errors import ConfigError
from .base import Progress
from .codecs.base import LENGTH, Rows, compute
from .encoder.loading import (
    automatic,
    check_freeze,
    encoder_path,
    encoder_width,
    new_network,
    open_tokenizer,
    quiet,
)
from .encoder.reading import reading
from .encoder.shortcuts import padded
from .heads.base import Head
from .heads.by_name import head_in, head_named
from .serving.confidence import TEMPERATURE
from .settings import BY_ENCODER, StudentSettings
from .training.balance import class_weights
from .training.fitting import Fitting, Material


@dataclass
class TransformerStudent:
    """One small model. A fresh one is fitted from the encoder, a loaded one goes on from where it was."""

    network: Any
    tokenizer: Any
    head: Head[Any]
    settings: StudentSettings
    seed: int
    warm: bool = field(default=False, init=False)
    """Whether it has learnt before."""

    @property
    def labels(self) -> list[str]:
        """The labels of the task, in order."""
        return list(self.head.labels)

    def fit(
        self,
        examples: Sequence[Example],
        progress: Progress | None = None,
        *,
        balance: bool = False,
        imitated: Sequence[Example] = (),
    ) -> None:
        """Learn; soft labels as probabilities, where the head can. The trace shows counts, never texts.

        Args:
            examples: labelled texts.
            progress: called with the steps done and all there are.
            balance: let every class of the examples count the same (`student.training.balance.class_weights`).
            imitated: further texts with what another student says of them; each counts as one text.

        Raises:
            ValueError: there are no examples.
            ConfigError: an example has a label that the student does not know.
        """
        if not examples:
            raise ValueError("A student cannot be fitted on no examples.")
        learnt = [*examples, *imitated]
        weights = [*(class_weights(examples) if balance else [1.0] * len(examples)), *[1.0] * len(imitated)]

        @traceable(name="student.fit", run_type="chain", tags=["student"])
        def fit(texts: int, labels: int, warm: bool, seed: int) -> dict[str, int]:
            return {"texts": texts, "steps": self._fit(learnt, weights, progress)}

        fit(texts=len(learnt), labels=len(self.labels), warm=self.warm, seed=self.seed)

    def _fit(self, examples: Sequence[Example], counting: Sequence[float], progress: Progress | None) -> int:
        torch.manual_seed(self.seed)
        rows = self.rows([example.text for example in examples]).learnt
        targets = self.head.targets(examples, rows)
        weights = torch.tensor([counting[number] for number in rows.whose])
        material = Material(rows.ids, targets, weights / weights.mean())
        recipe = self.settings.recipe(self.head.recipe, self.network.config.hidden_size)
        fitting = Fitting(self.network, self.head, recipe, self.tokenizer.pad_token_id, self.seed)
        self._forget()
        steps = fitting.fit(material, self.warm, progress)
        self.warm = True
        return steps

    @torch.inference_mode()
    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text, in order."""
        rows = self.rows(texts)
        return self.head.predictions(compute(rows, self.logits), rows)

    @torch.inference_mode()
    def logits(self, ids: list[list[int]]) -> np.ndarray:
        """The network's answer to rows of token ids, shape (rows, outputs) or (rows, tokens, outputs)."""
        device = next(self.network.parameters()).device
        found: np.ndarray = self.network(**padded(ids, self.tokenizer.pad_token_id, device)).logits.cpu().numpy()
        return found

    @torch.no_grad()
    def average(self, others: Iterable[Self]) -> None:
        """Take the mean of its own weights and those of others that were fitted from the same start.

        One of the others is held at a time.
        """
        weights = {name: tensor for name, tensor in self.network.state_dict().items() if tensor.is_floating_point()}
        places = {tensor.data_ptr(): name for name, tensor in weights.items()}  # tied weights are there once
        own = {name: weights[name] for name in places.values()}
        count = 1
        for other in others:
            count += 1
            theirs = other.network.state_dict()
            for name, tensor in own.items():
                tensor += theirs[name].to(tensor.device)
        for tensor in own.values():
            tensor /= count
        self._forget()

    def calibrate(self, examples: Sequence[Example]) -> None:
        """Set decision thresholds on held-out examples, for heads that have any; saved with the student."""
        if self.head.thresholded:
            self.head.calibrate(examples, self.predict([example.text for example in examples]))

    def _forget(self) -> None:
        """Forget thresholds and temperature: the network is about to change, or has changed."""
        self.head.reset()
        vars(self.network.config).pop(TEMPERATURE, None)

    def save(self, folder: Path) -> None:
        """Write beside the folder, then rename: what is there is whole."""
        aside, before = (folder.with_name(f".{folder.name}.{state}") for state in ("aside", "before"))
        for left in (aside, before):  # by a save that was killed
            shutil.rmtree(left, ignore_errors=True)
        for key, value in {**self.head.notes, LENGTH: self.limit}.items():
            setattr(self.network.config, key, value)
        self.tokenizer.model_max_length = self.limit  # for whoever opens the folder without us
        self.network.save_pretrained(aside)
        self.tokenizer.save_pretrained(aside)
        for weights in aside.glob("*.safetensors"):  # written for their owner alone, unlike all other files
            weights.chmod((aside / "config.json").stat().st_mode)
        if folder.exists():
            folder.rename(before)
        aside.rename(folder)
        shutil.rmtree(before, ignore_errors=True)

    def rows(self, texts: Sequence[str]) -> Rows:
        """The texts as rows of token ids."""
        rows: Rows = self.head.rows(reading(self.tokenizer), texts, self.limit)
        return rows

    @property
    def limit(self) -> int:
        """Tokens that are read: the setting, or what the encoder has positions for, two of which are some families'."""
        positions = int(getattr(self.network.config, "max_position_embeddings", 0) or 0)
        positions = positions if positions > 0 else 10**9
        known = int(self.tokenizer.model_max_length)
        taken = 2 if known > positions else 0
        for name, module in self.network.named_modules():
            if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
                taken = int(module.padding_idx) + 1  # RoBERTa and its kin count from there
        return min(self.settings.max_length, known, positions - taken)


@dataclass(frozen=True)
class TransformerStudents:
    """The factory of a run's students."""

    settings: StudentSettings
    labels: tuple[str, ...]
    head: str = "sequence"
    """Name of the kind of head: `sequence`, `multilabel` or `token`."""

    def new(self, seed: int) -> TransformerStudent:
        """A fresh student from the encoder; `seed` decides the order of the texts.

        New weights are the same for all: the mean of students that began apart is worse than each of them.

        Raises:
            ConfigError: `student.model`, `freeze` or `device` cannot be used, or there is no such head.
        """
        torch.manual_seed(0)
        head = head_named(self.head)(self.labels)
        network = new_network(self.settings.model, head)
        student = _student(network, encoder_path(self.settings.model), head, self.settings, seed)
        student.tokenizer = head.prepare(student.tokenizer)
        return student

    def assistant(self) -> "TransformerStudents | None":
        """The factory of the assistant, which is trained by the recipe of its own encoder; None where none is named."""
        if self.settings.assistant is None:
            return None
        own = {"model": self.settings.assistant, "assistant": None, **dict.fromkeys(BY_ENCODER)}
        return replace(self, settings=self.settings.model_copy(update=own))

    def with_recipe(self) -> StudentSettings:
        """The settings with the recipe of their head and encoder written out, where the user left any of it out.

        Raises:
            ConfigError: `student.model` cannot be used, or `student.freeze` does not fit it.
        """
        head = head_named(self.head)(self.labels)
        width = encoder_width(self.settings.model, head, self.settings.freeze)
        recipe = self.settings.recipe(head.recipe, width)
        return self.settings.model_copy(update=dict(recipe))

    def load(self, folder: Path, seed: int = 0) -> TransformerStudent:
        """The student saved in `folder`.

        Raises:
            ConfigError: the folder holds none, or one of other labels or for another kind of task.
        """
        student = load_student(folder, self.settings, seed)
        if not isinstance(student.head, head_named(self.head)):
            raise ConfigError(f"The student in {folder} has not the head that the task needs, {self.head!r}.")
        if set(student.labels) != set(self.labels):
            raise ConfigError(
                f"The student in {folder} knows the labels {', '.join(student.labels)}, the task has "
                f"{', '.join(self.labels)}. Start a new run for another set of labels."
            )
        return student


def load_student(folder: Path, settings: StudentSettings | None = None, seed: int = 0) -> TransformerStudent:
    """A saved student, of a run or on its own.

    Raises:
        ConfigError: the folder holds none.
    """
    from transformers import AutoConfig

    quiet()
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise ConfigError(f"{folder} holds no student: there is no {name} in it.")
    try:
        head = head_in(AutoConfig.from_pretrained(folder, trust_remote_code=False))
        network = automatic(head).from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:  # whatever a damaged file breaks in foreign code
        raise ConfigError(f"The student in {folder} cannot be read: {str(error).strip().splitlines()[0]}") from error
    settings = settings or StudentSettings(max_length=_length(network.config))
    student = _student(network, str(folder), head, settings, seed)
    student.warm = True
    return student


def _student(network: Any, path: str, head: Head[Any], settings: StudentSettings, seed: int) -> TransformerStudent:
    check_freeze(network, settings.freeze)
    tokenizer = open_tokenizer(path, network.config)
    torch.set_num_threads(settings.threads)
    return TransformerStudent(network.eval().to(_device(settings.device)), tokenizer, head, settings, seed)


def _length(config: Any) -> int:
    """What a saved student reads of a text."""
    found = getattr(config, LENGTH, None)
    return found if isinstance(found, int) and found >= 8 else StudentSettings().max_length


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).strip().splitlines()[0]
        raise ConfigError(f"student.device = {name!r} cannot be used here ({first}). Try 'auto' or 'cpu'.") from error
    return device
