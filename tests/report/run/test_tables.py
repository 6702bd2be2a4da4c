"""What `show` and the live screen print: every figure, and nothing a text could do to the terminal."""

import json
from pathlib import Path
from typing import Any

import pytest

from evokd.report.run.live import Live
from evokd.report.run.summary import held_out
from evokd.report.run.tables import cycle_line, print_prompts, print_result, print_run
from evokd.report.run_files import Run
from evokd.report.wording import calibration_line, harmless
from evokd.tasks.errors import ConfigError
from evokd.tasks.guidelines import Guidelines

SCORE = {"value": 0.75, "low": 0.5, "high": 0.9, "n": 20.0}
FEW = {"value": 1.0, "low": None, "high": None, "n": 2.0}
EVIL = "[/bold] [red]x[/red] \x1b]0;title\x07\x9b2J"


def row(**changes: Any) -> dict[str, Any]:
    plain = {
        "cycle": 1, "batch_kind": "breadth", "kept": True, "why": "not worse [with it]",
        "champion": "students/cycle-001",
        "stats": {"accepted": 20, "refused": {"duplicate": 3, "held-out": 1}, "quarantined": {"a tie": 2}},
        "fresh_before": SCORE, "fresh_after": {}, "gate": {}, "scores": {"gate": FEW, "dev": SCORE},
        "teacher": {"input": 1000.0, "output": 234.0}, "seconds": {"trainer": 2.0, "evaluator": 1.4},
    }  # fmt: skip
    return {**plain, **changes}


