"""The lessons of a run as stories: what was wrong, on what evidence, what was written for it, and did it help."""

from collections import Counter

from ..document import Section
from ..labels import told
from ..run_files import Row, Run

SHOWN = 3
"""Cases and texts that are shown of a lesson."""

MOST = 60
"""Lessons whose story is told; the others stand in lessons.jsonl."""


def lessons(run: Run) -> Section | None:
    """A story for every lesson, the newest first; None where the run has none."""
    if not run.lessons:
        return None
    cases = {row["id"]: row for row in _cases(run)}
    written: dict[str, list[Row]] = {}
    for sample in run.samples:
        written.setdefault(str(sample["origin"].get("lesson")), []).append(sample)
    newest = sorted(run.lessons, key=lambda each: -each["cycle"])
    notes = [
        "A lesson is a pattern in the student's mistakes that the teacher found. It then wrote texts for it. "
        "Their score is that of a student which had not seen them, then of one that had learnt them. "
        "Whether that helps on other texts is what the gate and the dev file decide, for the cycle as a whole."
    ]
    if len(newest) > MOST:
        notes.append(f"The newest {MOST} of {len(newest)} are told here; lessons.jsonl has all of them.")
    return Section(
        "What the teacher found",
        notes,
        parts=[_story(each, cases, written.get(each["id"], [])) for each in newest[:MOST]],
    )


def _cases(run: Run) -> list[Row]:
    """Every text that a student was tried on before it had learnt it; of one tried twice the later."""
    found = []
    for row in run.metrics:
        for name in ("cases", "crossfitted"):
            found += run.rows(f"cycles/{row['cycle']:03d}/{name}.jsonl")
    return found


def _story(lesson: Row, cases: dict[str, Row], written: list[Row]) -> Section:
    facts = [("Pattern", lesson["pattern"])]
    for case in [cases[each] for each in lesson["evidence"] if each in cases][:SHOWN]:
        right, said = (told(case[key], case["text"]) for key in ("label", "before"))
        facts.append(("Evidence", f"“{brief(case['text'])}” is {right}; the student said {said}"))
    facts.append(("Asked for", lesson["advice"]))
    for sample in written[:SHOWN]:
        label = told(sample["label"], sample["text"])
        facts.append(("Written", f"“{brief(sample['text'])}” ({label}; {sample['status']})"))
    facts += [("Texts", _fates(written)), ("Did it help?", _effect(lesson["effect"]))]
    return Section(f"{lesson['name']} (cycle {lesson['cycle']}, {lesson['kind']})", facts=facts)


def _fates(written: list[Row]) -> str:
    fates = Counter(each["status"] for each in written)
    return ", ".join(f"{count} {fate}" for fate, count in fates.most_common()) or "none"


def _effect(effect: Row) -> str:
    if not effect:
        return "Nothing was tried of it."
    if not effect["samples"]:
        return "None of its texts could be learnt."
    change = f"from {100 * effect['before']:.0f} to {100 * effect['after']:.0f} %"
    fate = "The batch was kept." if effect["kept"] else "The batch was shelved, as it did harm or no good."
    return f"The score on its {effect['samples']:.0f} learnt texts went {change}. {fate}"


def brief(text: str, most: int = 240) -> str:
    """A text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}…"
