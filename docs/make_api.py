"""Write `docs/api.md` from the docstrings of all that `evokd.__all__` names: `make docs`."""

import re
from pathlib import Path

import griffe
import griffe2md
import mdformat

import evokd

ROOT = Path(evokd.__file__).parent
PAGE = ROOT / "docs" / "api.md"

STYLE: griffe2md.ConfigDict = {
    "heading_level": 3,
    "show_root_full_path": False,
    "show_root_members_full_path": False,
    "show_object_full_path": False,
    "show_signature_annotations": True,
    "show_if_no_docstring": False,
    "members_order": "source",
    "summary": False,
    "show_bases": False,
    "docstring_section_style": "list",
    "filters": ["!^_", "!^model_config$"],
}  # type: ignore[typeddict-item]

HEAD = """# The library

All of `import evokd`, made from the docstrings by `make docs`; every example is run as a test. What a part of your own
can be tested with is in `evokd.testing`."""


def page() -> str:
    """The whole page: a section a module, the functions first."""
    homes = dict(sorted(evokd._HOMES.items(), key=lambda home: home[0] != "api"))
    sections = [HEAD]
    for module, names in homes.items():
        path = ROOT / f"{module.replace('.', '/')}.py"
        code = path.read_text(encoding="utf-8")
        read = griffe.visit(module, path, code, docstring_parser=griffe.Parser.google)
        told = read.docstring.value.splitlines()[0] if read.docstring else module
        sections.append(f"## {told.rstrip('.')} (`evokd.{module}`)")
        sections += [
            griffe2md.render_object_docs(read[name], STYLE) for name in sorted(names.split(), key=str.swapcase)
        ]
    without_links = re.sub(
        r"\[([^\]\n]+)\]\(#[\w.]+\)", r"\1", "\n\n".join(sections)
    )  # types have no place on the page
    formatted: str = mdformat.text(without_links)
    return formatted


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
