"""The generator: texts per lesson and per uncovered subtype, without labels."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from ..base import Draft, Services, State
from ..guidelines import ensure_guidelines
from . import pool_sampling as pool
from .chat_writer import ChatWriter, Manner
from .completion_writer import CompletionWriter
from .lengths import lengths
from .quotas import PER_CLASS, Quota, aimed, breadth, rewrites, total
from .taxonomy import taxonomy

ROUNDS = 3
"""How often an order is given when texts are refused as duplicates."""

FEW = 0.05
"""Share of a batch that is not worth ordering again, as each missing text would be a call of its own; unless one order
brought less than half of what it asked for: with many classes that is all the texts of a class."""


@dataclass(frozen=True)
class Generator:
    """Writes the backbone first (breadth), then candidate batches aimed at the lessons."""

    backbone: NonNegativeInt = 120
    """Texts of the first breadth batch that are trained on; at least four per class."""
    gate_size: NonNegativeInt = 150
    """Further texts of the backbone that are set aside as the gate before anything is trained."""
    batch: PositiveInt = 30
    """Texts of every later batch."""
    pool_share: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Share of every batch taken from the user's unlabelled texts, where there are any; below one, the first batch
    leaves room for two written texts of every class."""
    first: Literal["breadth", "rewrites"] = "breadth"
    """What the first batch is: texts over all target classes, or the seeds in other words (AugGPT)."""
    varied: bool = True
    """Keep a batch for lessons from being narrow: with seeds in other words and, as the task's kind has it, texts in
    breadth, a limit for each lesson, and names (of entities) that wear out. Off: texts for the lessons alone (the
    paper)."""
    examples: bool = True
    """Show seeds, texts of the pool and subtypes, listed before, to whoever writes in breadth; off: the description
    alone (ZeroGen). This and `conversation` are about teachers that are instructed, not those that continue a text."""
    easy: bool = True
    """Off: hard texts only (the paper's `w/o Easy`)."""
    guidelines: bool = True
    """Draft annotation guidelines before anything is written, where the task is one that needs them."""
    conversation: bool = False
    """Go on with the analyst's conversation where a lesson is written for (the paper); off: what the lesson says and
    cites is all that is sent, for fewer tokens."""
    separate: bool = True
    """Off: the label is written with the text (the paper's `w/o Separate`)."""

    def __call__(self, state: State, services: Services) -> State:
        """Write this cycle's drafts to disk; near duplicates of anything known are refused and counted.

        Lessons that nothing was ordered for leave the state: they have not failed.
        """
        cycle, refused = state["cycle"], Counter[str]()
        first = state["batch_kind"] == "breadth" and not services.memory.samples("train")
        gate = max(0, self.gate_size - len(services.memory.samples("gate")))  # a backbone may be written a second time
        wanted = self._backbone(services) + gate if first else self.batch
        if self.guidelines:
            ensure_guidelines(services, cycle)
        drafts = self._picked(state, services, wanted, first)
        quotas = self._quotas(state, services, wanted - len(drafts))
        drafts = self._written(quotas, drafts, services, cycle, refused)
        if first:
            drafts = _set_aside(drafts, round(len(drafts) * gate / wanted), services.seed)
        services.folder.write_rows(services.folder.cycle(cycle) / "drafts.jsonl", drafts)
        counts = {**state.get("counts", {}), "drafted": len(drafts)}
        counts |= {f"refused: {reason}": count for reason, count in sorted(refused.items())}
        ordered = {order.lesson.id for order in quotas if order.lesson}
        return State(counts=counts, lessons=[lesson for lesson in state.get("lessons", []) if lesson in ordered])

    def _backbone(self, services: Services) -> int:
        return max(self.backbone, 4 * len(services.task.labels))

    def _picked(self, state: State, services: Services, wanted: int, first: bool) -> list[Draft]:
        if not services.pool:
            return []
        count = round(wanted * self.pool_share)
        if first and self.pool_share < 1:
            target_classes = services.task.target_classes(services.memory.samples("seed"))
            count = max(0, min(count, wanted - PER_CLASS * len(target_classes)))  # each has written texts to begin with
        texts = pool.pick(services, state["champion"], count, state["cycle"])
        return [Draft(text=text, source="pool") for text in texts]

    def _quotas(self, state: State, services: Services, wanted: int) -> list[Quota]:
        if not wanted:
            return []
        if state["batch_kind"] == "lessons":
            quotas = self._aimed(state, services, wanted)
            rest = wanted - total(quotas)
            return [*quotas, *(self._breadth(state, services, rest) if rest else [])]
        if self.first == "rewrites" and (state["cycle"] == 1 or not services.memory.samples("train")):
            return rewrites(wanted, services.memory.samples("seed"), lengths(services).per_call)
        return self._breadth(state, services, wanted)

    def _aimed(self, state: State, services: Services, wanted: int) -> list[Quota]:
        """What this cycle's lessons ask for; less than is wanted, as the share of breadth has it."""
        chosen = set(state.get("lessons", []))
        lessons = [lesson for lesson in services.memory.lessons() if lesson.id in chosen]
        mixed = self.varied and self.easy
        coverage, seeds = (services.task.coverage, services.memory.samples("seed")) if mixed else (0.0, ())
        most = services.task.per_lesson if self.varied else None
        return aimed(wanted - round(wanted * coverage), lessons, most, seeds, _turn(state), self.easy)

    def _breadth(self, state: State, services: Services, wanted: int) -> list[Quota]:
        target_classes, subtypes = services.task.target_classes(services.memory.samples("seed")), {}
        chat = services.teacher.prompting("generator") == "instruct"
        if chat and self.examples:
            depth = max(2, min(8, -(-wanted // (4 * len(target_classes)))))
            subtypes = taxonomy(services, state["cycle"], list(target_classes), depth)
        per_call = lengths(services).per_call if chat else wanted
        return breadth(
            wanted,
            target_classes,
            subtypes,
            per_call,
            _turn(state),
            _have(services, list(target_classes), state["cycle"]),
        )

    def _written(
        self, quotas: Sequence[Quota], picked: Sequence[Draft], services: Services, cycle: int, refused: Counter[str]
    ) -> list[Draft]:
        """The picked drafts and what was written; no two of them alike."""
        writer: CompletionWriter | ChatWriter = CompletionWriter(services, cycle, self.separate)
        if services.teacher.prompting("generator") == "instruct":
            manner = Manner(self.separate, self.varied, self.examples, self.conversation)
            writer = ChatWriter(services, cycle, manner)
        kept, wanted = list(picked), total(quotas)
        for sample in range(ROUNDS):
            if not total(quotas):
                break
            groups = writer.write(quotas, sample)
            refusals = iter(services.memory.novel([d.text for d in kept] + [d.text for group in groups for d in group]))
            for _ in kept:
                next(refusals)
            left = []
            for order, group in zip(quotas, groups, strict=True):
                new = [draft for draft in group if _counted(next(refusals), refused)]
                kept += new
                left.append(order.reduced(len(new)))
            failed = any(2 * rest.count > order.count for order, rest in zip(quotas, left, strict=True))
            quotas = [order for order in left if order.count]
            if total(quotas) < FEW * wanted and not failed:
                break
        return kept


def _have(services: Services, target_classes: Sequence[str], cycle: int) -> Counter[str]:
    """Texts of each target class before this cycle: asked for, or taken from the pool and kept."""
    folder, have = services.folder, Counter[str]()
    for earlier in range(1, cycle):
        drafts = folder.read_rows(folder.cycle(earlier) / "drafts.jsonl", Draft)
        have.update(draft.asked for draft in drafts if draft.asked)
    for sample in services.memory.samples("train"):
        if sample.origin.source == "pool" and sample.origin.cycle < cycle:
            have.update(
                target_class for target_class in target_classes if services.task.fits(target_class, sample.label)
            )
    return have


def _turn(state: State) -> int:
    """How many batches of this plan there were: each goes on with the seeds and subtypes that the last one left."""
    return sum(row["batch_kind"] == state["batch_kind"] for row in state.get("history", []))


def _counted(refusal: str | None, refused: Counter[str]) -> bool:
    if refusal is not None:
        refused[refusal] += 1
    return refusal is None


def _set_aside(drafts: Sequence[Draft], count: int, seed: int) -> list[Draft]:
    """Move a random share of the drafts, the same share of every class, subtype and of the pool, to the gate.

    What is less than a whole text of a class is left to chance (systematic sampling): where there are more classes than
    texts in the gate, any of them may have one there.
    """
    groups: dict[tuple[str, str | None], list[int]] = {}
    for number, draft in enumerate(drafts):
        groups.setdefault((draft.source, draft.asked), []).append(number)
    rng, gate, whole = random.Random(seed), set[int](), max(1, len(drafts))
    at = rng.randrange(whole)
    for group in rng.sample(list(groups.values()), len(groups)):
        before, at = at, at + count * len(group)
        gate.update(_mixed(group, drafts, rng)[: at // whole - before // whole])
    return [draft.model_copy(update={"split": "gate"}) if n in gate else draft for n, draft in enumerate(drafts)]


def _mixed(numbers: Sequence[int], drafts: Sequence[Draft], rng: random.Random) -> list[int]:
    """Drafts of a class in random order, those of each subtype spread over it."""
    kinds: dict[str | None, list[int]] = {}
    for number in rng.sample(numbers, len(numbers)):
        kinds.setdefault(drafts[number].subtype, []).append(number)
    places = [((place + rng.random()) / len(kind), n) for kind in kinds.values() for place, n in enumerate(kind)]
    return [number for _, number in sorted(places)]
