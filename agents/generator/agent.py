"""The generator: texts per lesson and per uncovered subtype, or of the user's pool, without labels."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from ..base import Draft, Services, State
from ..batch_stats import add_stats
from ..drafts import read_all_drafts, write_drafts
from ..guidelines import ensure_guidelines
from . import pool_sampling as pool
from .chat_writer import ChatWriter, Manner
from .completion_writer import CompletionWriter
from .lengths import measure_lengths
from .quotas import Quota, breadth_quotas, lesson_quotas, rewrite_quotas, total
from .taxonomy import ensure_taxonomy

ROUNDS = 3
"""How often a quota is asked for when texts are refused as duplicates."""

FEW = 0.05
"""Share of a batch that is not worth asking for again, as each missing text would be a call of its own. It is asked for
all the same where less than half of one quota came: with many classes that is all the texts of a class."""


@dataclass(frozen=True)
class Generator:
    """Writes the backbone first (breadth), then candidate batches aimed at the lessons, or picks texts of the pool."""

    backbone: NonNegativeInt = 120
    """Texts of the first breadth batch that are trained on; at least four per class."""
    gate_size: NonNegativeInt = 150
    """Further texts that are set aside as the gate before anything is trained: of the pool, at random, where that has
    twice as many; otherwise of the backbone."""
    batch: PositiveInt = 30
    """Texts of every later batch; of one that labels texts of the pool, four times as many."""
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
        """Write this cycle's drafts to disk. What is a near duplicate of a known text is refused and counted.

        Lessons without a quota leave the state: they were not tried, so they have not failed.
        """
        cycle, refused = state["cycle"], Counter[str]()
        first = state["batch_kind"] in ("breadth", "label") and not services.memory.samples("train")
        if self.guidelines:
            ensure_guidelines(services, cycle)
        held_out, split_off = self._plan_gate(services) if first else ([], 0)
        wanted = self._batch_size(state, services, first) + split_off
        picked = self.initial_drafts(state, services, wanted, first)
        quotas = self.plan_quotas(state, services, wanted - len(picked))
        drafts = self._write(
            quotas, [*held_out, *_without_copies(services, picked, held_out)], services, cycle, refused
        )
        if split_off:
            drafts = _assign_gate(drafts, round(len(drafts) * split_off / wanted), services.seed)
        write_drafts(services, cycle, drafts)
        stats = add_stats(state.get("stats", {}), drafted=len(drafts), refused=dict(sorted(refused.items())))
        planned = {quota.lesson.id for quota in quotas if quota.lesson}
        return State(stats=stats, lessons=[lesson for lesson in state.get("lessons", []) if lesson in planned])

    def _plan_gate(self, services: Services) -> tuple[list[Draft], int]:
        """The texts of the pool to hold out; and where the pool is too small, how many to split off from the batch."""
        missing = max(0, self.gate_size - len(services.memory.samples("gate")))  # a backbone may be written again
        if not pool.has_enough_for_gate(services, self.gate_size):
            return [], missing
        return [Draft(text=text, source="pool", split="gate") for text in pool.draw_gate(services, missing)], 0

    def _batch_size(self, state: State, services: Services, first: bool) -> int:
        """Texts to train on."""
        if first:
            return max(self.backbone, 4 * len(services.task.labels))
        return self.batch * (pool.PER_WRITTEN if state["batch_kind"] == "label" else 1)

    def initial_drafts(self, state: State, services: Services, wanted: int, first: bool) -> list[Draft]:
        """The drafts that nobody has to write: texts of the pool, where they are what is to be labelled.

        A generator of one's own may override this.

        Args:
            state: of the cycle.
            services: the pool, the student that chooses and what is known already.
            wanted: size of the whole batch, with the texts of the gate that are split off from it; fewer drafts leave
                the rest to `plan_quotas`.
            first: whether it is the first batch.
        """
        if state["batch_kind"] != "label":
            return []
        texts = pool.pick(services, state["champion"], wanted, state["cycle"])
        return [Draft(text=text, source="pool") for text in texts]

    def plan_quotas(self, state: State, services: Services, wanted: int) -> list[Quota]:
        """What the teacher is to write: the quotas of `wanted` texts. A generator of one's own may override this.

        Args:
            state: says what kind of batch it is, and for which lessons.
            services: the task, the seeds and what is written already.
            wanted: texts that are still missing; with 0 nothing is to be written.
        """
        if not wanted or state["batch_kind"] == "label":
            return []
        if state["batch_kind"] == "lessons":
            quotas = self._plan_for_lessons(state, services, wanted)
            rest = wanted - total(quotas)
            return [*quotas, *(self._plan_breadth(state, services, rest) if rest else [])]
        if self.first == "rewrites" and (state["cycle"] == 1 or not services.memory.samples("train")):
            return rewrite_quotas(wanted, services.memory.samples("seed"), measure_lengths(services).per_call)
        return self._plan_breadth(state, services, wanted)

    def _plan_for_lessons(self, state: State, services: Services, wanted: int) -> list[Quota]:
        """What this cycle's lessons ask for; less than is wanted, as the share of breadth has it."""
        chosen = set(state.get("lessons", []))
        lessons = [lesson for lesson in services.memory.lessons() if lesson.id in chosen]
        mixed = self.varied and self.easy
        coverage, seeds = (services.task.coverage, services.memory.samples("seed")) if mixed else (0.0, ())
        most = services.task.per_lesson if self.varied else None
        return lesson_quotas(wanted - round(wanted * coverage), lessons, most, seeds, _count_batches(state), self.easy)

    def _plan_breadth(self, state: State, services: Services, wanted: int) -> list[Quota]:
        target_classes, subtypes = services.task.target_classes(services.memory.samples("seed")), {}
        chat = services.teacher.prompting("generator") == "instruct"
        if chat and self.examples:
            depth = max(2, min(8, -(-wanted // (4 * len(target_classes)))))
            subtypes = ensure_taxonomy(services, state["cycle"], list(target_classes), depth)
        per_call = measure_lengths(services).per_call if chat else wanted
        return breadth_quotas(
            wanted,
            target_classes,
            subtypes,
            per_call,
            _count_batches(state),
            _count_texts(services, list(target_classes), state["cycle"]),
        )

    def _write(
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
            for quota, group in zip(quotas, groups, strict=True):
                new = [draft for draft in group if _count_refusal(next(refusals), refused)]
                kept += new
                left.append(quota.minus(len(new)))
            failed = any(2 * rest.count > quota.count for quota, rest in zip(quotas, left, strict=True))
            quotas = [quota for quota in left if quota.count]
            if total(quotas) < FEW * wanted and not failed:
                break
        return kept


def _without_copies(services: Services, picked: Sequence[Draft], held_out: Sequence[Draft]) -> list[Draft]:
    """The picked drafts that are near no text that is to be held out."""
    if not held_out or not picked:
        return list(picked)
    texts = [draft.text for draft in (*held_out, *picked)]
    refusals = services.memory.novel(texts)[len(held_out) :]
    return [draft for draft, refusal in zip(picked, refusals, strict=True) if refusal is None]


def _count_texts(services: Services, target_classes: Sequence[str], cycle: int) -> Counter[str]:
    """Texts of each target class before this cycle: asked for, or taken from the pool and kept."""
    have = Counter[str]()
    for earlier in range(1, cycle):
        drafts = read_all_drafts(services, earlier)
        have.update(draft.target_class for draft in drafts if draft.target_class)
    for sample in services.memory.samples("train"):
        if sample.origin.source == "pool" and sample.origin.cycle < cycle:
            have.update(
                target_class for target_class in target_classes if services.task.fits(target_class, sample.label)
            )
    return have


def _count_batches(state: State) -> int:
    """How many batches of this kind there were: each goes on with the seeds and subtypes where the last one ended."""
    return sum(row["batch_kind"] == state["batch_kind"] for row in state.get("history", []))


def _count_refusal(refusal: str | None, refused: Counter[str]) -> bool:
    if refusal is not None:
        refused[refusal] += 1
    return refusal is None


def _assign_gate(drafts: Sequence[Draft], count: int, seed: int) -> list[Draft]:
    """Move a random share of the drafts, the same share of every class, subtype and of the pool, to the gate.

    Systematic sampling leaves fractions of a text to chance: where there are more classes than texts in the gate, each
    class may get one.
    """
    groups: dict[tuple[str, str | None], list[int]] = {}
    for number, draft in enumerate(drafts):
        groups.setdefault((draft.source, draft.target_class), []).append(number)
    rng, gate, whole = random.Random(seed), set[int](), max(1, len(drafts))
    at = rng.randrange(whole)
    for group in rng.sample(list(groups.values()), len(groups)):
        before, at = at, at + count * len(group)
        gate.update(_interleave_subtypes(group, drafts, rng)[: at // whole - before // whole])
    return [draft.model_copy(update={"split": "gate"}) if n in gate else draft for n, draft in enumerate(drafts)]


def _interleave_subtypes(numbers: Sequence[int], drafts: Sequence[Draft], rng: random.Random) -> list[int]:
    """Drafts of a class in random order, those of each subtype spread over it."""
    kinds: dict[str | None, list[int]] = {}
    for number in rng.sample(numbers, len(numbers)):
        kinds.setdefault(drafts[number].subtype, []).append(number)
    places = [((place + rng.random()) / len(kind), n) for kind in kinds.values() for place, n in enumerate(kind)]
    return [number for _, number in sorted(places)]
