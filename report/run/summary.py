"""The first screen of a run: before, after, how sure that is, and what it cost, in words anybody reads."""

from ...tasks.metrics import Score, pooled_difference
from ..document import Figure, Section
from ..run_files import Row, Run
from ..wording import bounds, interval
from .costs import spent

MEASURES = {
    "accuracy": "the share of texts that are labelled right",
    "micro_f1": "F1, the balance of finding every label and saying none that is wrong",
    "f1": "F1: an entity counts where both its place and its type are right",
}
"""Metric of a kind of task -> what it means."""

NAMES = {"dev": "dev file", "gate": "gate"}

FEW, ENOUGH = 0.25, 40
"""Share of usable texts below which a run of so many is warned about: with one in ten, one of four lost points."""


def summary(run: Run) -> Section:
    """What came out, as far as the run has come."""
    about = " ".join(str(run.config.get("task", {}).get("description", "")).split())
    task = [f"The task: {about[:400]}{'…' if len(about) > 400 else ''}"] if about else []
    if not run.metrics:
        return Section("No cycle is finished yet", task)
    if run.result is not None:
        title, figures = _tested(run, run.result)
    else:
        title, figures = _untested(run)
    return Section(title, [*task, *exact(run), *outlook(run), *warnings(run)], [*figures, spent(run)])


def _tested(run: Run, result: Row) -> tuple[str, list[Figure]]:
    before, after = result["seeds only"], result["champion score"]
    n, metric = int(after["n"]), str(result["metric"])
    difference = Score.model_validate(result["difference"])
    return f"{_verdict(difference)}: {_percent(before)} before, {_percent(after)} after", [
        Figure("Before", _percent(before), "a student that learnt your own examples and no more"),
        Figure(
            "After",
            _percent(after),
            f"the best student, on {n:,} test texts that the run never saw. It is {MEASURES.get(metric, metric)}",
        ),
        Figure("How sure", *_how_sure(difference, "other texts of this kind")),
    ]


def _untested(run: Run) -> tuple[str, list[Figure]]:
    """Without a test set: on the dev file, or on the gate, which both had a say in what was kept."""
    first, last = run.metrics[0]["scores"], run.metrics[-1]["scores"]
    split = next((each for each in ("dev", "gate") if last.get(each)), None)
    state = f"{len(run.metrics) - 1} cycles are finished"
    if split is None:
        return f"{state}; nothing has been scored", []
    before, after, n = first.get(split), last[split], int(last[split]["n"])
    said = {"dev": "dev file", "gate": "gate (labelled by the teacher, not by you)"}[split]
    figures = [
        Figure("Before", _percent(before) if before else "-", "a student that learnt your own examples and no more"),
        Figure("After", _percent(after), f"the best student so far, on {n:,} texts of the {said}"),
    ]
    rows = [run.held_out(row["cycle"], split) for row in (run.metrics[0], run.metrics[-1])]
    if rows[0] and [row["id"] for row in rows[0]] == [row["id"] for row in rows[1]]:
        points = [[(float(top), float(bottom)) for top, bottom in (row["points"] for row in side)] for side in rows]
        difference = pooled_difference(points[1], points[0])
        figures.append(Figure("How sure", *_how_sure(difference, f"other texts like those of the {NAMES[split]}")))
        state = f"{_verdict(difference)} so far: {_percent(before)} before, {_percent(after)} now"
    else:
        figures.append(Figure("How sure", bounds(after, ".0f"), "95 % interval of the score after, in percent"))
    has_test = "test" in run.config.get("data", {})
    figures.append(
        Figure(
            "Not yet known" if has_test else "Never tested",
            "test score",
            "the test file is opened when the run has ended"
            if has_test
            else f"there is no test file; the {NAMES[split]} had a say in what was kept, so it flatters a little",
        )
    )
    return state, figures


