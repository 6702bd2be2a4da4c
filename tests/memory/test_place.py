"""A memory on a real Chroma server, which many runs share."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from evokd.memory.base import MemorySettings
from evokd.memory.chroma import ChromaMemory
from evokd.memory.marker import run_marker
from evokd.tasks.base import ErrorCase, Example
from evokd.tasks.errors import ConfigError
from evokd.testing import HashEmbedder
from evokd.testing.loopback import serving
from tests import parts, servers
from tests.graph.test_checkpoints import outcome
from tests.graph.test_run import Trial

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")]
"""Chroma's client leaves its connections to the garbage collector."""

TEXT = Example(text="a b c", label="x")
COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"

Open = Callable[..., ChromaMemory]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with servers.chroma() as url:
        yield url


def run(root: Path) -> Path:
    run_marker(root).claim()
    return root / "memory"


def opened(folder: Path, server: str, embedder: HashEmbedder | None = None) -> ChromaMemory:
    return ChromaMemory(folder, embedder or HashEmbedder(), MemorySettings(server=server))


def names(server: str, root: Path) -> list[str]:
    """The collections of a run, as the server has them."""
    own = f"evokd-{run_marker(root).read()['id']}-"
    rows = httpx.get(server + COLLECTIONS, params={"limit": 1000}).raise_for_status().json()
    return sorted(row["name"].removeprefix(own) for row in rows if row["name"].startswith(own))


def test_runs_on_one_server_do_not_mix_and_everything_is_there_after_reopening(server: str, tmp_path: Path) -> None:
    case = ErrorCase(example=TEXT, predicted="y", probability=0.5, cycle=3)
    with closing(opened(run(tmp_path / "a"), server)) as one, closing(opened(run(tmp_path / "b"), server)) as other:
        one.remember([TEXT, Example(text="held", label="x", split="dev")], errors=[case])
        one.mark([TEXT.id], "shelved", "why")
        assert other.samples("train", "shelved") == other.errors() == [] and other.novel([TEXT.text]) == [None]
        assert "in-use" in names(server, tmp_path / "a")
    assert names(server, tmp_path / "a") == ["errors", "heldout", "lessons", "samples"], "the lock is given back"
    with closing(opened(tmp_path / "a" / "memory", server)) as again:
        assert again.samples("train", "shelved") == [TEXT] and again.reasons("shelved") == {TEXT.id: "why"}
        assert again.errors() == again.similar("a b", 1) == [case]
        assert again.novel([TEXT.text, "held", "new"]) == ["duplicate", "held-out", None]
    assert {path.name for path in (tmp_path / "a" / "memory").iterdir()} <= {"in-use", "test-ids"}


def test_a_copy_of_a_run_cannot_write_beside_it(server: str, tmp_path: Path) -> None:
    with closing(opened(run(tmp_path / "a"), server)):
        with pytest.raises(ConfigError, match="in use by another process"):
            opened(tmp_path / "a" / "memory", server)
        shutil.copytree(tmp_path / "a", tmp_path / "copy")
        with pytest.raises(ConfigError, match=rf"in use by process {os.getpid()} on .* for {tmp_path}/a/memory\. Wait"):
            opened(tmp_path / "copy" / "memory", server)
    with closing(opened(tmp_path / "copy" / "memory", server)):
        assert "in-use" in names(server, tmp_path / "a"), "and the other way round"
        with pytest.raises(ConfigError, match="A copy of a run cannot go on beside it"):
            opened(tmp_path / "a" / "memory", server)


WRITER = """
    import sys
    from pathlib import Path
    from evokd.memory.base import MemorySettings
    from evokd.memory.chroma import ChromaMemory
    from evokd.tasks.base import Example
    from evokd.testing import HashEmbedder

    memory = ChromaMemory(Path(sys.argv[1]), HashEmbedder(), MemorySettings(server=sys.argv[2]))
    for batch in range(10_000):
        memory.remember([Example(text=f"text {batch} {i}", label="x") for i in range(20)])
        print(batch, flush=True)
"""


