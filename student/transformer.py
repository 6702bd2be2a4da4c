"""The student: a Hugging Face encoder with a classification head, trained, asked, and saved as safetensors."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from langsmith import traceable

from student.base import Progress
from student.encoder import check_freeze, encoder_path, new_classifier, open_tokenizer, quiet
from student.settings import StudentSettings
from student.shortcuts import padded
from student.training import Fitting
from tasks.base import Example, Prediction
from tasks.errors import ConfigError

BATCH = 64
"""Texts per forward pass of a prediction."""


@dataclass
class TransformerStudent:
    """One classifier. A fresh one is fitted from the encoder, a loaded one goes on from where it was."""

    network: Any
    tokenizer: Any
    settings: StudentSettings
    seed: int
    warm: bool

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the outputs."""
        return [self.network.config.id2label[number] for number in range(self.network.config.num_labels)]

    def fit(self, examples: Sequence[Example], progress: Progress | None = None) -> None:
        """Learn; soft labels as distributions. The trace shows how many texts there were, never the texts.

        Raises:
            ValueError: there are no examples.
            ConfigError: an example has a label that the student does not know.
        """
        if not examples:
            raise ValueError("A student cannot be fitted on no examples.")

        @traceable(name="student.fit", run_type="chain", tags=["student"])
        def fit(texts: int, labels: int, warm: bool, seed: int) -> dict[str, int]:
            return {"texts": texts, "steps": self._fit(examples, progress)}

        fit(texts=len(examples), labels=len(self.labels), warm=self.warm, seed=self.seed)

    def _fit(self, examples: Sequence[Example], progress: Progress | None) -> int:
        torch.manual_seed(self.seed)
        targets = torch.tensor([self._target(example) for example in examples])
        tokens = self._tokens([example.text for example in examples])
        fitting = Fitting(self.network, self.settings, self.tokenizer.pad_token_id, self.seed)
        steps = fitting.fit(tokens, targets, self.warm, progress)
        self.warm = True
        return steps

    @torch.inference_mode()
    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text, in order."""
        tokens = self._tokens(texts)
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
        found: dict[int, Prediction] = {}
        device = next(self.network.parameters()).device
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            batch = padded([tokens[i] for i in chosen], self.tokenizer.pad_token_id, device)
            shares = torch.softmax(self.network(**batch).logits.double(), dim=-1).cpu().tolist()
            found.update({i: self._prediction(row) for i, row in zip(chosen, shares, strict=True)})
        return [found[i] for i in range(len(texts))]

    def save(self, folder: Path) -> None:
        """Write beside the folder, then rename: what is there is whole."""
        aside, before = (folder.with_name(f".{folder.name}.{state}") for state in ("aside", "before"))
        for left in (aside, before):  # by a save that was killed
            shutil.rmtree(left, ignore_errors=True)
        self.network.save_pretrained(aside)
        self.tokenizer.save_pretrained(aside)
        if folder.exists():
            folder.rename(before)
        aside.rename(folder)
        shutil.rmtree(before, ignore_errors=True)

    def _target(self, example: Example) -> list[float]:
        soft = example.soft or {example.label: 1.0}
        shares = [soft.get(label, 0.0) for label in self.labels]
        total = sum(shares)
        if total <= 0:
            raise ConfigError.unknown(f"Example {example.id}: label", example.label, self.labels)
        return [share / total for share in shares]

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, cut, never empty."""
        if not texts:
            return []
        clean = [text.encode("utf-8", "replace").decode() for text in texts]  # half an emoji is no text to a tokenizer
        ids = self.tokenizer(clean, truncation=True, max_length=self._limit())["input_ids"]
        return [each or [self.tokenizer.pad_token_id] for each in ids]

    def _limit(self) -> int:
        """Tokens that are read: the setting, or what the encoder has positions for, two of which are some families'."""
        positions = int(getattr(self.network.config, "max_position_embeddings", 0) or 10**9)
        known = int(self.tokenizer.model_max_length)
        return min(self.settings.max_length, known if known <= positions else positions - 2)

    def _prediction(self, shares: list[float]) -> Prediction:
        best = max(range(len(shares)), key=shares.__getitem__)
        probabilities = dict(zip(self.labels, shares, strict=True))
        return Prediction(label=self.labels[best], probability=shares[best], probabilities=probabilities)


@dataclass(frozen=True)
class TransformerStudents:
    """The factory of a run's students."""

    settings: StudentSettings
    labels: tuple[str, ...]

    def new(self, seed: int) -> TransformerStudent:
        """A fresh student from the encoder; `seed` decides the new weights and the order of the texts.

        Raises:
            ConfigError: `student.model`, `freeze` or `device` cannot be used.
        """
        torch.manual_seed(seed)
        network = new_classifier(self.settings.model, self.labels)
        return _student(network, encoder_path(self.settings.model), self.settings, seed, warm=False)

    def load(self, folder: Path, seed: int = 0) -> TransformerStudent:
        """The student saved in `folder`.

        Raises:
            ConfigError: the folder holds none, or one of other labels.
        """
        student = load_student(folder, self.settings, seed)
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
    from transformers import AutoModelForSequenceClassification

    quiet()
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise ConfigError(f"{folder} holds no student: there is no {name} in it.")
    try:
        network = AutoModelForSequenceClassification.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:  # whatever a damaged file breaks in foreign code
        raise ConfigError(f"The student in {folder} cannot be read: {str(error).strip().splitlines()[0]}") from error
    return _student(network, str(folder), settings or StudentSettings(), seed, warm=True)


def _student(network: Any, path: str, settings: StudentSettings, seed: int, warm: bool) -> TransformerStudent:
    check_freeze(network, settings.freeze)
    tokenizer = open_tokenizer(path, network.config)
    torch.set_num_threads(settings.threads)
    return TransformerStudent(network.eval().to(_device(settings.device)), tokenizer, settings, seed, warm)


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