def _verdict(difference: Score) -> str:
    if difference.low is None or difference.high is None:
        return "The student is what it was" if not difference.value else "Too few texts to tell whether it got better"
    if difference.low > 0:
        return "The student got better"
    return "The student got worse" if difference.high < 0 else "The student may or may not have got better"


def _how_sure(difference: Score, where: str) -> tuple[str, str]:
    gain = f"{100 * difference.value:+.1f} points"
    if difference.low is None or difference.high is None:
        same = "both say the same of every text" if not difference.value else "there are too few texts to tell"
        return gain, same
    told = "Sure" if difference.differs_from(0.0) else "Not sure"
    low, high = (f"{100 * end:+.1f}" for end in (difference.low, difference.high))
    return told, f"{gain} on these texts. On {where}, expect {low} to {high} (95 % interval)"


def _percent(score: Row) -> str:
    return f"{100 * score['value']:.1f} %"


def exact(run: Run) -> list[str]:
    """What the test set said, in figures; nothing before it is opened."""
    if not (result := run.result):
        return []
    difference = result["difference"]
    told = (
        "the same on every text."
        if not difference["value"] and difference["low"] is None
        else f"difference {100 * difference['value']:+.1f} points {bounds(difference, '+.1f')}."
    )
    return [
        f"Test set ({result['seeds only']['n']:.0f} texts, opened at the end), {result['metric']}: "
        f"seeds only {interval(result['seeds only'])}, champion {interval(result['champion score'])}, {told}"
    ]


def outlook(run: Run) -> list[str]:
    """What the gate says, as what it is, and what would help more."""
    return [said for said in (held_out(run), run.outlook) if said]


def held_out(run: Run) -> str:
    """The gate's score as what it is; empty where nothing is held out."""
    score = run.metrics[-1]["scores"].get("gate") if run.metrics else None
    if not score:
        return ""
    rows = [row for row in run.samples if row["split"] == "gate"]
    real = bool(rows) and all(row["origin"].get("source") == "pool" for row in rows)
    whose = "of your own texts, drawn at random" if real else "texts that it wrote itself"
    hides = "where the teacher is wrong" + ("" if real else ", and how your texts differ from its own")
    return (
        f"Agreement with the teacher on {score['n']:.0f} {whose}, before the last training: {interval(score)}. "
        f"It does not show {hides}."
    )


def warnings(run: Run) -> list[str]:
    """What a reader of the figures must know, a sentence each."""
    found = []
    if guessed := len(run.guidelines.assumed):
        found.append(
            f"{guessed} of {len(run.guidelines.guideline)} guidelines are only assumed. Correct them in "
            f"{run.root / 'guidelines.toml'}, and your version counts from then on."
        )
    if warning := _few_usable(run):
        found.append(warning)
    if result := run.result:
        if result["champion"] != run.best:
            found.append(
                f"The run went on after its test set was scored. The figures are of students/{result['champion']}, not "
                f"of the best student now, {run.best}."
            )
        if result["champion"].startswith("final"):
            found.append(
                "The champion is the last student, which learnt the gate's texts too; without them it had "
                f"{interval(result['before the last training'])}."
            )
        if overlap := result["training texts that stand in the test set"]:
            without = interval(result["champion score without those"])
            found.append(
                f"{overlap} training texts are also in the test set; without those the champion has {without}."
            )
    return found


def _few_usable(run: Run) -> str:
    """A warning where hardly any text got a label that was learnt; empty where enough did."""
    stats = [row["stats"] for row in run.metrics]
    written = sum(each.get("drafted", 0) for each in stats)
    usable = sum(each.get("accepted", 0) + each.get("held_out", 0) for each in stats)
    if written < ENOUGH or usable >= FEW * written:
        return ""
    return (
        f"Only {usable} of {written} texts got a usable label. So few texts teach little, and may teach the wrong "
        "thing. `evokd plan` shows whether the teacher labels your own examples as you do, and with a dev file the run "
        "can reject what does harm."
    )
