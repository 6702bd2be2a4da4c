"""What every command says of a run folder in which one file is damaged.

    python -m benchmarks.damage [--only WORD] [--show]

The run is that of `tests/parts.py`, finished. Every file of its folder is damaged in seven ways, each in a copy of its
own (tests/graph/damaging.py), and commands are run on the copy. A command may say what it says of the whole folder,
write the file again (`resume`), or refuse in one line that names the file. Counted apart: errors of Python, refusals of
more than one line or without the name, and answers that differ from those of the whole folder without a word.
"""

import argparse
import contextlib
import io
import logging
import os
import re
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["EVOKD_TELL_LOOPBACK"] = "1"  # the world's teacher reads what is asked as data

from evokd import main as evokd
from evokd.testing.loopback import serving
from tests import parts
from tests.graph.damaging import DAMAGES, damage
from tests.graph.test_run import Trial

COMMANDS = {
    "show": ("show", "{run}"),
    "show --prompts": ("show", "{run}", "--prompts"),
    "show --costs": ("show", "{run}", "--costs"),
    "predict": ("predict", "{run}", "{texts}", *parts.ALLOW),
    "resume": ("resume", "{run}", *parts.ALLOW),
}

FATES = ("same", "told", "TRACEBACK", "LONG", "UNNAMED", "SILENT")


def files_of(folder: Path) -> Iterator[str]:
    """Every file and link of a run folder that holds something; of an index of Chroma's none, which names itself."""
    for path in sorted(folder.rglob("*")):
        if (path.is_symlink() or path.is_file()) and path.suffix != ".bin" and path.lstat().st_size:
            yield path.relative_to(folder).as_posix()


def called(words: tuple[str, ...], **places: Path) -> tuple[int, str, str]:
    """Exit code, output and errors; 99 where an error of Python came out."""
    out, err = io.StringIO(), io.StringIO()
    warnings = logging.StreamHandler(err)  # where a test keeps them from the screen
    logging.getLogger("evokd").addHandler(warnings)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = evokd.main([word.format(**places) for word in words])
        except BaseException:  # what a user would see as a traceback
            code = 99
            traceback.print_exc()
        finally:
            logging.getLogger("evokd").removeHandler(warnings)
    return code, out.getvalue(), err.getvalue()


def fate(name: str, before: str, code: int, out: str, err: str) -> str:
    """What a command made of a damaged file."""
    said = [line for line in err.splitlines() if line.strip()]
    if code == 99 or "Traceback" in err:
        return "TRACEBACK"
    if code:
        if len([line for line in said if line.startswith("evokd: ")]) != 1 or len(said) > 2:
            return "LONG"
        return "told" if any(part in err for part in (Path(name).name, *Path(name).parts[:1])) else "UNNAMED"
    if out == before:
        return "same"
    news = [line for line in out.splitlines() if line not in before.splitlines()]
    return "told" if any(Path(name).name in line for line in [err, *news]) else "SILENT"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="files whose name holds this")
    parser.add_argument("--show", action="store_true", help="print what was said, too")
    options = parser.parse_args()
    os.environ["COLUMNS"] = "200"
    found: dict[str, Counter[str]] = {command: Counter() for command in COMMANDS}
    with tempfile.TemporaryDirectory() as place, serving(parts.answer) as server:
        root = Path(place)
        trial = Trial(root / "whole", server)
        trial.drive()
        texts = root / "texts.txt"
        texts.write_text("soup with bread\n")
        whole, run = trial.folder.root, root / "run"
        copy(whole, run)
        usual = {command: plain(called(words, run=run, texts=texts)[1]) for command, words in COMMANDS.items()}
        for name in (name for name in files_of(whole) if options.only in name):
            for how in DAMAGES:
                for command, words in COMMANDS.items():
                    copy(whole, run)
                    damage(run / name, how)
                    asked = len(server.requests)
                    code, out, err = called(words, run=run, texts=texts)
                    seen = fate(name, usual[command], code, plain(out), err)
                    seen = "SILENT" if len(server.requests) > asked and seen == "same" else seen
                    found[command][seen] += 1
                    if options.show or seen.isupper():
                        print(f"{seen:9} {command}: {name} {how}: {(err or out).strip().splitlines()[-1:]}", flush=True)
    print("| command | trials | " + " | ".join(FATES) + " |\n|" + "---|" * (len(FATES) + 2))
    for command, counts in found.items():
        print(f"| `{command}` | {counts.total()} | " + " | ".join(str(counts[each]) for each in FATES) + " |")


def copy(whole: Path, run: Path) -> None:
    """The folder as it was."""
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(whole, run, symlinks=True)


def plain(said: str) -> str:
    """Output without times."""
    return re.sub(r"\d+(:\d+)+|\d+(\.\d+)? s\b", "", said)


if __name__ == "__main__":
    main()
