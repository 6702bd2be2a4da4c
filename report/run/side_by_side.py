"""Several runs side by side: what each came to, how each learnt, and in which settings they differ."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ..charts import Curve, curves_chart
from ..document import Document, Picture, Section, Table
from ..labels import label_f1
from ..run_files import Run
from ..wording import bounds, interval
from .costs import spent, until

HEADER = ("run", "scored on", "texts", "before", "after", "difference", "teacher tokens", "cost", "cycles")


def side_by_side(runs: Sequence[Run]) -> Document:
    """The comparison of runs as they are. For a fair one, with seeds and a baseline, there is `evokd compare`."""
    names = [run.root.name for run in runs]
    notes = [
        "Each run as it is. They may differ in their data and in chance as well as in what you changed: evokd "
        "compare tells that apart."
    ]
    main = Section("Side by side", notes, tables=[Table(HEADER, [_row(run) for run in runs])])
    sections = [main, _learning(runs), _labels(runs), _settings(runs)]
    return Document(", ".join(names), [each for each in sections if each is not None])


def _row(run: Run) -> list[str]:
    tokens = f"{until(run, run.metrics[-1]['cycle'])[0]:,}" if run.metrics else "0"
    rest = [tokens, spent(run).value, str(max(0, len(run.metrics) - 1))]
    if result := run.result:
        change = result["difference"]
        told = f"{100 * change['value']:+.1f} {bounds(change, '+.1f')}"
        n = f"{result['champion score']['n']:.0f}"
        return [
            run.root.name,
            "test",
            n,
            interval(result["seeds only"]),
            interval(result["champion score"]),
            told,
            *rest,
        ]
    for split in ("dev", "gate"):
        if run.metrics and (after := run.metrics[-1]["scores"].get(split)):
            before = run.metrics[0]["scores"].get(split)
            return [run.root.name, split, f"{after['n']:.0f}", interval(before), interval(after), "-", *rest]
    return [run.root.name, "-", "-", "-", "-", "-", *rest]


def _learning(runs: Sequence[Run]) -> Section | None:
    """The champions' scores over tokens, on the dev file where all have one, else on the gate."""
    for split in ("dev", "gate"):
        curves = [_curve(run, split) for run in runs]
        if all(curve.x for curve in curves):
            caption = f"The champion of every cycle on the {split}{' file' if split == 'dev' else ''}"
            return Section(
                "How they learnt",
                ["Scores of different runs can be compared only where they were scored on the same texts."],
                pictures=[Picture(partial(curves_chart, curves, "teacher tokens", "score, %"), caption)],
            )
    return None


def _curve(run: Run, split: str) -> Curve:
    rows = [row for row in run.metrics if row["scores"].get(split)]
    scores = [row["scores"][split] for row in rows]
    low, high = ([None if score.get(key) is None else 100 * score[key] for score in scores] for key in ("low", "high"))
    x = [float(until(run, row["cycle"])[0]) for row in rows]
    return Curve(run.root.name, x, [100 * score["value"] for score in scores], low, high)


def _labels(runs: Sequence[Run]) -> Section | None:
    scores = [label_f1((row["label"], row["predicted"]) for row in run.tested or run.dev) for run in runs]
    every = sorted(set[str]().union(*scores))
    if not every:
        return None
    rows = [[name, *(f"{100 * each[name]:.0f}" if name in each else "-" for each in scores)] for name in every]
    notes = ["F1 of each label under the best student, in percent: on the test file, or on the dev file without one."]
    return Section("Label by label", notes, tables=[Table(("label", *(run.root.name for run in runs)), rows)])


def _settings(runs: Sequence[Run]) -> Section:
    """The settings that are not the same in all runs."""
    flat = [dict(_flat(run.config)) for run in runs]
    keys = [
        key for key in dict.fromkeys(key for each in flat for key in each) if len({each.get(key) for each in flat}) > 1
    ]
    rows = [[key, *(each.get(key, "-")[:200] for each in flat)] for key in keys]
    return Section("What differs in their configs", tables=[Table(("setting", *(run.root.name for run in runs)), rows)])


def _flat(config: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", str(value)
