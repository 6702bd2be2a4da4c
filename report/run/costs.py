"""What the teacher cost, from the ledger: by role, by cycle, and for every text that was accepted."""

from collections.abc import Sequence

from ..document import Figure, Section, Table
from ..run_files import Row, Run

FIGURES = ("calls", "reused", "in", "cached", "out", "usd", "seconds", "repaired", "bad")
"""Paid calls, answers from our own cache, tokens in, those of them that the server had in its prompt cache, tokens out,
money, seconds, answers that were right at the second asking, and answers that could not be used."""

MORE = 10_000
"""Tokens that `more_would_buy` speaks of."""


def costs(run: Run) -> Section:
    """By role, by cycle, and per accepted text."""
    tables = [_table("By role", "role", run.ledger), _table("By cycle", "cycle", run.ledger)]
    return Section("What it cost", [per_text(run)], tables=tables)


def spent(run: Run) -> Figure:
    """All of it in a line."""
    paid = _paid(run.ledger)
    usd, minutes = _usd(paid), sum(sum(row["seconds"].values()) for row in run.metrics) / 60
    tokens = f"{_tokens(paid):,} tokens in {len(paid):,} calls of the teacher, {minutes:,.0f} minutes of work"
    if usd is None:
        return Figure("What it cost", "price unknown", tokens)
    return Figure("What it cost", f"{usd:.2f} USD" if usd >= 0.1 or not usd else f"{usd:.4f} USD", tokens)


def per_text(run: Run) -> str:
    """What one accepted text cost, all roles together, as a sentence."""
    kept, paid = _accepted(run), _paid(run.ledger)
    tokens = _tokens(paid)
    if not kept:
        return f"No text is accepted yet; {tokens:,} tokens are spent."
    usd = _usd(paid)
    money = "money unknown" if usd is None else f"{usd / kept:.5f} USD"
    return f"{kept} accepted texts, gate included: {tokens / kept:,.0f} tokens and {money} each, all roles together."


def more_would_buy(run: Run) -> str:
    """How many texts a higher limit would bring, a line; empty where there are none to go by."""
    done = {row["cycle"] for row in run.metrics}  # texts of a cycle that the limit cut off are not counted yet
    kept, paid = _accepted(run), [row for row in _paid(run.ledger) if row["cycle"] in done]
    tokens, usd = _tokens(paid), _usd(paid)
    if not kept or not tokens:
        return ""
    money = f" ({MORE * usd / tokens:.4f} USD)" if usd else ""
    return (
        f"Another {MORE:,} tokens{money} would buy about {MORE * kept / tokens:,.0f} accepted texts: "
        f"the {kept} so far took {tokens:,}.\n"
    )


def until(run: Run, cycle: int) -> tuple[int, float | None]:
    """Tokens and money up to the end of a cycle; None where a price is unknown."""
    paid = [row for row in _paid(run.ledger) if row["cycle"] <= cycle]
    return _tokens(paid), _usd(paid)


def _table(title: str, key: str, ledger: Sequence[Row]) -> Table:
    groups: dict[str, list[Row]] = {}
    for row in ledger:
        groups.setdefault(str(row[key]), []).append(row)
    rows = [[name, *_figures(found)] for name, found in groups.items()]
    if len(groups) > 1:
        rows.append(["all", *_figures(ledger)])
    return Table((key, *FIGURES), rows, title)


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
    rows = [row for row in run.samples if row["split"] in ("train", "gate")]
    return sum(row["status"] == "kept" for row in rows)


def _tokens(paid: Sequence[Row]) -> int:
    return sum(row["input"] + row["output"] for row in paid)


def _paid(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row["from_cache"]]


def _usd(paid: Sequence[Row]) -> float | None:
    prices = [row["usd"] for row in paid]
    return None if None in prices else float(sum(prices))
