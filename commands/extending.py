"""Commands for whoever writes parts of their own."""

import keyword
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Annotated

import typer

TEMPLATE = Path(__file__).parent / "role_template"


def new_role(
    name: Annotated[str, typer.Argument(help="Name of the role, in lower case: critic.")],
    into: Annotated[
        Path, typer.Option("--into", help="Folder that gets the role's folder.", metavar="FOLDER", file_okay=False)
    ] = Path(),
) -> None:
    """Write the folder of a role of your own: its code, its prompt and its test.

    It works as it stands: it has the teacher read the drafts, and drops those that it would leave out.
    """
    role = _checked(name)
    folder = into / role
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise _refusal(f"{folder} is there already. Choose another name, or remove it.") from None
    for file in sorted(TEMPLATE.rglob("*.txt")):
        place = file.relative_to(TEMPLATE).with_suffix("")
        if place.name in ("role.md", "test.py"):
            place = place.with_name({"role.md": f"{role}.md", "test.py": f"test_{role}.py"}[place.name])
        (folder / place).parent.mkdir(exist_ok=True)
        text = Template(file.read_text(encoding="utf-8")).substitute(role=role, Class=_class_name(role))
        (folder / place).write_text(text, encoding="utf-8")
    typer.echo(
        f"Wrote {folder}/: agent.py, prompts/{role}.md, test_{role}.py.\n"
        f"Test it:  python -m pytest {folder}\n"
        f'Use it, in your config:  order = ["trainer", "evaluator", "analyst", "generator", '
        f'"{role}.agent:{_class_name(role)}", "annotator"]\n'
        f"Run from {into.resolve()}: parts are looked for in the folder that evokd is started in."
    )


def _checked(name: str) -> str:
    """The name, if a folder, a module and a prompt can have it.

    Raises:
        ConfigError: they cannot, or something else has it.
    """
    from ..graph.config.roles import ROLES

    if not (name.isascii() and name.isidentifier() and name.islower() and "_" not in name) or keyword.iskeyword(name):
        raise _refusal(f"{name!r} is no name for a role. Use lower-case letters and digits, a letter first: critic.")
    if name in ROLES:
        raise _refusal(
            f"{name!r} is a role of EvoKD. To replace it, inherit from its class (docs/your-own-parts.md); to add a "
            "role, choose another name."
        )
    if find_spec(name):
        raise _refusal(f"Python has a module {name!r} already, and would import that one. Choose another name.")
    return name


def _class_name(role: str) -> str:
    return role.capitalize()


def _refusal(why: str) -> Exception:
    from ..tasks.errors import ConfigError

    return ConfigError(why)