def run(root: Path, **files: Any) -> Run:
    root.mkdir(parents=True, exist_ok=True)
    (root / "config.toml").write_text("name = 'a'\n")
    for name, rows in files.items():
        (root / f"{name}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return Run(root)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in which no cell of a table is broken."""
    monkeypatch.setenv("COLUMNS", "250")


def crown(made: Run, student: str) -> None:
    """Make a student the best of a run."""
    (made.root / "students" / student).mkdir(parents=True)
    (made.root / "best").unlink(missing_ok=True)
    (made.root / "best").symlink_to(f"students/{student}", target_is_directory=True)


def crowned(made: Run) -> None:
    """Print a run that has a best student."""
    crown(made, "cycle-001")
    print_run(made)


def test_a_cycle_in_one_line() -> None:
    said = " ".join(cycle_line(row()).split())
    assert said == "1 breadth kept 20 4 2 75 % > - 100.0 [too few to tell] 75.0 [50, 90] 1,234 3"
    assert "shelved" in cycle_line(row(kept=False, scores={}, stats={}))


def test_the_screen_shows_cycles_and_folder_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with Live("a", "/runs/[bold]/a") as live:
        live.show({"step": "trainer", "cycle": 0, "what": "", "done": 0, "total": 0})
        live.show({"step": "trainer", "cycle": 0, "what": "training [/x]", "done": 1, "total": 2})
        live.show({"row": row()})
        live.show({"row": row(cycle=2)})
    live.say("Go on [with it].")
    out = capsys.readouterr().out
    assert "/runs/[bold]/a" in out and out.count("[too few to tell]") == 2 and out.count("fresh before>after") == 1
    assert "Go on [with it]." in out


def test_show_tells_all_and_lets_no_text_drive_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson = {
        "cycle": 2,
        "id": "2-x",
        "kind": "lesson",
        "name": EVIL,
        "pattern": EVIL,
        "advice": EVIL,
        "evidence": ["gone"],
        "effect": {"samples": 6.0, "before": 0.5, "after": 1.0, "kept": 1.0},
    }
    call = {
        "role": "generator",
        "cycle": 1,
        "from_cache": False,
        "usd": None,
        "input": 10,
        "cached_input": 0,
        "output": 5,
        "seconds": 1.2,
        "outcome": "ok",
    }
    calls = [call, {**call, "from_cache": True, "usd": 0.0}, {**call, "outcome": "bad answer: x"}]
    sample = {"id": "x", "text": EVIL, "label": EVIL, "split": "train", "status": "kept", "origin": {"lesson": "2-x"}}
    files = {
        "metrics": [row(), row(cycle=2, stats={"other": {f"criticised {EVIL}": 7}}), row(cycle=3, stats={})],
        "lessons": [lesson, {**lesson, "effect": {}}],
        "ledger": calls,
        "samples": [sample] * 3,
    }
    found = run(tmp_path / "[red]a", **files)
    score = {
        "champion": "final-001",
        "metric": "micro_f1",
        "seeds only": SCORE,
        "before the last training": SCORE,
        "champion score": SCORE,
        "difference": {"value": 0.1, "low": -0.02, "high": 0.2, "n": 20},
    }
    score |= {"training texts that stand in the test set": 2, "champion score without those": None}  # type: ignore[dict-item]
    (found.root / "result.json").write_text(json.dumps(score))
    guideline = {"pattern": "a [bold]\x1b[1mteam", "text": "OSLO 3", "answer": "LOC OSLO", "status": "assumed"}
    (found.root / "guidelines.toml").write_text(Guidelines.model_validate({"guideline": [guideline]}).toml())
    crown(found, "final-001")
    print_run(found)
    out = capsys.readouterr().out
    told = " ".join(out.split())
    assert "[too few to tell]" in out and "not worse [with it]" in told and "[red]a" in out
    assert "refused 4 (duplicate 3, held-out 1), accepted 20, quarantined 2 (a tie 2)" in told
    assert "criticised [/bold] [red]x" in told and "2J 7" in told and "nothing counted" in told
    assert "written or pool kept 3" in told and "unknown" in out and "[/bold]" in out
    assert "The student may or may not have got better: 75.0 % before, 75.0 % after" in out
    assert (
        "Not sure (+10.0 points on these texts. On other texts of this kind, expect -2.0 to +20.0 (95 % interval))"
        in out
    )
    assert "The score on its 6 learnt texts went from 50 to 100 %. The batch was kept." in out
    assert "seeds only 75.0 [50, 90], champion 75.0 [50, 90], difference +10.0 points [-2.0, +20.0]." in out
    assert "the last student, which learnt the gate's texts too; without them it had 75.0 [50, 90]." in out
    assert "1 of 1 guidelines are only assumed" in out
    assert "a [bold]\\x1b[1mteam" in out and "LOC OSLO" in out
    assert "2 training texts are also in the test set" in out
    assert not set("\x1b\x07\x9b") & set(out)


def test_two_students_that_say_the_same_are_not_too_few_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(tmp_path / "a", metrics=[row()])
    figures = ("seeds only", "before the last training", "champion score")
    result = {"champion": "cycle-000", "metric": "accuracy", **dict.fromkeys(figures, SCORE)}
    result |= {"difference": {"value": 0.0, "low": None, "high": None, "n": 200}}
    result |= {"training texts that stand in the test set": 0}
    (found.root / "result.json").write_text(json.dumps(result))
    crown(found, "cycle-000")
    print_result(found)
    assert "champion 75.0 [50, 90], the same on every text." in " ".join(capsys.readouterr().out.split())


def test_figures_of_an_earlier_student_are_told_to_be_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(tmp_path / "a", metrics=[row()])
    figures = ("seeds only", "before the last training", "champion score")
    result = {"champion": "final-001", "metric": "accuracy", **dict.fromkeys(figures, SCORE)}
    result |= {"difference": {"value": 0.1, "low": -0.02, "high": 0.2, "n": 20}}
    result |= {"training texts that stand in the test set": 0}
    (found.root / "result.json").write_text(json.dumps(result))
    for best, told in (("final-001", False), ("cycle-007", True)):
        crown(found, best)
        print_result(found)
        assert ("are of students/final-001, not of the best student now, cycle-007." in capsys.readouterr().out) is told


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("none", "on the test set: 8.1 %. The probabilities are not calibrated."),
        ("dev", "on the test set: 3.4 %; without the temperature of 1.50, found on 200 rows of the dev file: 8.1 %."),
        ("out of fold", "of 1.50, found on 200 training texts, out of fold: 8.1 %."),
    ],
)
def test_the_calibration_is_told_in_a_sentence(source: str, said: str) -> None:
    sides = {"before": {"ece": 0.081}, "after": {"ece": 0.034}}
    assert calibration_line({"temperature": 1.5, "source": source, "n": 200, **sides}).endswith(said)


