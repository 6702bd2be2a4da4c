"""What a student has learnt: how many texts of which source, by whom, under which terms."""

from .facts import RunFacts, Texts
from .markdown import plain, table

SOURCES = {
    "gold": "the author's own examples, labelled by the author",
    "pool": "the author's own texts, labelled by the teacher",
    "typical": "written by the teacher as typical of a label",
    "hard": "written by the teacher for what the student got wrong",
    "probe": "written by the teacher in a shape not seen before",
    "rewrite": "the author's examples in other words, written by the teacher",
}


def made_of(texts: Texts) -> str:
    """A table of the sources."""
    rows = [(each, SOURCES[each], str(count)) for each, count in texts.sources.items() if count]
    return table(("source", "what it is", "texts"), [*rows, ("", "**all**", str(texts.total))])


def terms(run: RunFacts) -> str:
    """Who wrote and labelled, and what that means for a licence."""
    written = f"Texts were written by {plain(run.writer)}" if run.texts.written else "The teacher wrote no text"
    names = " and ".join(map(plain, run.texts.teachers))
    who = f"{written}, and labelled by {names}." if names else f"{written}."
    if run.embedded:
        return f"{who} It comes with EvoKD and is under Apache-2.0, which says nothing of what a model writes."
    return (
        f"{who} **Terms of the teacher**: providers of language models limit what may be done with the answers "
        "(OpenAI, for one, forbids to build models that compete with its own), and licences of open weights may, too. "
        "EvoKD does not know the terms that held here. Whoever shares or uses this should read them."
    )
