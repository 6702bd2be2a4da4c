"""Whatever becomes of a file of a run, a command says so in one line or says what it always says."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.damage import COMMANDS, called, fate, files_of, plain
from evokd.testing.loopback import serving
from tests import parts
from tests.graph.damaging import DAMAGES, damage
from tests.graph.test_run import Trial

LOOKS = ("show", "show --prompts", "show --costs")

FAST = ("samples.jsonl", "metrics.jsonl", "ledger.jsonl", "lessons.jsonl", "result.json", "rows.json", "best")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(parts.answer) as server:
        trial = Trial(tmp_path_factory.mktemp("whole"), server)
        trial.drive()
        yield trial.folder.root


def tried(whole: Path, place: Path, name: str, how: str, commands: tuple[str, ...]) -> dict[str, str]:
    """What each command made of a damaged file; those that are fine left out."""
    # A place of its own for every file: where Chroma could not open a folder, it cannot in this process again.
    run, texts, found = place / name.replace("/", "-") / "run", place / "texts.txt", {}
    texts.write_text("soup with bread\n")
    for command in commands:
        said = []
        for damaged in (False, True):
            shutil.rmtree(run, ignore_errors=True)
            shutil.copytree(whole, run, symlinks=True)
            if damaged:
                damage(run / name, how)
            said.append(called(COMMANDS[command], run=run, texts=texts))
        (_, before, _), (code, out, err) = said
        if (seen := fate(name, plain(before), code, plain(out), err)) not in ("same", "told"):
            news = [line for line in plain(out).splitlines() if line not in plain(before).splitlines()]
            found[command] = f"{seen}: {err[-300:]} {news[:5]}"
    return found


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", FAST)
def test_a_look_at_a_damaged_run_tells_what_is_wrong(whole: Path, tmp_path: Path, name: str, how: str) -> None:
    assert tried(whole, tmp_path, name, how, LOOKS) == {}


@pytest.mark.slow
@pytest.mark.parametrize("how", DAMAGES)
def test_every_file_damaged_and_every_command(whole: Path, tmp_path: Path, how: str) -> None:
    for name in files_of(whole):
        assert tried(whole, tmp_path, name, how, tuple(COMMANDS)) == {}, name
