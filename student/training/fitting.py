"""Fitting a network: a head that starts from what it sees, then a short fine-tuning of the layers below it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..base import Progress
from ..encoder.loading import head_of, layers
from ..encoder.shortcuts import Forward, shortened
from ..heads.base import Head
from ..settings import Recipe

WARM_EPOCHS = 3
WARM_MIN_STEPS = 12


@dataclass(frozen=True)
class Material:
    """What is learnt, row by row."""

    tokens: Sequence[list[int]]
    targets: Sequence[torch.Tensor]
    """What each row should give, as the head has it."""
    weights: torch.Tensor
    """How much each counts, one on average, shape (rows)."""


class Fitting:
    """Trains one network on rows of tokens and what each should give."""

    def __init__(self, network: nn.Module, head: Head[Any], recipe: Recipe, pad: int, seed: int) -> None:
        """Prepare to train `network`; `pad` is the padding token's id."""
        self.network = network
        self.head = head
        self.recipe = recipe
        self.pad = pad
        self.seed = seed

    def fit(self, material: Material, warm: bool, progress: Progress | None) -> int:
        """Start the head, unless it is `warm`, then fine-tune; returns the number of steps.

        Args:
            material: what is learnt.
            warm: whether the network has learnt the task before.
            progress: called with the steps done and all there are.
        """
        body, head = self._trainable()
        try:
            with shortened(self.network, material.tokens, self.recipe.freeze, self.pad) as forward:
                if not warm or not self.recipe.epochs:
                    self._start_head(forward, material)
                return self._tune(forward, material, (body, head), warm, progress)
        finally:
            self.network.zero_grad()
            self.network.requires_grad_(True)

    def _start_head(self, forward: Forward, material: Material) -> None:
        """Set the last linear map to what the head starts from, if it has such a thing."""
        if not self.head.starts:
            return
        found = self.head.start(self._head_inputs(forward, material.tokens), material.targets, material.weights)
        if found is None:
            return
        last = head_of(self.network)
        with torch.no_grad():
            last.weight.copy_(torch.tensor(found[0]))
            last.bias.copy_(torch.tensor(found[1]))

    def _tune(
        self,
        forward: Forward,
        material: Material,
        trained: tuple[list[nn.Parameter], list[nn.Parameter]],
        warm: bool,
        progress: Progress | None,
    ) -> int:
        """Fine-tune with the head's loss.

        Dropout stays off: with a hundred texts it costs more than it brings. The token embeddings and the pooling
        layer are not trained.
        """
        steps = self._steps(len(material.tokens), warm)
        body, head = trained
        optimizer = torch.optim.AdamW(
            [
                {"params": body, "lr": self.recipe.learning_rate},
                {"params": head, "lr": self.recipe.head_learning_rate / (2 if warm else 1)},
            ],
            weight_decay=0.01,
            fused=True,
        )
        warm_up = max(1, steps // 10)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / warm_up, (steps - step) / max(1, steps - warm_up))
        )
        for step, batch in zip(range(steps), self._batches(material.tokens), strict=False):
            wanted, weights = [material.targets[row] for row in batch], material.weights[batch]
            loss = self.head.loss(forward(batch), wanted, weights, self.recipe.robustness)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([*body, *head], 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if progress is not None:
                progress(step + 1, steps)
        return steps

    def _steps(self, texts: int, warm: bool) -> int:
        per_epoch = -(-texts // self.recipe.batch_size)
        if not self.recipe.epochs:
            return 0
        if warm:
            return max(WARM_MIN_STEPS, WARM_EPOCHS * per_epoch)
        wanted = min(max(self.recipe.epochs * per_epoch, self.recipe.min_steps), self.recipe.max_steps)
        return max(wanted, WARM_EPOCHS * per_epoch)

    def _trainable(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Switch off what is not trained; returns the trained parameters below the head, and the head's."""
        network: Any = self.network
        stack = layers(network)
        fixed: list[nn.Module] = [network.base_model.get_input_embeddings(), *stack[: self.recipe.freeze]]
        fixed += [module for name, module in network.base_model.named_children() if "embed" in name]
        if self.recipe.freeze:  # position biases that frozen layers share with the others (MPNet, DeBERTa)
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
        rng, size = random.Random(self.seed), self.recipe.batch_size
        while True:
            order = list(range(len(tokens)))
            rng.shuffle(order)
            groups = [
                sorted(order[i : i + 8 * size], key=lambda n: len(tokens[n])) for i in range(0, len(order), 8 * size)
            ]
            batches = [group[i : i + size] for group in groups for i in range(0, len(group), size)]
            rng.shuffle(batches)
            yield from batches

    @torch.inference_mode()
    def _head_inputs(self, forward: Forward, tokens: Sequence[list[int]]) -> list[torch.Tensor]:
        """What the last linear map sees of each row, shape (width) or (tokens, width)."""
        caught: list[torch.Tensor] = []
        hook = head_of(self.network).register_forward_pre_hook(lambda module, inputs: caught.append(inputs[0]))
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        seen: dict[int, torch.Tensor] = {}
        try:
            for start in range(0, len(order), 32):
                chosen = order[start : start + 32]
                forward(chosen)
                seen.update(zip(chosen, caught.pop().cpu(), strict=True))
        finally:
            hook.remove()
        return [seen[i] for i in range(len(tokens))]
