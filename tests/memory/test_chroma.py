import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evokd.memory import chroma, table
from evokd.memory.base import MemorySettings, Status
from evokd.memory.chroma import ChromaMemory
from evokd.tasks.base import ErrorCase, Example, Lesson, Origin, Split
from evokd.tasks.errors import ConfigError
from evokd.testing import HashEmbedder, ListMemory

Open = Callable[..., ChromaMemory]


@pytest.fixture
def open_memory(tmp_path: Path) -> Iterator[Open]:
    """Opens the same folder again and again, closing what was open."""
    opened: list[ChromaMemory] = []

    def open_it(embedder: HashEmbedder | None = None, **given: float) -> ChromaMemory:
        for memory in opened:
            memory.close()
        opened.append(ChromaMemory(tmp_path / "a" / "memory", embedder or HashEmbedder(), MemorySettings(**given)))
        return opened[-1]

    yield open_it
    for memory in opened:
        memory.close()


def example(number: int, split: Split = "train") -> Example:
    return Example(text=f"{number} {'abcdefghij'[number % 10] * 9}", label="x", split=split)


def test_everything_is_there_after_reopening(open_memory: Open) -> None:
    memory = open_memory()
    case = ErrorCase(example=example(1), predicted="y", probability=0.5, cycle=3)
    lesson = Lesson(id="l", name="n", pattern="p", advice="a")
    memory.remember([example(1), example(2, "gate")], errors=[case], lessons=[lesson])
    memory.mark([example(1).id], "shelved", "why")
    memory = open_memory()
    assert memory.samples("train", "shelved") == [example(1)]
    assert memory.samples("gate") == [example(2, "gate")]
    assert memory.errors() == [case]
    assert memory.lessons() == [lesson]
    assert memory.reasons("shelved") == {example(1).id: "why"}
    assert memory.novel([example(1).text, example(2).text, "new"]) == ["duplicate", "held-out", None]


@pytest.mark.parametrize("other", [HashEmbedder(name="other"), HashEmbedder(dim=64)])
def test_another_embedder_is_refused_and_the_error_names_both(open_memory: Open, other: HashEmbedder) -> None:
    open_memory().remember([example(1)])
    with pytest.raises(ConfigError) as error:
        open_memory(other)
    assert "hash@256 (256 dimensions)" in str(error.value)
    assert f"{other.fingerprint} ({other.dim} dimensions)" in str(error.value)
    assert "start a new run" in str(error.value)
    assert open_memory().samples("train") == [example(1)], "the refused opening changed nothing and kept no lock"


def test_a_folder_has_one_owner(open_memory: Open, tmp_path: Path) -> None:
    open_memory()
    with pytest.raises(ConfigError, match="in use by another process"):
        ChromaMemory(tmp_path / "a" / "memory", HashEmbedder())


def test_closing_twice_is_fine(open_memory: Open) -> None:
    memory = open_memory()
    memory.close()
    memory.close()


def test_a_folder_that_is_a_file_or_holds_no_chroma_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="file"):
        ChromaMemory(tmp_path / "file", HashEmbedder())
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(ConfigError, match="not a database"):
        ChromaMemory(tmp_path / "broken", HashEmbedder())


def test_pages(open_memory: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "PAGE", 7)
    memory = open_memory(duplicate_cosine=1.0)
    examples = [example(i) for i in range(35)]
    memory.remember(examples)
    assert len(memory.samples("train")) == 35
    assert memory.get([e.id for e in examples]) == examples
    assert memory.novel([e.text for e in examples]) == ["duplicate"] * 35
    memory.mark([e.id for e in examples], "shelved")
    assert len(memory.reasons("shelved")) == 35
    memory.remember([e.moved("dev") for e in examples[:20]])
    assert len(memory.samples("train", "shelved")) == 15
    assert len(memory.samples("dev")) == 20


