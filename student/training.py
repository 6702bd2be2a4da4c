"""Fitting a classifier: a head from logistic regression, then a short fine-tuning of the layers below it."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from student.base import Progress
from student.encoder import head_of, layers
from student.settings import StudentSettings
from student.shortcuts import Forward, shortened

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

    def fit(self, tokens: Sequence[list[int]], targets: torch.Tensor, warm: bool, progress: Progress | None) -> int:
        """Start the head, unless it is `warm`, then fine-tune; returns the number of steps.

        Args:
            tokens: ids of each text.
            targets: distribution over the labels, shape (texts, labels).
            warm: whether the network has learnt the task before.
            progress: called with the steps done and all there are.
        """
        body, head = self._trainable()
        try:
            with shortened(self.network, tokens, self.settings.freeze, self.pad) as forward:
                if not warm or not self.settings.epochs:
                    self._start_head(forward, tokens, targets)
                return self._tune(forward, tokens, targets, (body, head), warm, progress)
        finally:
            self.network.zero_grad()
            self.network.requires_grad_(True)

    def _start_head(self, forward: Forward, tokens: Sequence[list[int]], targets: torch.Tensor) -> None:
        """Set the last linear map to the logistic regression on what it sees (linear probing, then fine-tuning)."""
        from sklearn.linear_model import LogisticRegression

        rows, labels = np.nonzero(targets.numpy() > 1e-6)
        if len(set(labels)) < targets.shape[1]:
            return  # a label without any text: the regression would drop its row
        seen = self._head_inputs(forward, tokens).double().numpy()
        centre = seen.mean(axis=0)
        scale = float(np.linalg.norm(seen - centre, axis=1).mean()) + 1e-9
        regression = LogisticRegression(C=REGULARISATION, max_iter=2000)
        regression.fit((seen[rows] - centre) / scale, labels, sample_weight=targets.numpy()[rows, labels])
        weights, bias = regression.coef_ / scale, regression.intercept_
        if len(bias) == 1:  # two labels: one row for both
            weights, bias = np.vstack([-weights / 2, weights / 2]), np.array([-bias[0] / 2, bias[0] / 2])
        head = head_of(self.network)
        with torch.no_grad():
            head.weight.copy_(torch.tensor(weights))
            head.bias.copy_(torch.tensor(bias - weights @ centre))

    def _tune(
        self,
        forward: Forward,
        tokens: Sequence[list[int]],
        targets: torch.Tensor,
        trained: tuple[list[nn.Parameter], list[nn.Parameter]],
        warm: bool,
        progress: Progress | None,
    ) -> int:
        """Fine-tune with cross-entropy against the distributions.

        Dropout stays off: with a hundred texts it costs more than it brings. The token embeddings and the pooling
        layer are not trained.
        """
        steps = self._steps(len(tokens), warm)
        body, head = trained
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
            logits = forward(batch)
            loss = nn.functional.cross_entropy(logits, targets[batch].to(logits.device))
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([*body, *head], 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if progress is not None:
                progress(step + 1, steps)
        return steps

    def _steps(self, texts: int, warm: bool) -> int:
        per_epoch = -(-texts // self.settings.batch_size)
        if not self.settings.epochs:
            return 0
        if warm:
            return max(WARM_MIN_STEPS, WARM_EPOCHS * per_epoch)
        wanted = min(max(self.settings.epochs * per_epoch, self.settings.min_steps), self.settings.max_steps)
        return max(wanted, WARM_EPOCHS * per_epoch)

    def _trainable(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Switch off what is not trained; returns the trained parameters below the head, and the head's."""
        network: Any = self.network
        stack = layers(network)
        fixed: list[nn.Module] = [network.base_model.get_input_embeddings(), *stack[: self.settings.freeze]]
        fixed += [module for name, module in network.base_model.named_children() if "embed" in name]
        if self.settings.freeze:  # position biases that frozen layers share with the others (MPNet, DeBERTa)
            holder = next(module for module in network.modules() if stack in module.children())
            fixed += [part for part in holder.children() if part is not stack and holder is not network.base_model]
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
    def _head_inputs(self, forward: Forward, tokens: Sequence[list[int]]) -> torch.Tensor:
        """What the last linear map sees of each text, shape (texts, width)."""
        caught: list[torch.Tensor] = []
        hook = head_of(self.network).register_forward_pre_hook(lambda module, inputs: caught.append(inputs[0]))
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        try:
            for start in range(0, len(order), 32):
                forward(order[start : start + 32])
        finally:
            hook.remove()
        flat = [seen if seen.dim() == 2 else seen[:, 0] for seen in caught]
        return torch.cat(flat).cpu()[torch.tensor(order).argsort()]
