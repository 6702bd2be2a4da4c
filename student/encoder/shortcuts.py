"""Two exact shortcuts while training: the pooling layer at its one position that is read, frozen layers once per text.

Both are tried on the real network first and left out where they do not give what it gives (MPNet's position bias,
families we have no layout for). The real layers are back when the block ends, however it ends.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .loading import layers
from .pooling import Layout, layout_of, part

Batch = dict[str, torch.Tensor]
Forward = Callable[[Sequence[int]], torch.Tensor]
"""Numbers of texts -> logits, shape (texts, outputs) or (texts, tokens, outputs)."""

CACHE_BYTES = 2**30
"""Most memory the kept activations may take. 10,000 texts of 25 tokens take 0.4 GB with MiniLM, 0.8 GB with BERT-base;
beyond the limit the frozen layers are computed in every step."""


class StandIn(nn.Module):
    """Takes the place of a layer and answers in its form: a tensor, or a tuple that begins with it."""

    def __init__(self, rest: tuple[Any, ...] | None) -> None:
        """`rest` is what follows the states in the layer's own answer, None where that is no tuple."""
        super().__init__()
        self.rest = rest

    def forward(self, states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Answer in the layer's place."""
        states = self.states(states)
        return states if self.rest is None else (states, *self.rest)

    def states(self, states: torch.Tensor) -> torch.Tensor:
        """Pass on what comes in."""
        return states


class Replay(StandIn):
    """Gives states computed before, whatever comes in."""

    kept: torch.Tensor

    def states(self, states: torch.Tensor) -> torch.Tensor:
        """The states of this batch, shape (texts, tokens, width)."""
        return self.kept


class Pooling(StandIn):
    """The pooling layer at its first position: attention to all tokens alike is the mean over the mask."""

    mask: torch.Tensor

    def __init__(self, layer: nn.Module, layout: Layout, rest: tuple[Any, ...] | None) -> None:
        """Stand in for `layer`, whose maps and norms are used as they are."""
        super().__init__(rest)
        self.value: Any = part(layer, layout.value)
        self.mixed: Any = part(layer, layout.mixed)
        self.first: Any
        self.second: Any
        self.first, self.second = (part(layer, name) for name in layout.norms)

    def states(self, states: torch.Tensor) -> torch.Tensor:
        """From (texts, tokens, width) to (texts, 1, width)."""
        mask = self.mask.unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        pooled: torch.Tensor = self.second(self.first(self.mixed(self.value(mean)) + states[:, :1]))
        return pooled  # nothing was fed forward between the norms


@dataclass(frozen=True)
class Seen:
    """What one layer took in and gave in a trial."""

    taken: torch.Tensor
    given: torch.Tensor
    rest: tuple[Any, ...] | None


@contextmanager
def shortened(network: nn.Module, tokens: Sequence[list[int]], freeze: int, pad: int) -> Iterator[Forward]:
    """Lend the network's forward pass over `tokens`, with the shortcuts that fit it.

    Args:
        network: a classifier on which `requires_grad` says already what is trained.
        tokens: ids of each text.
        freeze: how many lower layers are not trained.
        pad: the padding token's id.
    """
    stack = layers(network)
    real = list(stack)
    device = next(network.parameters()).device
    try:
        pooling, kept = _fitting(network, tokens, freeze, pad, device)

        def forward(chosen: Sequence[int]) -> torch.Tensor:
            batch = padded([tokens[i] for i in chosen], pad, device)
            if pooling is not None:
                pooling.mask = batch["attention_mask"]
            if kept:
                below: Any = stack[freeze - 1]
                below.kept = nn.utils.rnn.pad_sequence([kept[i] for i in chosen], batch_first=True)
            logits: torch.Tensor = network(**batch).logits
            return logits

        yield forward
    finally:
        for number, layer in enumerate(real):
            stack[number] = layer


def _fitting(
    network: nn.Module, tokens: Sequence[list[int]], freeze: int, pad: int, device: torch.device
) -> tuple[Pooling | None, list[torch.Tensor]]:
    """Put the stand-ins that fit into the network; returns the pooling and the kept states, none where unfit."""
    stack = layers(network)
    if layout_of(stack[0]) is None:
        return None, []
    seen, mask = _trial(network, tokens, pad, device)
    kept: list[torch.Tensor] = []
    size = sum(map(len, tokens)) * seen[0].given.shape[-1] * seen[0].given.element_size()
    if freeze and size <= CACHE_BYTES and not seen[freeze - 1].given.requires_grad:  # nothing below it is trained
        kept = _kept(network, seen, tokens, freeze, pad)
        stack[freeze - 1] = Replay(seen[freeze - 1].rest)
        for number in range(freeze - 1):
            stack[number] = StandIn(seen[number].rest)
    pooling = _pooling(network, stack[-1], seen[-1], mask)
    if pooling is not None:
        stack[-1] = pooling
    return pooling, kept


def padded(tokens: Sequence[list[int]], pad: int, device: torch.device) -> Batch:
    """Input ids and attention mask, shape (texts, longest text)."""
    longest = max(len(each) for each in tokens)
    ids = torch.full((len(tokens), longest), pad)
    mask = torch.zeros((len(tokens), longest), dtype=torch.long)
    for row, each in enumerate(tokens):
        ids[row, : len(each)] = torch.tensor(each)
        mask[row, : len(each)] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}


