"""What the report of a comparison says: sections, written once for every face."""

from collections.abc import Sequence
from statistics import fmean

from ...tasks.metrics import Score
from ..document import Document, Section, Table
from .cells import ComparisonRun
from .labels import LabelLine, adaptivity, noise, trend
from .plots import adaptivity_plots, curves_plots
from .statistics import FEWEST_SEEDS, Line, at_equal_tokens, lines

HOW_TO_READ = (
    "Scores are of the best student on the test set, which nothing in a run sees. Mean and standard deviation are over "
    "seeds. A difference is paired: the same seed under the variant and under the baseline. Its 95 % interval over "
    "seeds is Student's t: what another seed would bring. The one over texts is a bootstrap over the test texts, all "
    "seeds together: what other test texts would say of these very students. Won, tied and lost count seeds; in "
    "brackets are those whose own interval over the test texts leaves zero out.",
    "Teacher tokens and USD are what a cell would have cost by itself: an answer that came from the shared cache "
    "counts as much as for the cell that paid for it. What was really paid stands above the tables.",
    "Curves show the champion of every cycle on the dev set (on the gate where there is no dev set), since the test "
    "set is opened when a run has ended: its score is the diamond that stands alone.",
)

HEADINGS = (
    "variant", "score", "seeds", "texts", "difference, over seeds", "over texts", "won / tied / lost", "teacher tokens",
    "usd", "samples learnt",
)  # fmt: skip


def document(comparison: ComparisonRun) -> Document:
    """All of the report: the verdicts, then one part for every task and number of shots, then how to read them."""
    groups = [each for group in comparison.groups for each in _group(comparison, *group)]
    how = Section("How to read this", list(HOW_TO_READ), on_screen=False)
    return Document(f"Comparison {comparison.name}", [_overview(comparison), *groups, how])


def _overview(comparison: ComparisonRun) -> Section:
    finished = sum(bool(cell.result) for cell in comparison.cells)
    notes = [f"{finished} of {len(comparison.cells)} cells are finished. The baseline is {comparison.baseline}."]
    for state, said in (("cut", "were cut short by the budget of the whole"), ("failed", "failed")):
        found = [cell.run.root.name for cell in comparison.cells if cell.state == state]
        if found:
            notes.append(f"{len(found)} cells {said} and are left out of the tables: {', '.join(found)}.")
    for task, shots in comparison.groups:
        notes += [f"{_title(task, shots)}: {_verdict(line)}" for line in lines(comparison, task, shots) if line.pairs]
    return Section("Which is better?", notes, on_screen=False)


def _title(task: str, shots: str) -> str:
    return f"{task}, {'all seed rows' if shots == 'all' else f'shots per label: {shots}'}"


def _group(comparison: ComparisonRun, task: str, shots: str) -> list[Section]:
    table = lines(comparison, task, shots)
    title = _title(task, shots)
    main = Section(title, _notes(table), tables=[Table(HEADINGS, [*map(_row, table)])], pictures=curves_plots(table))
    seeds = [[line.variant, str(seed), _difference(score)] for line in table for seed, score in line.by_seed]
    if seeds:
        main.tables.append(Table(("variant", "seed", "difference over the test texts"), seeds))
    gold = comparison.gold(task)
    found = adaptivity(table)
    return [main, *([_labels(found, title)] if found else []), *([_noise(table, gold, title)] if gold else [])]


def _row(line: Line) -> list[str]:
    if line.mean is None:
        return [line.variant, "-", f"0 of {line.planned}", *["-"] * (len(HEADINGS) - 3)]
    deviation = "" if line.deviation is None else f" ± {100 * line.deviation:.1f}"
    won, tied, lost = line.record
    over_texts = line.difference_over_texts
    return [
        line.variant,
        f"{100 * line.mean:.1f}{deviation}",
        f"{len(line.cells)}" if len(line.cells) == line.planned else f"{len(line.cells)} of {line.planned}",
        str(len(line.cells[0].texts)),
        _difference(line.difference) if line.difference else "-",
        _bounds(over_texts) if over_texts else "-",
        f"{won} / {tied} / {lost} ({line.clear[0]} / {line.clear[1]} clear)" if line.pairs else "-",
        f"{line.tokens:,.0f}",
        "unknown" if line.usd is None else f"{line.usd:.4f}",
        f"{line.samples:.0f}",
    ]


