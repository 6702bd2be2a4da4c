"""The evaluator: what was learnt, what is still wrong, does the batch stay, what comes next. It asks no LLM."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...tasks.base import ErrorCase, Example, Split
from ...tasks.metrics import pooled
from ..base import Case, CycleReport, Figures, Services, State
from ..cases import case_of, scored
from ..outlook import describe_outlook, measure_standing
from ..policy import Choice, choose
from .export import export_map, export_samples
from .gate import Decision, decide


@dataclass(frozen=True)
class Evaluator:
    """Runs champion and challenger over the fresh batch and the held-out sets, and decides between them.

    The champion has never seen the fresh batch: its mistakes there are the paper's D_wrong, the rest D_correct.
    """

    curriculum: Literal["gated", "lessons", "breadth", "label"] = "gated"
    """`gated`: breadth first, then labelling texts of the pool, lessons or breadth, as what they brought at the gate
    has it. Or always the one, from the seeds on: with `lessons` (the paper) nothing is written in breadth first, with
    `label` nothing is ever written."""

    def __call__(self, state: State, services: Services) -> State:
        """Score, decide, remember, and plan the next cycle."""
        started = time.monotonic()
        cycle, batch_kind = state["cycle"], state["batch_kind"]
        batch = services.memory.get(state.get("batch", []))
        if cycle == 0:
            batch = services.memory.samples("seed")
        cases = self._cases(state, services, batch)
        decision = self._decide(state, services)
        self._remember(state, services, batch, cases, decision)
        champion = state["challenger"] if decision.keep else state["champion"]
        services.folder.crown(champion)
        shelved = 0 if decision.keep else state.get("shelved_in_a_row", 0) + 1
        row = CycleReport(
            cycle=cycle,
            batch_kind=batch_kind,
            chosen=state.get("chosen", ""),
            stats=state.get("stats", {}),
            fresh_before=_score(services, cases, "before") if cycle else {},
            fresh_after=_score(services, cases, "after") if cycle else {},
            gate=decision.evidence,
            scores=_scores(champion, services, cycle),
            kept=decision.keep,
            why=decision.why,
            champion=champion,
            outlook="",
            teacher=services.teacher.spent(cycle),
            seconds={**state.get("seconds", {}), "evaluator": round(time.monotonic() - started, 2)},
        )
        history = [*state.get("history", []), row]
        choice = self._plan(history, services)
        services.folder.write_rows(services.folder.root / "metrics.jsonl", [dict(each) for each in history])
        services.folder.write_rows(services.folder.root / "lessons.jsonl", services.memory.lessons())
        export_samples(services)
        export_map(services)
        return State(
            cycle=cycle + 1,
            batch_kind=choice.batch_kind,
            chosen=choice.why,
            nothing_left=not choice.left,
            champion=champion,
            shelved_in_a_row=shelved,
            batch=[],
            lessons=[],
            stats={},
            seconds={},
            history=[row],
        )

    def _plan(self, history: Sequence[CycleReport], services: Services) -> Choice:
        """What comes next; writes into the last row what is to be expected of it."""
        if self.curriculum != "gated":
            return Choice(self.curriculum, "")
        standing = measure_standing(services, history[-1]["scores"])
        choice = choose(history, services.seed, standing.pool_left)
        history[-1]["outlook"] = describe_outlook(choice, standing)
        return choice

    def _cases(self, state: State, services: Services, batch: Sequence[Example]) -> list[Case]:
        texts = [example.text for example in batch]
        after = services.students.load(services.folder.root / state["challenger"]).predict(texts)
        unseeing = state.get("champion") or state["challenger"]
        before = services.students.load(services.folder.root / unseeing).predict(texts)
        cases = [case_of(services.task, *row) for row in zip(batch, before, after, strict=True)]
        services.folder.write_rows(services.folder.cycle(state["cycle"]) / "cases.jsonl", cases)
        return cases

    def _decide(self, state: State, services: Services) -> Decision:
        if not state.get("champion"):
            return Decision(True, "the first student")
        if not state.get("batch"):
            stats = state.get("stats", {})
            far, aimed = stats.get("too_hard", 0), stats.get("for_lessons", 0)
            why = f"its lessons are beyond the student ({far} of {aimed} texts)" if far else "the batch is empty"
            return Decision(False, why)
        return decide(services, state["cycle"])

    def _remember(
        self, state: State, services: Services, batch: Sequence[Example], cases: Sequence[Case], decision: Decision
    ) -> None:
        memory, cycle = services.memory, state["cycle"]
        if cycle > 0:
            memory.mark([example.id for example in batch], "kept" if decision.keep else "shelved", decision.why)
        by_id = {example.id: example for example in batch}
        wrong = [case for case in cases if not case.right_before and cycle > 0]
        memory.remember(
            errors=[
                ErrorCase(
                    example=by_id[case.id],
                    predicted=case.before,
                    probability=case.before_probability,
                    cycle=cycle,
                    fixed_in=cycle if case.right_after and decision.keep else None,
                )
                for case in wrong
            ]
        )
        if decision.keep:
            _mark_fixed(services, state["challenger"], cycle)
        beyond = Counter(example.origin.lesson for example in memory.samples("train", "too hard"))
        for lesson in memory.lessons():
            if lesson.id in state.get("lessons", []):
                own = [case for case in cases if by_id[case.id].origin.lesson == lesson.id]
                effect = {
                    "samples": float(len(own)),
                    "too_hard": float(beyond[lesson.id]),
                    "kept": float(decision.keep),
                    "before": _score(services, own, "before").get("value") or 0.0,
                    "after": _score(services, own, "after").get("value") or 0.0,
                }
                memory.remember(lessons=[lesson.model_copy(update={"effect": effect})])


def _mark_fixed(services: Services, champion: str, cycle: int) -> None:
    """Write down which errors of earlier cycles the new champion gets right."""
    open_ones = [error for error in services.memory.errors() if error.fixed_in is None and error.cycle < cycle]
    if not open_ones:
        return
    student = services.students.load(services.folder.root / champion)
    predictions = student.predict([error.example.text for error in open_ones])
    services.memory.remember(
        errors=[
            error.model_copy(update={"fixed_in": cycle})
            for error, prediction in zip(open_ones, predictions, strict=True)
            if services.task.is_right(error.example.label, prediction.label)
        ]
    )


def _score(services: Services, cases: Sequence[Case], when: Literal["before", "after"]) -> Figures:
    points = [services.task.points(case.label, getattr(case, when)) for case in cases]
    return pooled(points).model_dump() if points else {}


def _scores(champion: str, services: Services, cycle: int) -> dict[str, Figures]:
    """The champion's scores on the held-out sets; what it says of each text is written down for the report alone."""
    scores: dict[str, Figures] = {}
    rows: list[dict[str, Any]] = []
    student = services.students.load(services.folder.root / champion)
    splits: tuple[Split, ...] = ("gate", "dev")
    for split in splits:
        examples = services.memory.samples(split)
        if examples:
            predictions = student.predict([example.text for example in examples])
            points = [
                services.task.points(example.label, prediction.label)
                for example, prediction in zip(examples, predictions, strict=True)
            ]
            scores[split] = pooled(points).model_dump()
            rows += [{"split": split, **scored(*row)} for row in zip(examples, predictions, points, strict=True)]
    services.folder.write_rows(services.folder.cycle(cycle) / "held_out.jsonl", rows)
    return scores
