"""Fitting a classifier: a head from logistic regression, then a short fine-tuning of the layers below it."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from student.encoder import layers
from student.settings import StudentSettings

Progress = Callable[[int, int], None]
Batch = dict[str, torch.Tensor]

REGULARISATION = 10.0
"""C of the logistic regression that the head starts from."""

WARM_EPOCHS = 3
WARM_MIN_STEPS = 12


class Fitting:
    """Trains one network on tokenised texts and label distributions."""

    def __init__(self, network: nn.Module, settings: StudentSettings, pad: int, seed: int) -> None:
        """Prepare to train `network`; `pad` is the padding token's id."""
        self.network = network
        self.settings = settings
        self.pad = pad
        self.seed = seed
        self.device = next(network.parameters()).device

    def start_head(self, tokens: Sequence[list[int]], targets: torch.Tensor) -> None:
        """Set the last linear map to the logistic regression on what it sees (linear probing, then fine-tuning).

        Args:
            tokens: ids of each text.
            targets: distribution over the labels, shape (texts, labels).
        """
        from sklearn.linear_model import LogisticRegression

        seen = self._head_inputs(tokens).double().numpy()
        centre = seen.mean(axis=0)
        scale = float(np.linalg.norm(seen - centre, axis=1).mean()) + 1e-9
        rows, labels = np.nonzero(targets.numpy() > 1e-6)
        if len(set(labels)) < targets.shape[1]:
            return  # a label without any text: the regression would drop its row
        regression = LogisticRegression(C=REGULARISATION, max_iter=2000)
        regression.fit((seen[rows] - centre) / scale, labels, sample_weight=targets.numpy()[rows, labels])
        weights, bias = regression.coef_ / scale, regression.intercept_
        if len(bias) == 1:  # two labels: one row for both
            weights, bias = np.vstack([-weights / 2, weights / 2]), np.array([-bias[0] / 2, bias[0] / 2])
        head = head_of(self.network)
        with torch.no_grad():
            head.weight.copy_(torch.tensor(weights))
            head.bias.copy_(torch.tensor(bias - weights @ centre))

    def tune(self, tokens: Sequence[list[int]], targets: torch.Tensor, warm: bool, progress: Progress | None) -> None:
        """Fine-tune with cross-entropy against the distributions.

        Dropout stays off: with a hundred texts it costs more than it brings. The token embeddings and the pooling
        layer are not trained.
        """
        steps = self._steps(len(tokens), warm)
        body, head = self._trainable()
        optimizer = torch.optim.AdamW(
            [
                {"params": body, "lr": self.settings.learning_rate},
                {"params": head, "lr": self.settings.head_learning_rate / (2 if warm else 1)},
            ],
            weight_decay=0.01,
            fused=True,
        )
        warm_up = max(1, steps // 10)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / warm_up, (steps - step) / max(1, steps - warm_up))
        )
        for step, batch in zip(range(steps), self._batches(tokens), strict=False):
            loss = self._loss([tokens[i] for i in batch], targets[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([*body, *head], 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if progress is not None:
                progress(step + 1, steps)
        self.network.requires_grad_(True)

    def _loss(self, tokens: Sequence[list[int]], targets: torch.Tensor) -> torch.Tensor:
        logits = self.network(**padded(tokens, self.pad, self.device)).logits
        return nn.functional.cross_entropy(logits, targets.to(self.device))

    def _steps(self, texts: int, warm: bool) -> int:
        per_epoch = -(-texts // self.settings.batch_size)
        if warm:
            return max(WARM_MIN_STEPS, WARM_EPOCHS * per_epoch)
        wanted = min(max(self.settings.epochs * per_epoch, self.settings.min_steps), self.settings.max_steps)
        return max(wanted, WARM_EPOCHS * per_epoch) if self.settings.epochs else 0

    def _trainable(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        network: Any = self.network
        stack = layers(self.network)
        fixed: list[nn.Module] = [network.base_model.get_input_embeddings(), *stack[: self.settings.freeze]]
        fixed += [module for name, module in network.base_model.named_children() if "embed" in name]
        if getattr(network.config, "evokd_pooling", False):
            fixed.append(stack[-1])
        for module in fixed:
            module.requires_grad_(False)
        head = list(head_of(self.network).parameters())
        known = {id(parameter) for parameter in head}
        body = [p for p in self.network.parameters() if p.requires_grad and id(p) not in known]
        return body, head

    def _batches(self, tokens: Sequence[list[int]]) -> Iterator[list[int]]:
        """Endless batches of texts of about one length, in random order."""
        dice, size = random.Random(self.seed), self.settings.batch_size
        while True:
            order = list(range(len(tokens)))
            dice.shuffle(order)
            groups = [
                sorted(order[i : i + 8 * size], key=lambda n: len(tokens[n])) for i in range(0, len(order), 8 * size)
            ]
            batches = [group[i : i + size] for group in groups for i in range(0, len(group), size)]
            dice.shuffle(batches)
            yield from batches

    @torch.inference_mode()
    def _head_inputs(self, tokens: Sequence[list[int]]) -> torch.Tensor:
        """What the last linear map sees of each text, shape (texts, width)."""
        caught: list[torch.Tensor] = []
        hook = head_of(self.network).register_forward_pre_hook(lambda module, inputs: caught.append(inputs[0]))
        try:
            for start in range(0, len(tokens), 32):
                self.network(**padded(tokens[start : start + 32], self.pad, self.device))
        finally:
            hook.remove()
        flat = [seen if seen.dim() == 2 else seen[:, 0] for seen in caught]
        return torch.cat(flat).cpu().clone()


def head_of(network: Any) -> nn.Linear:
    """The last linear map with one output per label."""
    found = [m for m in network.modules() if isinstance(m, nn.Linear) and m.out_features == network.config.num_labels]
    return found[-1]


def padded(tokens: Sequence[list[int]], pad: int, device: torch.device) -> Batch:
    """Input ids and attention mask, shape (texts, longest text)."""
    longest = max(len(each) for each in tokens)
    ids = torch.full((len(tokens), longest), pad)
    mask = torch.zeros((len(tokens), longest), dtype=torch.long)
    for row, each in enumerate(tokens):
        ids[row, : len(each)] = torch.tensor(each)
        mask[row, : len(each)] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
