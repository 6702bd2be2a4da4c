"""One import name, `evokd`, works everywhere: in the checkout, installed, as a wheel, beside another `agents`."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.parts import ROOT

NAMES = (
    "agents",
    "commands",
    "comparison",
    "graph",
    "memory",
    "planning",
    "report",
    "student",
    "tasks",
    "teacher",
    "testing",
)

WHERE = """
import sys
from evokd.main import main
code = main(["--help"])
import evokd.agents.base, evokd.graph.config, evokd.report.run_files, evokd.tasks.base, evokd.testing.fakes
names = ("", ".agents.base", ".graph", ".report", ".tasks", ".testing")
files = [sys.modules[f"evokd{name}"].__file__ for name in names]
print(code, *files, sep="\\n", file=sys.stderr)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, so that a build leaves nothing in the real one."""
    copy = tmp_path_factory.mktemp("checkout") / "project"

    def left_out(folder: str, names: list[str]) -> set[str]:
        made = {"runs", "compare", "build", "dist"} if Path(folder) == ROOT else set()  # `report/compare` is ours
        return {name for name in names if name.startswith(".") or name in made | {"__pycache__"}}

    shutil.copytree(ROOT, copy, ignore=left_out)
    return copy


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


def works(binary: Path, home: Path, elsewhere: Path) -> None:
    """`evokd --help` from another folder, and the `evokd` that is imported lies in `home`."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [binary / "evokd", "--help"]
    done = subprocess.run(command, cwd=elsewhere, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("Usage: evokd"), done.stderr
    command = [binary / "python", "-c", WHERE]
    done = subprocess.run(command, cwd=elsewhere, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code, *files = done.stderr.splitlines()
    assert code == "0" and len(files) == 6
    assert all(Path(file).resolve().is_relative_to(home.resolve()) for file in files), files


def test_the_list_of_packages_is_that_of_the_folders() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = [path.parent.relative_to(ROOT) for name in NAMES for path in (ROOT / name).rglob("__init__.py")]
    assert sorted(listed) == sorted(["evokd", *(f"evokd.{'.'.join(folder.parts)}" for folder in folders)])
    own = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert own == set(NAMES), "a folder of the product that this test does not know"


@pytest.mark.slow
def test_the_wheel_has_one_name_all_prompts_and_its_types(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"evokd"}
    kinds = ("*.py", "prompts/*.md", "role_template/**/*.txt", "page.*", "watch.js")
    inside = {path for name in NAMES for kind in kinds for path in (ROOT / name).rglob(kind)}
    expected = {path.relative_to(ROOT).as_posix() for path in inside}
    expected |= {"__init__.py", "api.py", "main.py", "outcomes.py", "py.typed"}
    assert {name.removeprefix("evokd/") for name in names if name.startswith("evokd/")} == expected


@pytest.mark.slow
def test_the_checkout_works_without_an_install(checkout: Path, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    program = f"import runpy; runpy.run_path({str(checkout / 'main.py')!r}, run_name='__main__')"
    for command in ([str(checkout / "main.py"), "--help"], ["-c", program]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 and done.stdout.startswith("Usage: evokd"), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another agents"])
def test_the_wheel_works(beside: bool, wheel: Path, tmp_path: Path) -> None:
    binary = environment(tmp_path / "env")
    if beside:
        pip(binary / "python", "install", other_agents(tmp_path))
    pip(binary / "python", "install", "--no-deps", wheel)
    works(binary, tmp_path / "env", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside another agents"])
def test_an_editable_install_works(beside: bool, checkout: Path, tmp_path: Path) -> None:
    binary = environment(tmp_path / "env")
    if beside:
        pip(binary / "python", "install", other_agents(tmp_path))
    pip(binary / "python", "install", "--no-deps", "--no-build-isolation", "--editable", checkout)
    works(binary, checkout, tmp_path)


@pytest.mark.slow
def test_a_project_of_somebody_elses_is_tested_and_run_with_parts_of_its_own(wheel: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "own_parts", project)
    binary = environment(tmp_path / "env")
    for what in (other_agents(tmp_path), wheel):
        pip(binary / "python", "install", "--no-deps", what)
    pip(binary / "python", "install", "--no-deps", "--no-build-isolation", project)
    shutil.rmtree(project / "acme")  # what is imported is what was installed
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def said(*words: str | Path) -> str:
        command = [binary / words[0], *words[1:]]
        done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert " passed" in said("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert "The run ended: all 2 cycles are done." in said("evokd", "run", "run.toml")
    rows = [json.loads(line) for line in (project / "runs" / "run" / "metrics.jsonl").read_text().splitlines()]
    assert "criticised" in rows[-1]["stats"]["other"]
    allowed = [word for part in ("task:Stars", "student:Counters") for word in ("--allow", f"acme.{part}")]
    (project / "texts.txt").write_text("five lovely stars\n")
    assert json.loads(said("evokd", "predict", "run", "texts.txt", *allowed))["label"] == "good"
