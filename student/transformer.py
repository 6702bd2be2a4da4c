"""The student: a Hugging Face encoder with a classification head, trained, asked, and saved as safetensors."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from langsmith import traceable
from torch import nn

from student.encoder import encoder_path, new_classifier, quiet
from student.settings import StudentSettings
from student.training import Fitting, padded
from tasks.base import Example, Prediction
from tasks.errors import ConfigError

Progress = Callable[[int, int], None]

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
        """Learn; soft labels as distributions. The trace shows how many texts there were, never the texts."""
        if not examples:
            raise ValueError("a student cannot be fitted on no examples")
        warm = self.warm

        @traceable(name="student.fit", run_type="chain", tags=["student"])
        def fit(texts: int, warm: bool, seed: int) -> dict[str, int]:
            self._fit(examples, progress)
            return {"texts": texts}

        fit(texts=len(examples), warm=warm, seed=self.seed)

    def _fit(self, examples: Sequence[Example], progress: Progress | None) -> None:
        torch.manual_seed(self.seed)
        targets = torch.tensor([self._target(example) for example in examples])
        tokens = self._tokens([example.text for example in examples])
        fitting = Fitting(self.network, self.settings, self.tokenizer.pad_token_id or 0, self.seed)
        if not self.warm:
            fitting.start_head(tokens, targets)
        fitting.tune(tokens, targets, self.warm, progress)
        self.warm = True

    @torch.inference_mode()
    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text, in order."""
        tokens = self._tokens(texts)
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
        found: dict[int, Prediction] = {}
        device = next(self.network.parameters()).device
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            batch = padded([tokens[i] for i in chosen], self.tokenizer.pad_token_id or 0, device)
            shares = torch.softmax(self.network(**batch).logits.float(), dim=-1).cpu().tolist()
            found.update({i: self._prediction(row) for i, row in zip(chosen, shares, strict=True)})
        return [found[i] for i in range(len(texts))]

    def save(self, folder: Path) -> None:
        """Write beside the folder, then rename: what is there is whole."""
        aside = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)
        self.network.save_pretrained(aside)
        self.tokenizer.save_pretrained(aside)
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)

    def _target(self, example: Example) -> list[float]:
        soft = example.soft or {example.label: 1.0}
        total = sum(soft.values())
        return [soft.get(label, 0.0) / total for label in self.labels]

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        limit = min(self.settings.max_length, getattr(self.tokenizer, "model_max_length", 512))
        return list(self.tokenizer(list(texts), truncation=True, max_length=limit)["input_ids"])

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
        """A fresh student from the encoder; `seed` decides the new weights and the order of the texts."""
        _use_threads(self.settings)
        torch.manual_seed(seed)
        network = new_classifier(self.settings.model, self.labels).to(_device(self.settings))
        return TransformerStudent(network, _tokenizer(encoder_path(self.settings.model)), self.settings, seed, False)

    def load(self, folder: Path, seed: int = 0) -> TransformerStudent:
        """The student saved in `folder`."""
        return load_student(folder, self.settings, seed)


def load_student(folder: Path, settings: StudentSettings | None = None, seed: int = 0) -> TransformerStudent:
    """A saved student, of a run or on its own.

    Raises:
        ConfigError: the folder holds none.
    """
    from transformers import AutoModelForSequenceClassification

    settings = settings or StudentSettings()
    quiet()
    _use_threads(settings)
    if not (folder / "model.safetensors").exists():
        raise ConfigError(f"{folder} holds no student: there is no model.safetensors in it.")
    network: nn.Module = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True)
    return TransformerStudent(network.eval().to(_device(settings)), _tokenizer(str(folder)), settings, seed, True)


@lru_cache(maxsize=4)
def _tokenizer(path: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(path)


def _use_threads(settings: StudentSettings) -> None:
    torch.set_num_threads(settings.threads)


def _device(settings: StudentSettings) -> str:
    if settings.device != "auto":
        return settings.device
    return "cuda" if torch.cuda.is_available() else "cpu"