@pytest.mark.parametrize("moved", [False, True])
def test_kill_9_loses_no_acknowledged_row_and_locks_nobody_out(server: str, tmp_path: Path, moved: bool) -> None:
    folder = run(tmp_path / "a")
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(folder), server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=parts.ROOT) as writer:
        assert writer.stdout is not None
        for done in range(4):
            assert writer.stdout.readline() == f"{done}\n"
        writer.send_signal(signal.SIGKILL)
    if moved:
        folder = (tmp_path / "a").rename(tmp_path / "b") / "memory"
    with closing(opened(folder, server)) as memory:
        there = {example.text for example in memory.samples("train")}
    assert there >= {f"text {batch} {i}" for batch in range(4) for i in range(20)}


def test_a_lock_of_another_machine_is_told_with_the_way_out(server: str, tmp_path: Path) -> None:
    folder = run(tmp_path / "a")
    name = f"evokd-{run_marker(tmp_path / 'a').read()['id']}-in-use"
    owner = {"host": "elsewhere", "pid": 1, "folder": str(folder)}
    httpx.post(server + COLLECTIONS, json={"name": name, "metadata": owner}).raise_for_status()
    with pytest.raises(ConfigError, match=f"by process 1 on elsewhere.*if it is gone, delete the collection '{name}'"):
        opened(folder, server)


def test_another_embedder_is_refused(server: str, tmp_path: Path) -> None:
    opened(run(tmp_path / "a"), server).close()
    with pytest.raises(ConfigError, match=rf"The memory in {server} \(evokd-.*was made with embedder hash@256"):
        opened(tmp_path / "a" / "memory", server, HashEmbedder(dim=64))
    opened(tmp_path / "a" / "memory", server).close()


def test_a_collection_that_brings_an_embedding_function_is_refused_before_it_is_built(
    server: str, tmp_path: Path
) -> None:
    folder = run(tmp_path / "a")
    made_with = {"embedder": HashEmbedder().fingerprint, "dim": 256}
    config = {"model_name": str(tmp_path), "device": "cpu", "normalize_embeddings": False, "kwargs": {}}
    function = {"type": "known", "name": "sentence_transformer", "config": config}
    body: dict[str, Any] = {
        "name": f"evokd-{run_marker(tmp_path / 'a').read()['id']}-samples",
        "metadata": made_with,
        "configuration": {"embedding_function": function},
    }
    httpx.post(server + COLLECTIONS, json=body).raise_for_status()
    with pytest.raises(ConfigError, match="brings the embedding function 'sentence_transformer', which may run code"):
        opened(folder, server)
    assert "in-use" not in names(server, tmp_path / "a")


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{servers.free_port()}"
    with pytest.raises(ConfigError) as error:
        opened(run(tmp_path / "a"), url)
    said = str(error.value)
    assert said.startswith(f"memory.server = '{url}' cannot be used (") and "chroma run" in said and "\n" not in said


@pytest.mark.parametrize("id", ["../other", "a" * 31, ""])
def test_an_id_that_was_written_by_hand_names_no_collections(server: str, tmp_path: Path, id: str) -> None:
    folder = run(tmp_path / "a")
    run_marker(tmp_path / "a").note(id=id)
    with pytest.raises(ConfigError, match=r"has the id .* which EvoKD did not write"):
        opened(folder, server)


def test_a_run_with_its_memory_on_a_server_is_the_run_with_it_on_disk(server: str, tmp_path: Path) -> None:
    with serving(parts.answer) as teacher:
        on_disk = Trial(tmp_path / "disk", teacher)
        on_disk.drive()
        asked = len(teacher.requests)
        on_server = Trial(tmp_path / "server", teacher, memory={"server": server})
        assert on_server.drive().how == on_server.drive().how == "finished"
        assert len(teacher.requests) == 2 * asked
        assert outcome(on_server) == outcome(on_disk)
        for name in names(server, on_server.folder.root):
            url = f"{server}{COLLECTIONS}/evokd-{run_marker(on_server.folder.root).read()['id']}-{name}"
            httpx.delete(url).raise_for_status()
        on_server.refuses("memory/ holds no .* where the checkpoint knows of")
