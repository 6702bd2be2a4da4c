"""A report as one page that needs no other: every text is escaped, and a browser runs the one script of ours alone."""

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from ..charts import MISSING, is_there
from ..document import Document, Figure, Picture, Section, Table

MOST_ROWS = 200
"""Rows of a table that the page shows."""

LONG = 60
"""Characters of a cell from which on its column is kept wide: a narrow one would be a tower of words on a phone."""

MADE = '<meta name="generator" content="EvoKD">'
"""By which a page is known as ours."""

LIVE = (
    '<aside aria-label="The run now" data-token="{}"><p role="status" id="now">Connecting.</p>'
    '<p id="more"></p><progress id="share" aria-label="This step" hidden></progress>'
    '<p><button id="stop" disabled>Stop after this step</button> <button id="again" hidden>Show the new cycle</button>'
    "</p></aside>\n"
)
"""What stands above a page that is live."""

WIDGETS = {
    "browser": "The texts can be looked through where JavaScript is allowed. All of them are in samples.jsonl.",
    "map": "The map is drawn where JavaScript is allowed.",
}
"""What the script puts somewhere -> what stands there without it."""


def html(document: Document, token: str = "") -> str:
    """The whole report as a page.

    Args:
        document: the report.
        token: makes it the live page of a server, whose button to stop sends this.
    """
    style, scripts = _own("page.css"), [_own("page.js"), *([_own("watch.js")] if token else [])]
    # Our own script and style are known by their hashes. Nothing else runs, and nothing is fetched from elsewhere.
    hashes = " ".join(f"'{_hash(script)}'" for script in scripts)
    policy = f"default-src 'none'; script-src {hashes}; style-src '{_hash(style)}'; base-uri 'none'"
    policy += "; connect-src 'self'" if token else ""
    live = LIVE.format(escape(token, quote=True)) if token else ""
    first, *others = document.sections
    links = "".join(f'<li><a href="#s{n}">{escape(each.title)}</a></li>' for n, each in enumerate(others, start=1))
    nav = f'<nav aria-label="Sections"><ul>{links}</ul></nav>' if len(others) > 1 else ""
    pictures = any(section.pictures for section in document.sections)
    missing = f'<p class="note">{escape(MISSING)}</p>' if pictures and not is_there() else ""
    parts = [_section(first, 2, ""), nav, missing, *(_section(each, 2, f"s{n}") for n, each in enumerate(others, 1))]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{MADE}'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(document.title)}</title>\n'
        f"<style>{style}</style></head>\n<body>{live}<main><h1>{escape(document.title)}</h1>\n"
        + "\n".join(filter(None, parts))
        + f'\n</main><script type="application/json" id="data">{embedded(document.texts)}</script>\n'
        + "".join(f"<script>{script}</script>" for script in scripts)
        + "</body></html>\n"
    )


@cache
def _own(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


def embedded(value: Any) -> str:
    """JSON in which no text can end the element that holds it."""
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return said.replace("<", "\\u003c").encode("utf-8", "replace").decode()


def _section(section: Section, level: int, name: str) -> str:
    tag, identity = ("section" if level == 2 else "article"), f' id="{name}"' if name else ""
    body = [
        _figures(section.figures),
        *(f"<p>{escape(note)}</p>" for note in section.notes),
        _facts(section.facts),
        _pictures(section.pictures),
        *map(_table, section.tables),
        _listing(section.listing),
        f'<div data-widget="{section.widget}"><p>{WIDGETS[section.widget]}</p></div>' if section.widget else "",
        *(_section(part, level + 1, "") for part in section.parts),
    ]
    heading = f"<h{level}>{escape(section.title)}</h{level}>"
    return f"<{tag}{identity}>{heading}\n" + "\n".join(filter(None, body)) + f"\n</{tag}>"


def _figures(figures: list[Figure]) -> str:
    each = (
        f"<div><dt>{escape(figure.name)}</dt><dd><strong>{escape(figure.value)}</strong>"
        f"<span>{escape(figure.remark)}</span></dd></div>"
        for figure in figures
    )
    return f'<dl class="figures">{"".join(each)}</dl>' if figures else ""


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    each = [
        f"{'' if number and facts[number - 1][0] == name else f'<dt>{escape(name)}</dt>'}<dd>{escape(said)}</dd>"
        for number, (name, said) in enumerate(facts)
    ]
    return f'<dl class="facts">{"".join(each)}</dl>' if facts else ""


def _pictures(pictures: Sequence[Picture]) -> str:
    """The charts side by side; none without the library that draws them."""
    return f'<div class="pictures">{"".join(map(_picture, pictures))}</div>' if pictures and is_there() else ""


def _picture(picture: Picture) -> str:
    return f"<figure>{picture.svg}<figcaption>{escape(picture.caption)}</figcaption></figure>"


def _listing(text: str) -> str:
    return f"<details><summary>Show</summary><pre>{escape(text)}</pre></details>" if text else ""


def _table(table: Table) -> str:
    shown, cut = table.first(MOST_ROWS)
    columns = [shown.is_numeric(column) for column in range(len(shown.header))]
    head = "".join(
        f'<th scope="col"{" class=n" if is_numeric else ""}>{escape(value)}</th>'
        for value, is_numeric in zip(shown.header, columns, strict=True)
    )
    body = "\n".join(f"<tr>{_row(shown, number, columns)}</tr>" for number in range(len(shown.rows)))
    caption = f"<caption>{escape(shown.title)}</caption>" if shown.title else ""
    more = f"<p>{cut:,} more rows are left out here.</p>" if cut else ""
    name = escape(shown.title or ", ".join(shown.header[:3]), quote=True)
    # A region that scrolls must be reached by the keyboard, and have a name then.
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{name}"><table>{caption}'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>{more}"
    )


def _row(table: Table, row: int, is_numeric: Sequence[bool]) -> str:
    cells = []
    for column, value in enumerate(table.rows[row]):
        said = escape(value)
        if query := table.opens.get((row, column)):
            name = f"{value}: {table.rows[row][0]}, {table.header[column]}. Show the texts"
            asked = escape(json.dumps(query), quote=True)
            said = f'<button disabled data-query="{asked}" aria-label="{escape(name, quote=True)}">{said}</button>'
        if column == 0:
            cells.append(f'<th scope="row">{said}</th>')
        else:
            kinds = ["n"] if is_numeric[column] else ["long"] if len(value) > LONG else []
            kinds += [f"shade-{shade}"] if (shade := table.shades.get((row, column))) else []
            cells.append(f'<td class="{" ".join(kinds)}">{said}</td>' if kinds else f"<td>{said}</td>")
    return "".join(cells)
