"""The short top-level names work everywhere: in the checkout, installed, as a wheel, beside another `agents`."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.parts import ROOT

pytestmark = pytest.mark.slow

NAMES = ("agents", "graph", "memory", "report", "student", "tasks", "teacher")

WHERE = """
import sys
main = __import__(sys.argv[1], fromlist=["main"]).main
code = main(["--help"])
import agents.base, graph.config, report.reading, tasks.base
print(code, *(module.__file__ for module in (agents, graph, report, tasks, agents.base)), sep="\\n", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, so that a build leaves nothing in the real one."""
    copy = tmp_path_factory.mktemp("checkout") / "project"
    shutil.copytree(ROOT, copy, ignore=lambda folder, names: {n for n in names if n.startswith(".") or n in SKIPPED})
    return copy


SKIPPED = {"runs", "compare", "build", "dist", "__pycache__"}


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, checkout)
    [found] = out.glob("*.whl")
    return found


def pip(python: str | Path, *words: str | Path) -> None:
    """Run this environment's pip for another environment; it never asks an index."""
    command = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run([*map(str, command), "--no-index"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def environment(folder: Path) -> Path:
    """A new environment that sees the packages of this one, and installs into its own folder; gives its `bin`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "seen.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin"


def other_agents(folder: Path) -> Path:
    """A wheel that owns a top-level `agents`, as openai-agents does."""
    path = folder / "other_agents-1.0-py3-none-any.whl"
    files = {
        "agents/__init__.py": "raise ImportError('the wrong agents')\n",
        "other_agents-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: other-agents\nVersion: 1.0\n",
        "other_agents-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        record = "other_agents-1.0.dist-info/RECORD"
        archive.writestr(record, "".join(f"{name},,\n" for name in (*files, record)))
    return path


def works(binary: Path, module: str, home: Path, elsewhere: Path) -> None:
    """`evokd --help` from another folder, and the `agents` that is imported lies in `home`."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [binary / "evokd", "--help"], cwd=elsewhere, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout.startswith("Usage: evokd"), done.stderr
    imports(binary / "python", module, home, elsewhere, env)


def imports(python: Path, module: str, home: Path, elsewhere: Path, env: dict[str, str]) -> None:
    command = [python, "-c", WHERE, module]
    done = subprocess.run(command, cwd=elsewhere, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code, *files = done.stderr.splitlines()
    assert code == "0" and len(files) == 5
    assert all(Path(file).resolve().is_relative_to(home.resolve()) for file in files), files


def test_the_wheel_has_one_name_and_all_prompts(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"evokd"}
    inside = {path.relative_to(ROOT).as_posix() for name in NAMES for path in (ROOT / name).rglob("*.py")}
    inside |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "agents" / "prompts").iterdir()} | {"main.py"}
    assert {name.removeprefix("evokd/") for name in names if name.startswith("evokd/")} == inside


def test_the_checkout_works_without_an_install(checkout: Path, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, str(checkout / "main.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("Usage: evokd"), done.stderr
    imports(Path(sys.executable), "main", checkout, tmp_path, {**env, "PYTHONPATH": str(checkout)})


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another agents"])
def test_the_wheel_works(beside: bool, wheel: Path, tmp_path: Path) -> None:
    binary = environment(tmp_path / "env")
    if beside:
        pip(binary / "python", "install", other_agents(tmp_path))
    pip(binary / "python", "install", "--no-deps", wheel)
    works(binary, "evokd.main", tmp_path / "env", tmp_path)


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another agents"])
def test_an_editable_install_works(beside: bool, checkout: Path, tmp_path: Path) -> None:
    binary = environment(tmp_path / "env")
    if beside:
        pip(binary / "python", "install", other_agents(tmp_path))
    pip(binary / "python", "install", "--no-deps", "--no-build-isolation", "--editable", checkout)
    works(binary, "evokd.main", checkout, tmp_path)