def test_nothing_is_encoded_or_written_twice(open_memory: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = HashEmbedder()
    memory = open_memory(embedder)
    case = ErrorCase(example=example(1), predicted="y", probability=0.5, cycle=3)
    memory.novel([example(1).text, example(2).text])
    memory.remember([example(1), example(2)], errors=[case])
    memory.similar(example(2).text, 1)
    assert sorted(embedder.encoded) == [example(1).text, example(2).text]

    again = HashEmbedder()
    memory = open_memory(again)
    monkeypatch.setattr(table.Table, "put", lambda *_: pytest.fail("an unchanged row was written"))
    memory.remember([example(1), example(2)], errors=[case])
    assert again.encoded == []


def test_the_order_of_votes_does_not_make_an_example_another(open_memory: Open) -> None:
    memory = open_memory()
    first = Example(text="t", label="a", origin=Origin(votes={"a": 2, "b": 1}))
    memory.remember([first])
    memory.mark([first.id], "shelved")
    memory.remember([first.model_copy(update={"origin": Origin(votes={"b": 1, "a": 2})})], status="candidate")
    assert memory.samples("train", "shelved") == [first]


def test_what_is_left_out_is_logged(open_memory: Open, caplog: pytest.LogCaptureFixture) -> None:
    memory = open_memory()
    memory.remember([example(1, "gate")])
    memory.remember([example(1), example(2)])
    memory.mark(["nobody", example(2).id], "shelved")
    assert "1 examples are held-out texts" in caplog.text
    assert "1 of 2 examples to be marked shelved are no samples" in caplog.text


def test_the_threshold_is_the_setting(open_memory: Open) -> None:
    texts = ["one two three four five", "one two three four six"]
    a, b = open_memory().embed(texts)
    cosine = float(a @ b)
    assert open_memory(duplicate_cosine=cosine + 0.01).novel(texts) == [None, None]
    assert open_memory(duplicate_cosine=cosine - 0.01).novel(texts) == [None, "duplicate"]


def test_no_telemetry_and_no_model_of_chroma(open_memory: Open, tmp_path: Path) -> None:
    open_memory().remember([example(1)])
    assert os.environ["ANONYMIZED_TELEMETRY"] == "FALSE"
    with sqlite3.connect(tmp_path / "a" / "memory" / "chroma.sqlite3") as database:
        dump = " ".join(str(row) for row in database.execute("select * from collections"))
    database.close()
    assert "onnx" not in dump.lower()


def test_novel_misses_nothing_among_thousands(open_memory: Open) -> None:
    """Against the plain definition, with vectors so crowded that an approximate index would miss some."""
    rng = np.random.default_rng(0)
    known = rng.normal(size=(2000, 32))
    asked = known[rng.integers(0, 2000, 300)] + rng.normal(scale=0.32, size=(300, 32))
    vectors = {f"known {i}": v for i, v in enumerate(known)} | {f"asked {i}": v for i, v in enumerate(asked)}

    class Given(HashEmbedder):
        def encode(self, texts):  # type: ignore[no-untyped-def]
            rows = np.array([vectors[text] for text in texts], dtype=np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    memory = open_memory(Given(dim=32))
    memory.remember([Example(text=f"known {i}", label="x", split="train" if i % 4 else "test") for i in range(2000)])
    names = [f"asked {i}" for i in range(300)]
    got = memory.novel(names)

    def unit(rows):  # type: ignore[no-untyped-def]
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    near = unit(asked) @ unit(known).T > 0.95
    held = np.arange(2000) % 4 == 0
    want: list[str | None] = []
    accepted: list[int] = []
    for i in range(300):
        if near[i, held].any():
            want.append("held-out")
        elif near[i].any() or any(unit(asked[[i]])[0] @ unit(asked[[j]])[0] > 0.95 for j in accepted):
            want.append("duplicate")
        else:
            want.append(None)
            accepted.append(i)
    assert got == want
    assert {None, "held-out", "duplicate"} == set(want), "the data must hold every case"


def test_a_large_test_file_is_known_word_by_word_and_a_part_of_it_by_vectors(
    open_memory: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma, "NEAR_TEST", 5)
    embedder = HashEmbedder()
    memory = open_memory(embedder)
    texts = [f"{number} {'abcdefghij'[number] * 9} of the test file" for number in range(10)]
    for _ in range(2):
        memory.remember([Example(text=text, label="secret label", split="test") for text in texts])
    assert len(embedder.encoded) == 5, "each is embedded once"
    memory = open_memory()
    assert memory.novel(texts) == ["held-out"] * 10
    told = memory.novel([f"{text}!" for text in texts])
    assert told.count("held-out") == 5 and told.count(None) == 5


def test_no_text_or_label_of_the_test_file_is_on_the_disk_of_the_memory(open_memory: Open, tmp_path: Path) -> None:
    memory = open_memory()
    memory.remember([Example(text="zebra marker", label="secret label", split="test")])
    memory.close()
    files = [path.read_bytes() for path in (tmp_path / "a" / "memory").rglob("*") if path.is_file()]
    assert files and not any(b"zebra" in content or b"secret" in content for content in files)


def test_a_kill_between_the_vectors_and_the_ids_of_test_texts_loses_none(
    open_memory: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(chroma, "write_text", Mock(side_effect=OSError("the disk is full")))
        open_memory().remember([example(1, "test")])
    memory = open_memory()
    memory.remember([example(1, "test")])
    assert memory.novel([example(1).text, f"{example(1).text}."]) == ["held-out", "held-out"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["remember", "mark", "hold", "err"]),
        st.lists(st.integers(0, 5), max_size=4),
        st.sampled_from(["kept", "candidate", "shelved", "quarantined"]),
        st.sampled_from(["x", "y"]),
    ),
    max_size=5,
)


def apply(memory: ChromaMemory | ListMemory, step: tuple[str, list[int], Status, str]) -> None:
    kind, numbers, status, label = step
    examples = [example(number).model_copy(update={"label": label}) for number in numbers]
    if kind == "remember":
        memory.remember(examples, status=status, reason=label)
    elif kind == "mark":
        memory.mark([e.id for e in examples], status, label)
    elif kind == "hold":
        memory.remember([e.moved("gate") for e in examples])
    else:
        memory.remember(errors=[ErrorCase(example=e, predicted="z", probability=0.5, cycle=1) for e in examples])


def state(memory: ChromaMemory | ListMemory) -> list[object]:
    statuses: list[Status] = ["kept", "candidate", "shelved", "quarantined"]
    rows = [(memory.samples("train", s), memory.reasons(s)) for s in statuses]
    return [rows, memory.samples("gate"), memory.errors(), memory.novel([example(i).text for i in range(6)])]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_every_write_twice_is_every_write_once(steps: list[tuple[str, list[int], Status, str]]) -> None:
    """And both memories agree on what that comes to."""
    fake = ListMemory()
    with tempfile.TemporaryDirectory() as folder:
        memory = ChromaMemory(Path(folder), HashEmbedder())
        try:
            for step in steps:
                apply(fake, step)
                apply(memory, step)
                apply(memory, step)
            assert state(memory) == state(fake)
        finally:
            memory.close()


WRITER = """
    import sys
    from pathlib import Path
    from evokd.memory.chroma import ChromaMemory
    from evokd.tasks.base import ErrorCase, Example
    from evokd.testing import HashEmbedder

    memory = ChromaMemory(Path(sys.argv[1]), HashEmbedder())
    print("open", flush=True)
    for batch in range(int(sys.argv[2]), 10_000):
        examples = [Example(text=f"text {batch} {i}", label="x") for i in range(20)]
        wrong = [ErrorCase(example=e, predicted="y", probability=0.5, cycle=1) for e in examples]
        memory.remember(examples, wrong, status="candidate")
        memory.mark([e.id for e in examples[:10]], "kept")
        print(batch, flush=True)
"""


@pytest.mark.slow
def test_kill_9_loses_no_acknowledged_row(tmp_path: Path) -> None:
    folder, done = tmp_path / "memory", -1
    for trial in range(4):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(folder), str(done + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "open\n"
            for _ in range(3 + 2 * trial):
                done = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            for line in writer.stdout:  # acknowledged between the last read and the kill
                done = int(line) if line.endswith("\n") else done
        assert writer.returncode == -signal.SIGKILL
        memory = ChromaMemory(folder, HashEmbedder())
        try:
            kept = {e.text for e in memory.samples("train", "kept")}
            candidates = {e.text for e in memory.samples("train", "candidate")}
            texts = [f"text {batch} {i}" for batch in range(done + 1) for i in range(20)]
            assert kept >= {text for text in texts if int(text.split()[2]) < 10}
            assert candidates >= {text for text in texts if int(text.split()[2]) >= 10}
            assert memory.novel(texts[-40:]) == ["duplicate"] * 40
            [nearest] = memory.similar(f"text {done} 5", 1)
            assert nearest.example.text == f"text {done} 5"
        finally:
            memory.close()