@pytest.mark.parametrize(
    ("drafted", "accepted", "gate", "warned"), [(124, 10, 7, True), (124, 25, 6, False), (39, 0, 0, False)]
)
def test_a_run_with_hardly_any_usable_text_is_warned_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], drafted: int, accepted: int, gate: int, warned: bool
) -> None:
    stats = {"drafted": drafted, "accepted": accepted, "held_out": gate}
    crowned(run(tmp_path, metrics=[row(cycle=0, stats={}), row(stats=stats)]))
    said = " ".join(capsys.readouterr().out.split())
    assert (f"Only {accepted + gate} of {drafted} texts got a usable label." in said) is warned


def test_show_of_a_run_without_a_cycle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_run(run(tmp_path / "a"))
    assert "No cycle is finished yet" in capsys.readouterr().out


def test_prompts_are_shown_as_they_were_sent_by_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = {"role": "analyst", "cycle": 2, "prompt": "abc", "messages": [{"role": "user", "content": "[b]Why?"}]}
    rows = [{**said, "answer": "Because."}, {**said, "role": "annotator", "answer": EVIL}]
    found = run(tmp_path / "a", transcripts=rows)
    print_prompts(found, "analyst")
    out = capsys.readouterr().out
    assert "analyst, cycle 2, abc" in out and "[user]\n[b]Why?\n[answer]\nBecause.\n" in out and "annotator" not in out
    print_prompts(found, None)
    out = capsys.readouterr().out
    assert "[red]x[/red] \\x1b]0;title\\x07\\x9b2J" in out
    with pytest.raises(ConfigError, match=r"--role 'critic' is not known\. Allowed: analyst, annotator\."):
        print_prompts(found, "critic")


def test_harmless_keeps_every_letter_and_line() -> None:
    assert harmless("Grüße,\n\t日本 👍") == "Grüße,\n\t日本 👍"
    assert harmless("a\x00\r\x7f\ud800") == "a\\x00\\r\\x7f\\ud800"


@pytest.mark.parametrize(
    ("source", "whose"),
    [
        ("pool", "of your own texts, drawn at random, before the last training: 75.0 [50, 90]. It does not show where "
                 "the teacher is wrong."),
        ("typical", "texts that it wrote itself, before the last training: 75.0 [50, 90]. It does not show where the "
                    "teacher is wrong, and how your texts differ from its own."),
    ],
)  # fmt: skip
def test_the_gates_score_is_told_as_what_it_is(source: str, whose: str, tmp_path: Path) -> None:
    samples = [{"split": "gate", "status": "kept", "origin": {"source": source}}]
    made = run(tmp_path, metrics=[row(scores={"gate": SCORE})], samples=samples)
    assert held_out(made) == f"Agreement with the teacher on 20 {whose}"
    assert held_out(run(tmp_path / "b", metrics=[row(scores={})], samples=samples)) == ""


def test_why_a_batch_was_chosen_and_what_would_help_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"chosen": "Labelling your texts has not been tried yet.", "outlook": "What would help is [more] texts."}
    crowned(run(tmp_path, metrics=[row(batch_kind="label", **told)]))
    out = capsys.readouterr().out
    assert "Labelling your texts has not been tried yet." in out and "not worse [with it]" in out
    assert "What would help is [more] texts." in out


def test_a_narrow_screen_cuts_no_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    crowned(run(tmp_path, metrics=[row()]))
    out = capsys.readouterr().out
    assert all(words in out for words in ("quarantined", "fresh before > after", "75.0 [50, 90]", "breadth", "1,234"))
