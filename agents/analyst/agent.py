"""The analyst: where does the student fail, and what was never covered? Its lessons aim the next texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, NonNegativeInt

from ...tasks.base import Lesson
from ...tasks.guidelines import Guidelines, listed
from ...teacher.base import Message, Prompt
from ..base import Case, Services, State
from ..batch_stats import BatchStats, add_stats
from ..cases import cross_fit, last_batch
from ..guidelines import read_guidelines
from ..prompting import About, brief, prompt
from .evidence import Evidence, gather
from .failed_lessons import describe_failed_lessons, find_repeated_failures

WRONG = 12
"""Cases the student got wrong that are shown."""

SIMILAR = 3
"""Past errors like each of the worst of them, taken from memory."""


class LessonAnswer(BaseModel):
    """One pattern of failure in the teacher's words."""

    name: str
    pattern: str
    advice: str
    cases: list[int]


class ProbeAnswer(BaseModel):
    """A shape of text that nobody has written yet."""

    name: str
    shape: str
    advice: str


class Analysis(BaseModel):
    """What the analyst answers."""

    lessons: list[LessonAnswer]
    probe: ProbeAnswer | None


class WaryLesson(LessonAnswer):
    """A lesson that says whether it rests on a guideline nobody has confirmed."""

    assumes: int | None
    """Number of that guideline."""


class WaryAnalysis(BaseModel):
    """What the analyst answers where guidelines are assumed."""

    lessons: list[WaryLesson]
    probe: ProbeAnswer | None


@dataclass(frozen=True)
class Analyst:
    """Turns computed evidence and real cases into a few lessons and one probe (the paper's weakness analysis).

    Its conversation is kept; the paper's generator goes on with it, the annotator never sees it.
    """

    lessons: NonNegativeInt = 3
    correct: bool = True
    """Show correctly predicted cases as well, the least sure first (the paper's `w/o Correct` turns it off)."""
    probe: bool = True
    """Ask for one shape of text never written yet."""
    crossfit: bool = True
    """Analyse what is wrong among all kept texts, each under a student that has learnt others. Off: among the last
    batch, under the student that had not seen it (the paper)."""

    def __call__(self, state: State, services: Services) -> State:
        """Write this cycle's lessons, or none if the cycle's texts are to cover the classes in breadth."""
        if state["batch_kind"] != "lessons":
            return State(lessons=[])
        cycle = state["cycle"]
        evidence = self._evidence(services, cycle)
        stats = state.get("stats", {})
        if services.teacher.prompting("analyst") == "completion":
            lessons = self._word_lessons(evidence, services, cycle)
        else:
            lessons, stats = self._analyse(evidence, services, cycle, stats)
        if gone := {lesson.id for lesson in find_repeated_failures(services, lessons)}:
            stats = add_stats(stats, lessons_refused={"did not pay twice": len(gone)})
        lessons = [lesson for lesson in lessons if lesson.id not in gone]
        services.memory.remember(lessons=lessons)
        return State(lessons=[lesson.id for lesson in lessons], stats=stats)

    def _evidence(self, services: Services, cycle: int) -> Evidence:
        if self.crossfit and (cases := cross_fit(services, cycle)):
            return gather(services, cases, WRONG, self.correct, SIMILAR, services.task.max_difficulty)
        return gather(services, last_batch(services, cycle - 1), WRONG, self.correct, SIMILAR)

    def _analyse(
        self, evidence: Evidence, services: Services, cycle: int, stats: BatchStats
    ) -> tuple[list[Lesson], BatchStats]:
        guidelines = read_guidelines(services)
        request = prompt(
            "analyst/lessons",
            task=services.task.describe(),
            tables=evidence.tables(),
            wrong=evidence.wrong_cases(),
            correct=evidence.correct_cases(),
            past=evidence.past_cases(),
            lessons=self.lessons,
            guidelines=guidelines.told(),
            assumed=prompt("analyst/assumed", assumed=listed(guidelines.assumed)) if guidelines.assumed else "",
            unpaid=describe_failed_lessons(services),
            probe=prompt("analyst/probe", covered=evidence.covered()) if self.probe else "Set `probe` to null.",
        )
        messages = (Message(role="user", content=request),)
        bar = services.bar("analysing the errors")
        form: type[Analysis] | type[WaryAnalysis] = WaryAnalysis if guidelines.assumed else Analysis
        about = About(purpose="analysis", count=self.lessons, cases=evidence.labelled())
        [answer] = services.teacher.ask(
            [Prompt(messages, about=about)], form, role="analyst", cycle=cycle, progress=bar
        )
        if answer.value is None:
            return _derive_lessons(evidence, cycle)[: self.lessons], add_stats(stats, analysis_failed=1)
        conversation = [*messages, Message(role="assistant", content=answer.text)]
        services.folder.write_json(services.folder.cycle(cycle) / "conversation.json", conversation)
        sound = [each for each in answer.value.lessons if not _rests_on_assumption(each, guidelines)]
        if guessed := len(answer.value.lessons) - len(sound):
            stats = add_stats(stats, lessons_refused={"rest on an assumed guideline": guessed})
        lessons = [_lesson(each, evidence.cases, cycle) for each in sound]
        kept = [lesson for lesson in lessons if lesson.evidence][: self.lessons]
        if uncited := sum(not lesson.evidence for lesson in lessons):
            stats = add_stats(stats, lessons_refused={"cite no case": uncited})
        return _make_ids_unique([*kept, *self._probe(answer.value.probe, cycle)]), stats

    def _probe(self, answer: ProbeAnswer | None, cycle: int) -> list[Lesson]:
        if answer is None or not self.probe:
            return []
        name = f"probe {answer.name[:80]}"
        lesson = Lesson(
            id=_slug(cycle, name), name=name, pattern=answer.shape, advice=answer.advice, kind="probe", cycle=cycle
        )
        return [lesson]

    def _word_lessons(self, evidence: Evidence, services: Services, cycle: int) -> list[Lesson]:
        """Lessons computed from the confusions; a small model only puts the pattern into words."""
        lessons = _derive_lessons(evidence, cycle)[: self.lessons]
        by_id = {case.id: case for case in evidence.cases}
        prompts = [
            Prompt(
                prompt(
                    "analyst/completion",
                    cases="\n".join(f"- {brief(by_id[i].text)}" for i in lesson.evidence),
                    pattern=lesson.pattern,
                ),
                lesson=lesson.id,
                about=About(purpose="advice", lesson_name=lesson.name),
            )
            for lesson in lessons
        ]
        bar = services.bar("wording the lessons")
        answers = services.teacher.complete(prompts, role="analyst", cycle=cycle, stop=["\n"], progress=bar)
        return [
            lesson.model_copy(update={"advice": answer.text.strip() or lesson.advice})
            for lesson, answer in zip(lessons, answers, strict=True)
        ]


