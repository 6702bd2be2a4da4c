"""Files of labelled texts, as the tests of reading write them."""

import json
from pathlib import Path


def write(folder: Path, name: str, content: str | bytes) -> str:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def lines(*rows: object) -> str:
    return "\n".join(json.dumps(row) for row in rows)
