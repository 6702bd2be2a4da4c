"""Makes an environment for `langgraph dev` that sees the packages of this one.

The server wants other versions of some packages than ours, so it cannot be installed beside them.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

SERVER = "langgraph-cli[inmem]>=0.4.40,<0.5"


def main(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    # Not the path alone: an editable install is found by a .pth file, which only a site folder has read.
    (site / "seen.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    python = str(folder / "bin" / "python")
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", SERVER], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
