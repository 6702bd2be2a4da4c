"""What a run would ask, cost and start from, for a few small calls: the run's own agents, dry run."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..agents.base import BatchKind, Case, Figures, Services, State
from ..agents.cases import LEAST
from ..agents.drafts import read_all_drafts
from ..graph.build import initial_state
from ..graph.config.run_config import RunConfig, agents, stop_rule
from ..graph.setup.create import create
from ..graph.setup.services import make_task, open_services
from ..graph.setup.teachers import answers_by_itself
from ..memory.run_folder import RunFolder
from ..tasks.base import Example, Origin
from ..tasks.errors import ConfigError
from ..tasks.kinds.label_names import first_of
from ..teacher.accounting.prices import source
from ..teacher.settings import TeacherSettings
from .connection_test import ConnectionTest, check_connection
from .cost import Cost, estimate_cost
from .dry_run import Asked, DryRun
from .teacher_agreement import TeacherAgreement, measure_agreement

LOW, HIGH = 0.8, 1.5
"""Of what is expected: shorter texts; and tie-breaks, repairs, duplicates that are written anew."""

GUESSED_SECONDS = 8.0
"""Of one call, where none was tried."""


@dataclass(frozen=True)
class Estimate:
    """A run that has not begun.

    Examples:
        >>> from evokd.testing import world
        >>> server = {"kind": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1", "api_key_env": "none"}
        >>> estimate = evokd.plan({**world.config("."), "teacher": server}, offline=True)
        >>> sorted(estimate.first), estimate.expected.tokens_in > 1000, estimate.seconds > 0
        (['annotator', 'generator'], True, True)
    """

    first: dict[str, Cost]
    """Role -> what the first cycle needs of it."""
    later: dict[str, Cost]
    """The same for a later cycle: of those that the strategy has, the kind that takes most."""
    prompts: tuple[Asked, ...]
    """The first of every kind, as they would be sent."""
    cycles: int
    concurrency: int
    prices: tuple[str, ...]
    """What a model costs and who says so, a sentence for each that is asked."""
    seeds_only: Figures
    """The seed-only student's score on dev; empty without one."""
    metric: str
    connection: ConnectionTest | None
    agreement: TeacherAgreement | None
    """What the teacher says of the user's own examples; None where it was not asked."""
    has_test: bool
    lacks_pool: bool
    """Whether the strategy would take texts without labels, and there are none."""
    doubts: tuple[str, ...]
    """What should be looked at before money is spent."""

    @property
    def expected(self) -> Cost:
        """Of the whole run, if it uses all its cycles."""
        first, later = (sum(each.values(), Cost()) for each in (self.first, self.later))
        return first + later.times(max(0, self.cycles - 1)) if self.cycles else Cost()

    @property
    def seconds(self) -> float:
        """Of waiting for the teacher."""
        each = self.connection.seconds if self.connection and self.connection.ok else GUESSED_SECONDS
        return self.expected.calls / self.concurrency * each

    def told(self) -> dict[str, Any]:
        """What the report shows of it."""
        assumed = (
            ""
            if self.connection and self.connection.ok
            else f", at {GUESSED_SECONDS:g} s a call, which nobody has measured"
        )
        notes = [
            f"About {self.seconds / 60:.0f} min of waiting for the teacher at concurrency {self.concurrency}{assumed}; "
            "training comes on top. Tokens are counted as four characters each; what a model thinks before it answers "
            "is not in them.",
        ]
        if self.connection:
            notes.append(f"One call was tried ({self.connection.seconds:.1f} s): {self.connection.said.rstrip('.')}.")
        if self.agreement:
            notes += self.agreement.notes
        notes += self.prices
        if self.lacks_pool:
            notes.append(
                "There is no data.pool: a few hundred texts of yours without labels are often worth more than as many "
                "that a teacher writes, and take fewer tokens."
            )
        whole = {"low": LOW, "expected": 1.0, "high": HIGH}
        return {
            "first": {role: vars(need) for role, need in self.first.items()},
            "later": {role: vars(need) for role, need in self.later.items()},
            "whole": {name: vars(self.expected.times(factor)) for name, factor in whole.items()},
            "cycles": self.cycles,
            "notes": notes,
            "seeds_only": self.seeds_only,
            "has_test": self.has_test,
            "metric": self.metric,
            "verdict": self.verdict,
            "doubts": self.doubts,
        }

    @property
    def verdict(self) -> str:
        """`go`, `look again`, or `not yet`."""
        if self.connection is not None and not self.connection.ok:
            return "not yet"
        return "look again" if self.doubts else "go"


def estimate(config: RunConfig, base: Path, offline: bool) -> Estimate:
    """Dry-run a first and a later cycle, train the seed-only student, try the server, compare the teacher's labels.

    Args:
        config: the checked config.
        base: the folder that relative data paths start from.
        offline: make no call at all.

    Raises:
        ConfigError: data or settings that would also stop the run, or a teacher that is not one of ours.
    """
    if answers_by_itself(config):
        raise ConfigError(
            f"teacher.kind = {config.teacher.kind!r} answers by itself, and what it costs only it can tell. Have it "
            "inherit from evokd.teacher.custom.CustomTeacher, and `evokd plan` can."
        )
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / config.name)
        create(config, base, folder)
        connection = None if offline else check_connection(config, Path(place) / "trial")
        task = make_task(config.task)
        seeds = folder.read_rows(folder.root / "data" / "seed.jsonl", Example)
        endpoints = {role: config.teacher.role(role) for role in config.teacher.roles}
        teacher = DryRun(endpoints, config.teacher.role(""), task, seeds)
        with open_services(config, folder, teacher=teacher) as services:
            state = _after_seeds(config, services)
            first = _dry_run(config, services, teacher, state)
            _stand_in_batch(services)
            later = max(
                (
                    _dry_run(config, services, teacher, State(**{**state, "cycle": 2, "batch_kind": kind}))
                    for kind in _later_kinds(config)
                ),
                key=lambda costs: sum(cost.tokens_in + cost.tokens_out for cost in costs.values()),
            )
            scores = state["history"][-1]["scores"].get("dev", {})
            agreement = (
                measure_agreement(config, services, Path(place) / "agreement") if connection and connection.ok else None
            )
    made = Estimate(
        first=first, later=later, prompts=_first_of_each(teacher.asked), cycles=getattr(stop_rule(config), "cycles", 1),
        concurrency=config.teacher.concurrency, prices=price_notes(config.teacher, sorted({*first, *later})),
        seeds_only=scores, metric=task.metric, connection=connection, agreement=agreement, doubts=(),
        has_test=config.data.test is not None, lacks_pool=_lacks_pool(config),
    )  # fmt: skip
    return replace(made, doubts=tuple(_doubts(config, made)))