def _difference(score: Score) -> str:
    return f"{100 * score.value:+.1f} {_bounds(score)} (n = {score.n})"


def _bounds(score: Score, sign: str = "+") -> str:
    if score.low is None or score.high is None:
        return "[too few to tell]"
    return f"[{100 * score.low:{sign}.1f}, {100 * score.high:{sign}.1f}]"


def _notes(table: Sequence[Line]) -> list[str]:
    cells = [cell for line in table for cell in line.cells]
    if not cells:
        return ["No cell is finished yet."]
    paid = sum((cell.paid.tokens for cell in cells), 0)
    notes = [*map(_verdict, (line for line in table if line.pairs))]
    notes += [f"Metric: {cells[0].result['metric']}. Paid in these cells: {paid:,} tokens."]
    notes.append(f"A student of the seeds alone has {_untaught(table)}.")
    if unpriced := sum(cell.unpriced for cell in cells):
        notes.append(f"{unpriced} answers came from runs outside this comparison and count as free.")
    if equal := at_equal_tokens(table):
        split = next(cell.curve[0].split for cell in cells if cell.curve)
        each = ", ".join(f"{variant} {100 * score:.1f}" for variant, score in equal[1].items())
        told = f"the last cycle within {equal[0]:,.0f}; the {equal[2]} seeds that all of them have finished"
        notes.append(f"On {split} at equal teacher tokens ({told}): {each}.")
    return notes


def _verdict(line: Line) -> str:
    """Whether a variant is better than the baseline, in a sentence."""
    score, seeds, baseline = line.difference, len(line.pairs), line.pairs[0][1].variant
    assert score is not None
    points = f"{100 * score.value:+.1f} points over {seeds} {'seed' if seeds == 1 else 'seeds'}"
    if seeds < FEWEST_SEEDS:
        return (
            f"{line.variant} against {baseline}: {points}, too few seeds to tell (at least {FEWEST_SEEDS} are needed)."
        )
    if not score.differs_from(0.0):
        return f"{line.variant} and {baseline} cannot be told apart: {points} {_bounds(score)}."
    return f"{line.variant} is {'better' if score.value > 0 else 'worse'} than {baseline}: {points} {_bounds(score)}."


def _untaught(table: Sequence[Line]) -> str:
    """The mean score of the students of the seeds alone; of each variant where they differ, as with other models."""
    scores: dict[str, dict[int, float]] = {
        line.variant: {cell.seed: cell.result["seeds only"]["value"] for cell in line.cells if cell.result}
        for line in table
    }
    by_seed: dict[int, set[float]] = {}
    for each in scores.values():
        for seed, score in each.items():
            by_seed.setdefault(seed, set()).add(score)
    if all(len(found) == 1 for found in by_seed.values()):
        return f"{100 * fmean(score for [score] in by_seed.values()):.1f}"
    return ", ".join(f"{100 * fmean(each.values()):.1f} ({name})" for name, each in scores.items() if each)


def _labels(found: Sequence[LabelLine], title: str) -> Section:
    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f}"

    rows = [
        [each.label, each.variant, percent(each.before), f"{each.samples:.1f}", percent(each.after)] for each in found
    ]
    notes = ["Does the teacher write more where the student was weak, and does it help? Means over seeds, test set."]
    if told := trend(found):
        each = ", ".join(f"{variant} {rho:+.2f} (n = {n} labels)" for variant, (rho, n) in told.items())
        notes.append(f"Rank correlation of F1 before and samples (below zero: more where it was weak): {each}.")
    table = Table(("label", "variant", "F1, seeds only", "samples learnt", "F1, best student"), rows)
    return Section(
        f"{title}: samples per label", notes, tables=[table], pictures=adaptivity_plots(found), on_screen=False
    )


def _noise(table: Sequence[Line], gold: dict[str, object], title: str) -> Section:
    rows = []
    for line in table:
        score = noise(line, gold)
        if score is None:
            rows.append([line.variant, "-", "-", "0"])
        else:
            rows.append([line.variant, f"{100 * score.value:.1f}", _bounds(score, ""), str(score.n)])
    return Section(
        f"{title}: label noise",
        ["Share of learnt pool texts whose label differs from the gold file, all seeds together."],
        tables=[Table(("variant", "wrong labels, %", "95 % interval", "texts with gold"), rows)],
        on_screen=False,
    )
