"""What the teacher cost, from the ledger: by role, by cycle, and for every text that was accepted."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..run_files import Row, Run

FIGURES = ("calls", "reused", "in", "cached", "out", "usd", "seconds", "repaired", "bad")
"""Paid calls, answers from our own cache, tokens in, those of them that the server had in its prompt cache, tokens out,
money, seconds, answers that were right at the second asking, and answers that could not be used."""

MORE = 10_000
"""Tokens that `more_would_buy` speaks of."""


def by_role(run: Run) -> Table:
    """A line for every role, and one for all."""
    return _table("Teacher", "role", run.rows("ledger.jsonl"))


def print_costs(run: Run) -> None:
    """By role, by cycle, and per accepted text."""
    console = Console(highlight=False)
    ledger = run.rows("ledger.jsonl")
    console.print(_table("By role", "role", ledger))
    console.print()
    console.print(_table("By cycle", "cycle", ledger))
    console.print()
    console.print(per_text(run), soft_wrap=True, markup=False)


def per_text(run: Run) -> str:
    """What one accepted text cost, all roles together, as a sentence."""
    kept, paid = _accepted(run), _paid(run.rows("ledger.jsonl"))
    tokens = _tokens(paid)
    if not kept:
        return f"No text is accepted yet; {tokens:,} tokens are spent."
    usd = _usd(paid)
    money = "money unknown" if usd is None else f"{usd / kept:.5f} USD"
    return f"{kept} accepted texts, gate included: {tokens / kept:,.0f} tokens and {money} each, all roles together."


def more_would_buy(run: Run) -> str:
    """How many texts a higher limit would bring, a line; empty where there are none to go by."""
    done = {row["cycle"] for row in run.metrics}  # texts of a cycle that the limit cut off are not counted yet
    kept, paid = _accepted(run), [row for row in _paid(run.rows("ledger.jsonl")) if row["cycle"] in done]
    tokens, usd = _tokens(paid), _usd(paid)
    if not kept or not tokens:
        return ""
    money = f" ({MORE * usd / tokens:.4f} USD)" if usd else ""
    return (
        f"Another {MORE:,} tokens{money} would buy about {MORE * kept / tokens:,.0f} accepted texts: "
        f"the {kept} so far took {tokens:,}.\n"
    )


def _table(title: str, key: str, ledger: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in (key, *FIGURES):
        table.add_column(name, justify="left" if name == key else "right", no_wrap=True)
    groups: dict[str, list[Row]] = {}
    for row in ledger:
        groups.setdefault(str(row[key]), []).append(row)
    for name, rows in groups.items():
        table.add_row(Text(name), *_figures(rows))
    if len(groups) > 1:
        table.add_row("all", *_figures(ledger))
    return table


def _figures(rows: Sequence[Row]) -> list[str]:
    paid = _paid(rows)
    usd = _usd(paid)
    return [
        str(len(paid)),
        str(len(rows) - len(paid)),
        *(f"{sum(row[key] for row in paid):,}" for key in ("input", "cached_input", "output")),
        "unknown" if usd is None else f"{usd:.4f}",
        f"{sum(row['seconds'] for row in paid):.0f}",
        str(sum(row["outcome"] == "repaired" for row in rows)),
        str(sum(row["outcome"] not in ("ok", "repaired", "answered") for row in rows)),
    ]


def _accepted(run: Run) -> int:
    rows = [row for row in run.rows("samples.jsonl") if row["split"] in ("train", "gate")]
    return sum(row["status"] == "kept" for row in rows)


def _tokens(paid: Sequence[Row]) -> int:
    return sum(row["input"] + row["output"] for row in paid)


def _paid(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row["from_cache"]]


def _usd(paid: Sequence[Row]) -> float | None:
    prices = [row["usd"] for row in paid]
    return None if None in prices else float(sum(prices))