def _later_kinds(config: RunConfig) -> Sequence[BatchKind]:
    """What a later batch may be and what takes most: lessons and labelled texts, unless the strategy has others."""
    curriculum = getattr(agents(config)["evaluator"], "curriculum", None)
    if curriculum in ("breadth", "label"):
        return [curriculum]
    return ["lessons", "label"] if curriculum == "gated" and config.data.pool else ["lessons"]


def _lacks_pool(config: RunConfig) -> bool:
    return config.data.pool is None and getattr(agents(config)["evaluator"], "curriculum", None) in ("gated", "label")


def _after_seeds(config: RunConfig, services: Services) -> State:
    """The real cycle 0: the seed-only student, trained and scored on dev."""
    ring, state = agents(config), initial_state()
    for role in ("trainer", "evaluator"):
        state = State(**{**state, **ring[role](state, services)})
    return state


def _dry_run(config: RunConfig, services: Services, teacher: DryRun, state: State) -> dict[str, Cost]:
    """Role -> what a cycle needs of it."""
    before, ring = len(teacher.asked), agents(config)
    for role in [role for role in ring if role not in ("trainer", "evaluator")]:
        state = State(**{**state, **ring[role](state, services)})
    drafts = read_all_drafts(services, state["cycle"])
    return estimate_cost(teacher.asked[before:], drafts, services.task, config.teacher)


def price_notes(teacher: TeacherSettings, roles: Sequence[str]) -> tuple[str, ...]:
    """One sentence for each model that the roles ask; nothing on the embedded one."""
    told = {}
    for endpoint in (teacher.role(role) for role in roles):
        if endpoint.kind == "local":
            continue
        said = f"{endpoint.usd_input} USD for a million tokens in, {endpoint.usd_output} out"
        if not endpoint.priced:
            told[endpoint.model] = (
                f"The price of {endpoint.model} at {endpoint.shown_url} is unknown: set "
                "teacher.usd_per_million_input and usd_per_million_output to have it told."
            )
        elif endpoint.listed:
            told[endpoint.model] = (
                f"The price of {endpoint.model} is {said}, by {source()}; teacher.usd_per_million_input and "
                "usd_per_million_output say otherwise."
            )
        else:
            told[endpoint.model] = f"The price of {endpoint.model} is {said}, by your config."
    return tuple(told.values())


def _stand_in_batch(services: Services) -> None:
    """A first batch as it might be: cases as many as an analyst is shown, and texts to remember, too few to train on.

    Nobody has written or labelled them yet.
    """
    drafts = read_all_drafts(services, 1)[: LEAST - 1]
    seed = services.memory.samples("seed")[0]
    services.memory.remember(
        examples=[
            Example(
                text=draft.text,
                label=seed.label,
                split="train",
                origin=Origin(source=draft.source, target_class=draft.target_class),
            )
            for draft in drafts
        ]
    )
    cases = [
        Case(id=f"{n:016x}", text=draft.text, label=seed.label, before=services.task.stand_in(None), after=seed.label,
             before_probability=0.4, after_probability=0.6, right_before=n % 2 == 0, right_after=True)
        for n, draft in enumerate(drafts)
    ]  # fmt: skip
    services.folder.write_rows(services.folder.cycle(1) / "cases.jsonl", cases)


def _first_of_each(asked: Sequence[Asked]) -> tuple[Asked, ...]:
    kinds: dict[tuple[str, str, bool], Asked] = {}
    for each in asked:
        name = each.schema.__name__ if each.schema else "completion"
        kinds.setdefault((each.role, name, each.prompt.lesson is None), each)
    return tuple(kinds.values())


def _doubts(config: RunConfig, made: Estimate) -> list[str]:
    need, budget, found = made.expected, config.budget, []
    tokens = need.tokens_in + need.tokens_out
    for name, limit, wanted in (
        ("max_usd", budget.max_usd, need.usd), ("max_tokens", budget.max_tokens, tokens),
        ("max_calls", budget.max_calls, need.calls),
    ):  # fmt: skip
        if limit is not None and wanted is not None and wanted > limit:
            share = limit / wanted
            found.append(f"budget.{name} = {limit:g} is {share:.0%} of what the run is expected to take")
    if not config.task.description.strip():
        found.append("task.description is empty: the teacher knows the labels' names alone")
    if bare := [name for name, text in make_task(config.task).labels.items() if not text.strip()]:
        found.append(f"labels without a description: {first_of(bare, 5)}; one line each is cheap help")
    if (n := made.seeds_only.get("n")) and n < 50:
        found.append(f"the dev set has {n:.0f} rows: differences below {100 / math.sqrt(n):.0f} points cannot be told")
    return [*found, *(made.agreement.doubts if made.agreement else [])]