def _trial(
    network: nn.Module, tokens: Sequence[list[int]], pad: int, device: torch.device
) -> tuple[list[Seen], torch.Tensor]:
    """Run the real network on a short and a long text; what each layer saw, and the mask."""
    seen: list[Seen] = []

    def look(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        given, rest = (output, None) if isinstance(output, torch.Tensor) else (output[0], tuple(output[1:]))
        seen.append(Seen(inputs[0], given, rest))

    hooks = [layer.register_forward_hook(look) for layer in layers(network)]
    try:
        batch = padded([min(tokens, key=len), max(tokens, key=len)], pad, device)
        network(**batch)
    finally:
        for hook in hooks:
            hook.remove()
    return seen, batch["attention_mask"]


def _pooling(network: Any, layer: nn.Module, seen: Seen, mask: torch.Tensor) -> Pooling | None:
    """The stand-in of the added layer, if there is one and the mean is what it gives."""
    layout = layout_of(layer)
    if layout is None or not getattr(network.config, "evokd_pooling", False):
        return None
    pooling = Pooling(layer, layout, seen.rest)
    pooling.mask = mask
    same = torch.allclose(pooling.states(seen.taken)[:, 0], seen.given[:, 0], atol=1e-4)
    return pooling if same else None


def _kept(
    network: nn.Module, seen: list[Seen], tokens: Sequence[list[int]], freeze: int, pad: int
) -> list[torch.Tensor]:
    """What the frozen layers give for each text, shape (tokens, width)."""
    stack = layers(network)
    real = list(stack)
    kept: dict[int, torch.Tensor] = {}
    caught: list[torch.Tensor] = []

    def catch(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        caught.append(output if isinstance(output, torch.Tensor) else output[0])

    hook = real[freeze - 1].register_forward_hook(catch)
    for number in range(freeze, len(stack)):  # what lies above is not computed
        stack[number] = StandIn(seen[number].rest)
    order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
    try:
        with torch.no_grad():
            for start in range(0, len(order), 32):
                chosen = order[start : start + 32]
                network(**padded([tokens[i] for i in chosen], pad, seen[0].given.device))
                found = caught.pop()
                kept |= {i: found[row, : len(tokens[i])].clone() for row, i in enumerate(chosen)}
    finally:
        hook.remove()
        for number, layer in enumerate(real):
            stack[number] = layer
    return [kept[i] for i in range(len(tokens))]
