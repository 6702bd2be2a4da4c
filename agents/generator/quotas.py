"""What is to be written: how many texts, of which source, for which lesson or class. Knows no prompt and no LLM."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from ...tasks.base import Example, Lesson, Source
from .taxonomy import Subtype

PER_SEED = 4
"""Most other wordings of one seed in a batch for lessons."""

PER_LESSON = 4
"""Texts of a lesson in a batch, about, below which the last lessons get none: with fewer there is no pair to contrast,
and they are not worth a call."""

PER_CLASS = 2
"""Fewest texts of a target class in a batch: each takes a call that describes the whole task, which one text is not
worth."""


SHARES: Mapping[str, float] = {"hard": 0.4, "typical": 0.4, "probe": 0.2, "rewrite": 0.1}
"""Of a batch for lessons, by source; those that there is nothing for are left out, and the others share the whole."""


@dataclass(frozen=True)
class Quota:
    """A number of texts of one source: for a lesson, for a target class in breadth, or in place of a seed."""

    source: Source
    count: int
    lesson: Lesson | None = None
    target_class: str | None = None
    """What a text in breadth is to have: a key of the task's `target_classes`."""
    subtypes: tuple[Subtype, ...] = ()
    seed: Example | None = None
    """The user's text that is to be said in other words."""

    def minus(self, done: int) -> "Quota":
        """The quota without the texts that are done; never below zero."""
        return replace(self, count=max(0, self.count - done))


def breadth_quotas(
    count: int,
    shares: Mapping[str, float],
    taxonomy: Mapping[str, Sequence[Subtype]],
    per_call: int,
    turn: int = 0,
    have: Mapping[str, int] = MappingProxyType({}),
) -> list[Quota]:
    """Typical texts over the target classes and their subtypes by their shares, in quotas of at most `per_call`.

    A target class gets at least two; where they are too many for that, those with the fewest texts so far get them.

    Args:
        count: texts in all.
        shares: target class -> its share of the texts.
        taxonomy: target class -> its subtypes; one that is not there has none.
        per_call: most texts in one quota.
        turn: number of the batch; where a target class has more subtypes than it gets texts, each turn goes on with
            others.
        have: target class -> texts that it has or had; where there are more target classes than `count` is enough for,
            those with the fewest for their share get them.
    """
    shares, quotas = _choose_classes(shares, count, have), []
    for target_class, quota in zip(shares, largest_remainder(count, list(shares.values())), strict=True):
        for size, subtypes in _split_into_calls(quota, taxonomy.get(target_class, ()), per_call, turn):
            quotas.append(Quota("typical", size, target_class=target_class, subtypes=_rotate(subtypes, size, turn)))
    return [quota for quota in quotas if quota.count]


def _choose_classes(shares: Mapping[str, float], count: int, have: Mapping[str, int]) -> Mapping[str, float]:
    """The target classes that get texts, and their shares: all, or, of too many, those with the fewest texts."""
    target_classes, most = [target_class for target_class, share in shares.items() if share], max(1, count // PER_CLASS)
    if len(target_classes) <= most:
        return shares
    chosen = sorted(target_classes, key=lambda target_class: have.get(target_class, 0) / shares[target_class])[:most]
    total = sum(shares[target_class] for target_class in chosen)
    return {target_class: shares[target_class] / total for target_class in target_classes if target_class in chosen}


def _split_into_calls(
    quota: int, subtypes: Sequence[Subtype], per_call: int, turn: int
) -> list[tuple[int, Sequence[Subtype]]]:
    """Texts and subtypes of each call: as few calls as give every subtype as many texts."""
    fewest = max(1, -(-quota // per_call))
    for calls in range(fewest, len(subtypes)):
        groups = [subtypes[(call + turn) % calls :: calls] for call in range(calls)]
        sizes = largest_remainder(quota, [len(group) / len(subtypes) for group in groups])
        if max(sizes) <= per_call:
            return list(zip(sizes, groups, strict=True))
    calls = max(fewest, len(subtypes))
    groups = [subtypes[(call + turn) % calls :: calls] or subtypes for call in range(calls)]
    return list(zip(split_evenly(quota, calls), groups, strict=True))


def _rotate(subtypes: Sequence[Subtype], size: int, turn: int) -> tuple[Subtype, ...]:
    """At most `size` subtypes, beginning where the turn before ended."""
    if len(subtypes) <= size:
        return tuple(subtypes)
    start = turn * size % len(subtypes)
    return tuple([*subtypes, *subtypes][start : start + size])


def rewrite_quotas(count: int, seeds: Sequence[Example], per_call: int) -> list[Quota]:
    """Other wordings of every seed in equal numbers, in quotas of at most `per_call` (AugGPT)."""
    quotas = []
    for seed, quota in zip(seeds, split_evenly(count, len(seeds)), strict=True):
        quotas += [Quota("rewrite", size, seed=seed) for size in split_evenly(quota, -(-quota // per_call))]
    return quotas


def lesson_quotas(
    count: int,
    lessons: Sequence[Lesson],
    most: int | None = None,
    seeds: Sequence[Example] = (),
    turn: int = 0,
    easy: bool = True,
) -> list[Quota]:
    """Hard and typical texts for each lesson, texts for each probe and seeds in other words, by `SHARES`.

    Args:
        count: texts in all; fewer where `most` allows no more.
        lessons: this cycle's.
        most: most texts for one lesson, None for no limit.
        seeds: the user's examples; without any there is nothing to say in other words.
        turn: number of the batch; each turn goes on with other seeds.
        easy: whether there are typical texts; otherwise hard ones have their share.
    """
    probes = [lesson for lesson in lessons if lesson.kind == "probe"]
    patterns = [lesson for lesson in lessons if lesson.kind == "lesson"]
    if not lessons:
        return []
    there = {"hard": patterns, "typical": patterns, "probe": probes, "rewrite": seeds}
    shares = {source: share if there[source] else 0.0 for source, share in SHARES.items()}
    if not easy:
        shares |= {"hard": shares["hard"] + shares["typical"], "typical": 0.0}
    total = sum(shares.values())
    if most is not None:
        count = min(count, most * len(lessons))
    sizes = dict(zip(shares, largest_remainder(count, [share / total for share in shares.values()]), strict=True))
    patterns = patterns[: max(1, round((sizes["hard"] + sizes["typical"]) / PER_LESSON))]
    quotas: list[Quota] = []
    for source, group in (("hard", patterns), ("typical", patterns), ("probe", probes)):
        for lesson, size in zip(group, split_evenly(sizes[source], len(group)), strict=True):
            quotas.append(Quota(source, size, lesson=lesson))  # type: ignore[arg-type]
    for place, size in enumerate(split_evenly(sizes["rewrite"], -(-sizes["rewrite"] // PER_SEED))):
        quotas.append(Quota("rewrite", size, seed=seeds[(turn + place) % len(seeds)]))
    return [quota for quota in quotas if quota.count]


def split_evenly(count: int, parts: int) -> list[int]:
    """`count` in `parts` nearly equal whole numbers, the larger ones first."""
    return [count // parts + (part < count % parts) for part in range(parts)] if parts else []


def largest_remainder(count: int, shares: Sequence[float]) -> list[int]:
    """`count` in whole numbers in proportion to `shares`, which sum to one."""
    exact = [count * share for share in shares]
    whole = [int(value) for value in exact]
    order = sorted(range(len(exact)), key=lambda i: whole[i] - exact[i])
    for i in order[: count - sum(whole)]:
        whole[i] += 1
    return whole


def total(quotas: Iterable[Quota]) -> int:
    """Texts in all."""
    return sum(quota.count for quota in quotas)
