"""Calls, tokens and money of a cycle, counted from what its agents would ask."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..agents.base import Draft
from ..agents.generator.lengths import tokens_of
from ..tasks.task import Task
from ..teacher.settings import TeacherSettings
from .dry_run import Asked, answer_tokens

FREE_FORM = {"Taxonomy": 900, "Analysis": 700, "WaryAnalysis": 800, "GuidelineDrafts": 600}
"""Tokens of answers that have no texts to count: about."""


@dataclass(frozen=True)
class Cost:
    """Calls and tokens of one cycle, or of all."""

    calls: float = 0
    tokens_in: float = 0
    tokens_out: float = 0
    usd: float | None = 0.0
    """None where a price is unknown."""

    def __add__(self, other: "Cost") -> "Cost":
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Cost(self.calls + other.calls, self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out, usd)

    def times(self, factor: float) -> "Cost":
        """So many of it."""
        usd = None if self.usd is None else factor * self.usd
        return Cost(factor * self.calls, factor * self.tokens_in, factor * self.tokens_out, usd)


def estimate_cost(
    asked: Sequence[Asked], drafts: Sequence[Draft], task: Task, teacher: TeacherSettings
) -> dict[str, Cost]:
    """Role -> what the calls of a cycle need of it.

    Args:
        asked: the calls.
        drafts: the texts that they would bring.
        task: how a label is said.
        teacher: whom each role asks.
    """
    votes = len({each.prompt.sample for each in asked if each.role == "annotator"}) or 1
    written, labelled = answer_tokens(drafts, task, votes)
    out = Counter({"generator": written, "annotator": labelled})
    for each in asked:
        out[each.role] += FREE_FORM.get(each.schema.__name__, 0) if each.schema else 0
    return {role: _need([a for a in asked if a.role == role], out[role], teacher) for role in {a.role for a in asked}}


def _need(asked: Sequence[Asked], out: int, teacher: TeacherSettings) -> Cost:
    forms = Counter(a.schema for a in asked if a.schema)
    schema = sum(count * tokens_of(str(form.model_json_schema())) for form, count in forms.items())
    tokens = sum(tokens_of(a.text) for a in asked) + schema
    return Cost(len(asked), tokens, out, teacher.role(asked[0].role).usd(tokens, out))
