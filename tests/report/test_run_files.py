"""A run folder as files: found by name or path, whole rows only."""

from pathlib import Path

import pytest

from evokd.report.run_files import Run
from evokd.tasks.errors import ConfigError


def made(root: Path) -> Path:
    root.mkdir(parents=True)
    (root / "run.json").write_text("{}")
    return root


def test_a_run_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    root = made(tmp_path / "a")
    assert Run.find("a", tmp_path).root == Run.find(str(root), Path("elsewhere")).root == root


def test_a_folder_of_the_same_name_without_the_marker_is_found_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.toml").write_text("# the user's own")
    assert Run.find("a", Path("runs")).root == Path("a"), "whoever asks for the marker says what it is"
    made(tmp_path / "runs" / "a")
    assert Run.find("a", Path("runs")).root == Path("runs/a")


def test_a_run_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    made(tmp_path / "b")
    made(tmp_path / "a")
    with pytest.raises(ConfigError, match=rf"there is no run 'c'\. Runs under {tmp_path}/: a, b\."):
        Run.find("c", tmp_path)
    with pytest.raises(ConfigError, match=r"Runs under .*/none/: none\."):
        Run.find("c", tmp_path / "none")


def test_an_absent_file_has_no_rows_and_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    run = Run(made(tmp_path / "a"))
    assert run.rows("ledger.jsonl") == [] and run.metrics == [] and run.result is None
    (run.root / "ledger.jsonl").write_bytes(b'{"cycle": 1}\n{"a": "caf\xc3')
    assert run.rows("ledger.jsonl") == [{"cycle": 1}]


def test_line_ends_of_unicode_inside_a_text_are_no_line_ends(tmp_path: Path) -> None:
    run = Run(made(tmp_path / "a"))
    (run.root / "samples.jsonl").write_text('{"split": "seed", "text": "one\u2028two\u0085three"}\n', encoding="utf-8")
    assert run.rows("samples.jsonl") == [{"split": "seed", "text": "one\u2028two\u0085three"}]


@pytest.mark.parametrize("text", ["{", "[]", "\udcff"])
def test_a_broken_result_is_told(tmp_path: Path, text: str) -> None:
    run = Run(made(tmp_path / "a"))
    (run.root / "result.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"result\.json .* `evokd resume .*` writes it again"):
        run.result  # noqa: B018


def test_a_broken_line_in_the_middle_is_told(tmp_path: Path) -> None:
    run = Run(made(tmp_path / "a"))
    (run.root / "ledger.jsonl").write_text('{"cycle": 1}\nbroken\n{"cycle": 2}\n')
    with pytest.raises(ConfigError, match=r"ledger\.jsonl, line 2: not JSON"):
        run.rows("ledger.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("samples.jsonl", "[1, 2]\n", r"line 1: not what the run wrote"),
        ("metrics.jsonl", '{"a": 1}\n', r"line 1: not what the run wrote"),
        ("metrics.jsonl", '{"cycle": 1, "stats": [1]}\n', r"line 1: stats = \[1\] is not what the run wrote"),
        ("lessons.jsonl", '{"name": "n"}\n{"na', r"line 2: not JSON"),
        ("samples.jsonl", '{"split": "seed"}\n', r"samples\.jsonl has 1 rows where the run had written 2.* resume"),
        ("metrics.jsonl", "", r"metrics\.jsonl has 0 rows where the run had written 2"),
        ("samples.jsonl", None, r"samples\.jsonl has 0 rows where the run had written 2"),
        ("rows.json", "[]", r"rows\.json holds no JSON object"),
    ],
)
def test_a_file_that_is_not_as_the_run_left_it_is_told(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    run = Run(made(tmp_path / "a"))
    (run.root / "rows.json").write_text('{"samples.jsonl": 2, "metrics.jsonl": 2}')
    if content is not None:
        (run.root / name).write_text(content)
    with pytest.raises(ConfigError, match=said) as told:
        run.rows("samples.jsonl" if name == "rows.json" else name)
    assert "\n" not in str(told.value)
