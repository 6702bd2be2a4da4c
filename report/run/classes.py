"""Single labels: how well each is learnt, over the cycles and in the end, and what is taken for what."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from ...tasks.metrics import pooled
from ..charts import Curve, curves_chart
from ..document import Picture, Query, Section, Table
from ..labels import NONE, label_f1, label_points, names, slips
from ..run_files import Row, Run
from ..wording import SETS, interval

CURVES = 8
"""Labels whose scores are drawn over the cycles: as many as there are colours."""

SIDE = 15
"""Labels of a matrix; of more, the pairs that are confused most often are listed instead."""

PAIRS = 40


def classes(run: Run) -> list[Section]:
    """The sections about labels; none where nothing was scored."""
    rows, split = (run.tested, "test") if run.tested else (run.dev, "dev")
    if not rows:
        return []
    return [_scores(run, rows, split), _confusions(rows, split)]


def _scores(run: Run, rows: Sequence[Row], split: str) -> Section:
    before = label_f1((row["label"], row["seeds only"]) for row in rows if "seeds only" in row)
    after = {
        name: pooled(each) for name, each in label_points((row["label"], row["predicted"]) for row in rows).items()
    }
    texts = Counter(name for row in rows for name in names(row["label"]))
    learnt = Counter(name for row in run.learnt for name in names(row["label"]))
    worst = sorted(after.items(), key=lambda pair: pair[1].value)
    table = Table(
        ("label", f"{split} texts", "texts learnt", *(["seeds only"] if before else []), "champion"),
        [
            [
                name, str(texts[name]), str(learnt[name]),
                *([f"{100 * before[name]:.0f}" if name in before else "-"] if before else []),
                interval(score.model_dump()),
            ]
            for name, score in worst
        ],
        opens={(row, 1): {"set": SETS[split], "label": name} for row, (name, _) in enumerate(worst) if texts[name]},
    )  # fmt: skip
    notes = [f"F1 of each label on the {split} file in percent, with its 95 % interval, worst first."]
    return Section("Label by label", notes, tables=[table], pictures=_over_cycles(run))


def _over_cycles(run: Run) -> list[Picture]:
    """F1 of every label on the dev file (on the gate without one) over the cycles."""
    cycles = [row["cycle"] for row in run.metrics]
    for split in ("dev", "gate"):
        found = {cycle: rows for cycle in cycles if (rows := run.held_out(cycle, split))}
        if len(found) > 1:
            break
    else:
        return []
    scores = {cycle: label_f1((row["label"], row["predicted"]) for row in rows) for cycle, rows in found.items()}
    common = Counter(name for row in found[max(found)] for name in names(row["label"])).most_common(CURVES)
    curves = [
        Curve(name, there, [100 * scores[cycle][name] for cycle in there])
        for name, _ in common
        if (there := [cycle for cycle in found if name in scores[cycle]])
    ]
    caption = f"Every label over the cycles, on the {SETS[split]}"
    if len(scores[max(found)]) > CURVES:
        caption += f": the {CURVES} most frequent of {len(scores[max(found)])}"
    return [Picture(partial(curves_chart, curves, "cycle", "F1, %", whole=True), caption)]


def _confusions(rows: Sequence[Row], split: str) -> Section:
    title, note = "What is taken for what", f"The best student on the {split} file. A number opens its texts."
    if not all(isinstance(row["label"], str) for row in rows):
        return Section(title, [note], tables=[_found_and_missed(rows, split)])
    counts = Counter((row["label"], row["predicted"]) for row in rows)
    both = sorted({name for pair in counts for name in pair})
    if len(both) > SIDE:
        return Section(title, [note], tables=[_pairs(counts, split)])
    return Section(
        title, [f"{note} A row is a true label, a column what was said."], tables=[_matrix(counts, both, split)]
    )


def _matrix(counts: Counter[tuple[str, str]], both: Sequence[str], split: str) -> Table:
    totals = Counter[str]()
    for (label, _), count in counts.items():
        totals[label] += count
    cells = {
        (row, column): (label, said) for row, label in enumerate(both) for column, said in enumerate(both, start=1)
    }
    opens: dict[tuple[int, int], Query] = {
        place: {"set": SETS[split], "label": label, "said": said}
        for place, (label, said) in cells.items()
        if counts[label, said]
    }
    shades = {place: -(-5 * counts[pair] // totals[pair[0]]) for place, pair in cells.items() if counts[pair]}
    rows = [[label, *(str(counts[label, said] or "") for said in both)] for label in both]
    return Table(("true label", *both), rows, opens=opens, shades=shades)


def _pairs(counts: Counter[tuple[str, str]], split: str) -> Table:
    """The confusions, most frequent first, of a task with too many labels for a matrix."""
    wrong = [(pair, count) for pair, count in counts.most_common() if pair[0] != pair[1]][:PAIRS]
    opens: dict[tuple[int, int], Query] = {
        (row, 2): {"set": SETS[split], "label": label, "said": said} for row, ((label, said), _) in enumerate(wrong)
    }
    rows = [[label, said, str(count)] for (label, said), count in wrong]
    return Table(("true label", "taken for", "texts"), rows, f"The {len(wrong)} most frequent confusions", opens)


def _found_and_missed(rows: Sequence[Row], split: str) -> Table:
    """Of several labels a text, and of entities: how many texts have a label rightly, miss it, or have it wrongly."""
    found, missed, extra = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        gone, wrong = map(set, slips(row["label"], row["predicted"]))
        missed.update(gone)
        extra.update(wrong)
        found.update((names(row["label"]) - gone) or ({NONE} if not row["label"] and not row["predicted"] else set()))
    every = sorted(found | missed | extra)
    table = [[name, str(found[name]), str(missed[name]), str(extra[name])] for name in every]
    opens: dict[tuple[int, int], Query] = {}
    for number, name in enumerate(every):
        for column, (count, result) in enumerate(((missed, "missed"), (extra, "extra")), start=2):
            if count[name]:
                opens[number, column] = {"set": SETS[split], "label": name, "result": result}
    return Table(("label", "all found", "missed in", "said wrongly in"), table, opens=opens)
