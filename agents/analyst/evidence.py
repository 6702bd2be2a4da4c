"""What is known about the student's failures before anyone asks an LLM: tables and real cases."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...tasks.base import ErrorCase
from ...tasks.task import Task
from ..base import Case, Services
from ..prompting import Labelled, brief


@dataclass(frozen=True)
class Evidence:
    """Cases, split into wrong and correct, with what memory adds."""

    task: Task
    wrong: tuple[Case, ...]
    """Of every confusion its share; not too hard first, then what stays wrong after training, then the least likely."""
    correct: tuple[Case, ...]
    """The least sure first; empty where the setting leaves them out."""
    past: tuple[ErrorCase, ...]
    """Earlier errors like the present ones."""
    per_label: dict[str, tuple[int, int]]
    """Label -> (texts in which it was found rightly, texts that have it)."""
    confusions: tuple[tuple[tuple[str, str], int], ...]
    """((label, taken for), how often), the most frequent first."""
    subtypes: tuple[tuple[str, int], ...]
    """Subtypes written so far and how many texts each has."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """All shown cases in the order of their numbers in the prompt."""
        return (*self.wrong, *self.correct)

    def tables(self) -> str:
        """Scores per label and confusion pairs."""
        rows = [f"- {label}: {right} of {total} right" for label, (right, total) in self.per_label.items()]
        pairs = [f"- {label} taken for {taken}: {count}" for (label, taken), count in self.confusions]
        return "\n".join([f"Per {self.task.part}:", *rows, "Confusions:", *(pairs or ["- none"])])

    def labelled(self) -> list[Labelled]:
        """The wrong cases as data, in the order of their numbers, which begin at one."""
        say = self.task.say
        return [
            Labelled(text=brief(each.text), label=say(each.text, each.label), said=say(each.text, each.before))
            for each in self.wrong
        ]

    def wrong_cases(self) -> str:
        """The numbered wrong cases."""
        lines = [
            f"[{number}] {case['text']}\n    right: {case['label']}; the model said: {case['said']}"
            for number, case in enumerate(self.labelled(), start=1)
        ]
        return "\n".join(lines) or "(none)"

    def correct_cases(self) -> str:
        """The numbered correct cases under their heading; nothing where they are left out."""
        lines = [
            f"[{number}] {brief(case.text)}\n"
            f"    right: {self.task.say(case.text, case.label)}; the model gave it {case.before_probability:.2f}"
            for number, case in enumerate(self.correct, start=len(self.wrong) + 1)
        ]
        return "\n".join(["It got these right, but some of them only just:\n", *lines]) if lines else ""

    def past_cases(self) -> str:
        """Similar errors of earlier cycles, and whether they were learnt since."""
        lines = [
            f"- {brief(error.example.text)} (right: {self.task.say(error.example.text, error.example.label)}; "
            f"said: {self.task.say(error.example.text, error.predicted)}; "
            f"{'not learnt yet' if error.fixed_in is None else 'learnt since'})"
            for error in self.past
        ]
        return "\n".join(lines) or "(none)"

    def covered(self) -> str:
        """The subtypes that have texts already."""
        return "; ".join(f"{subtype} ({count})" for subtype, count in self.subtypes[:60]) or "(nothing listed)"


def gather(
    services: Services, cases: Sequence[Case], wrong: int, correct: bool, similar: int, max_difficulty: float = 1.0
) -> Evidence:
    """Collect the evidence that cases hold, with what memory adds.

    Args:
        services: memory and task.
        cases: of texts under a student that had not learnt them.
        wrong: most wrong cases.
        correct: whether correct ones belong to it.
        similar: most earlier errors for each of the worst cases.
        max_difficulty: probability of a wrong answer above which a case comes after all others: texts for lessons about
            what a student is sure is something else teach it that cues mean the reverse, or end on a shelf.
    """
    failed = sorted(
        (case for case in cases if not case.right_before),
        key=lambda case: (case.before_sure > max_difficulty, case.right_after, case.after_probability),
    )
    passed = sorted((case for case in cases if case.right_before), key=lambda case: case.before_probability)
    correct_shown = tuple(passed[: max(4, wrong // 2)]) if correct else ()
    task = services.task
    pairs = {case.id: task.mistakes(case.label, case.before) for case in cases}
    per_label = {}
    for label in task.labels:
        have = [case for case in cases if label in task.names(case.label)]
        right = sum(all(there != label for there, _ in pairs[case.id]) for case in have)
        per_label[label] = (right, len(have))
    confusions = Counter(pair for case in failed for pair in pairs[case.id])
    chosen = _apportion([case for case in failed if case.before_sure <= max_difficulty], pairs, confusions, wrong)
    chosen.update([case.id for case in failed if case.id not in chosen][: wrong - len(chosen)])
    shown = [case for case in failed if case.id in chosen]
    samples = services.memory.samples("train")
    subtypes = Counter(f"{s.origin.target_class}: {s.origin.subtype}" for s in samples if s.origin.subtype)
    return Evidence(
        task=task,
        wrong=tuple(shown),
        correct=correct_shown,
        past=_find_past_errors(services, shown, {case.id for case in (*failed, *correct_shown)}, similar),
        per_label=per_label,
        confusions=tuple(confusions.most_common(10)),
        subtypes=tuple(subtypes.most_common()),
    )


def _apportion(
    failed: Sequence[Case],
    pairs: Mapping[str, Sequence[tuple[str, str]]],
    confusions: Mapping[tuple[str, str], int],
    most: int,
) -> set[str]:
    """Ids of failed cases, of every confusion as many as its frequency asks for (D'Hondt's method).

    Where entities are sought the worst are the longest texts, and none of them might show the most frequent confusion.
    Of a confusion the texts with the fewest other mistakes come first.
    """
    left, shown, chosen = sorted(failed, key=lambda case: len(pairs[case.id])), Counter[tuple[str, str]](), set[str]()
    while len(chosen) < most:
        named = {pair for case in left for pair in pairs[case.id]}
        if not named:
            break
        wanted = max(sorted(named), key=lambda pair: confusions[pair] / (1 + shown[pair]))
        case = next(case for case in left if wanted in pairs[case.id])
        left.remove(case)
        chosen.add(case.id)
        shown.update(set(pairs[case.id]))
    return chosen


def _find_past_errors(services: Services, failed: list[Case], present: set[str], k: int) -> tuple[ErrorCase, ...]:
    found: dict[str, ErrorCase] = {}
    for case in failed[:4] if k else ():
        near = services.memory.similar(case.text, k + len(present))
        for error in [error for error in near if error.example.id not in present][:k]:
            found.setdefault(error.example.id, error)
    return tuple(found.values())[: 2 * k]