def _rests_on_assumption(answer: LessonAnswer, guidelines: Guidelines) -> bool:
    """Whether a lesson would drill what nobody has confirmed."""
    return (
        isinstance(answer, WaryLesson) and answer.assumes is not None and 1 <= answer.assumes <= len(guidelines.assumed)
    )


def _lesson(answer: LessonAnswer, cases: Sequence[Case], cycle: int) -> Lesson:
    cited = dict.fromkeys(cases[number - 1].id for number in answer.cases if 1 <= number <= len(cases))
    return Lesson(
        id=_slug(cycle, answer.name),
        name=answer.name[:80],
        pattern=answer.pattern,
        advice=answer.advice,
        evidence=tuple(cited),
        cycle=cycle,
    )


def _derive_lessons(evidence: Evidence, cycle: int) -> list[Lesson]:
    """One lesson per frequent confusion, without an LLM."""
    lessons = [
        Lesson(
            id=_slug(cycle, f"{label} taken for {taken}"),
            name=f"{label} taken for {taken}",
            cycle=cycle,
            pattern=f"{label} that looks like {taken}",
            advice=f"Show what tells {label} from {taken}.",
            evidence=tuple(
                case.id for case in evidence.wrong if (label, taken) in evidence.task.mistakes(case.label, case.before)
            )[:6],
        )
        for (label, taken), _ in evidence.confusions
    ]
    return _make_ids_unique([lesson for lesson in lessons if lesson.evidence])


def _make_ids_unique(lessons: Sequence[Lesson]) -> list[Lesson]:
    """The lessons with an id of its own for each: a teacher may use one name twice, and memory keeps one per id."""
    told: dict[str, Lesson] = {}
    for lesson in lessons:
        name, number = lesson.id, 2
        while name in told:
            name, number = f"{lesson.id}-{number}", number + 1
        told[name] = lesson.model_copy(update={"id": name})
    return list(told.values())


def _slug(cycle: int, name: str) -> str:
    words = re.sub(r"[\W_]+", "-", name.lower()).strip("-")
    return f"{cycle}-{words[:60]}"
