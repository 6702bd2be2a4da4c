"""Can the student's probabilities be trusted, and what does it gain by saying nothing where it is unsure?

The test set's view of the probabilities is in `result.json`; what the run learnt about them without it is in
`confidence.json` beside the best student.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ..charts import Curve, curves_chart
from ..document import Picture, Section, Table
from ..run_files import Row, Run
from ..wording import calibration_line

RISKS = (0.01, 0.02, 0.05, 0.1)
"""Shares of wrong answers that the table has."""

Point = tuple[float, float]
"""Two shares, 0 to 1."""


def reliability(run: Run) -> Section | None:
    """The section, if anything is known."""
    calibration = (run.result or {}).get("calibration")
    confidence = run.made_at_the_end(run.best_folder / "confidence.json") or {}
    answers = _ranked(confidence)
    if not (calibration or answers):
        return None
    notes = [calibration_line(calibration)] if calibration else []
    tables = []
    if answers:
        whose = "dev file" if confidence.get("source") == "dev" else "training texts, each answered by a fit without it"
        notes.append(
            "Coverage is the share of texts that are answered, the surest first; risk is how many of the answers are "
            f"wrong. From {len(answers)} rows of the {whose}."
        )
        rows = [[f"{risk:.0%}", f"{_coverage(answers, risk):.0%}"] for risk in RISKS]
        tables.append(Table(("wrong, at most", "texts answered"), rows, "What `predict --abstain` leaves unanswered"))
    return Section("Is it sure when it is right?", notes, tables=tables, pictures=_pictures(calibration, answers))


def _ranked(confidence: Row) -> list[bool]:
    """Whether each known answer was right, the surest first."""
    pairs = zip(confidence.get("confidences", []), confidence.get("right", []), strict=False)
    return [bool(right) for _, right in sorted(pairs, key=lambda pair: -float(pair[0]))]


def _curve(answers: Sequence[bool]) -> list[Point]:
    """(coverage, risk) at every number of answers; one more than were given counts, and counts as wrong."""
    wrong, curve = 0, []
    for count, right in enumerate(answers, start=1):
        wrong += not right
        curve.append((count / len(answers), (wrong + 1) / (count + 1)))
    return curve


def _coverage(answers: Sequence[bool], risk: float) -> float:
    return max((coverage for coverage, expected in _curve(answers) if expected <= risk), default=0.0)


def _pictures(calibration: Any, answers: Sequence[bool]) -> list[Picture]:
    found = []
    if calibration and calibration["after"]["n"]:
        sides = (("without temperature", "before"), ("student", "after"))
        lines = [Curve(name, *_percents(_bins(calibration[side]))) for name, side in sides]
        lines.append(Curve("as sure as right", [0.0, 100.0], [0.0, 100.0]))
        found.append(
            Picture(partial(curves_chart, lines, "how sure, %", "right, %"), "How often it is right when it is so sure")
        )
    if answers:
        lines = [Curve("student", *_percents(_curve(answers)))]
        found.append(
            Picture(partial(curves_chart, lines, "answered, %", "wrong, %"), "What is wrong of what is answered")
        )
    return found


def _bins(side: Row) -> list[Point]:
    """(mean confidence, accuracy) of every bin."""
    return [(float(row["confidence"]), float(row["accuracy"])) for row in side["bins"]]


def _percents(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [100 * x for x, _ in points], [100 * y for _, y in points]
