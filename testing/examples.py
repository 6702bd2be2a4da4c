"""A few texts that any student learns, one set for each kind of label; the labels are `LABELS`."""

import itertools

from ..tasks.base import Example, Span

LABELS = ("music", "weather")


def examples(count: int = 24) -> list[Example]:
    """Texts about music and about weather, of different lengths."""
    music, weather = itertools.cycle(["play", "the song", "sing music"]), itertools.cycle(["rain", "will it snow"])
    return [
        Example(text=f"{next(music)} today {'album ' * (i % 5)}", label="music")
        if i % 2
        else Example(text=f"{next(weather)} a {'wind ' * (i % 7)}", label="weather")
        for i in range(count)
    ]


def label_sets(count: int = 24) -> list[Example]:
    """Texts about music, about weather, about both or about neither."""
    texts = {
        "play the song": ("music",), "rain wind": ("weather",), "sing album rain snow": ("music", "weather"),
        "table for two": (),
    }  # fmt: skip
    pairs = list(itertools.islice(itertools.cycle(texts.items()), count))
    return [Example(text=f"{text} {'today ' * (i % 5)}", label=label) for i, (text, label) in enumerate(pairs)]


def span_examples(count: int = 24) -> list[Example]:
    """Texts with names of music ("the song", one span) and of weather, or with neither."""
    texts = [("play the song today", {"the song": "music"}), ("will it rain", {"rain": "weather"}),
             ("table for two", {}), ("sing the album snow", {"the album": "music", "snow": "weather"})]  # fmt: skip
    made = []
    for i in range(count):
        text, names = texts[i % len(texts)]
        text = f"{'book a ' * (i // 4 % 3)}{text}{' at dinner' * (i // 8)}"
        label = [Span(start=text.index(n), end=text.index(n) + len(n), type=kind) for n, kind in names.items()]
        made.append(Example(text=text, label=tuple(label)))
    return made
