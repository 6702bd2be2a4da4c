"""The command line: what it imports, what it prints, how it exits, and the one line for every mistake."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from evokd import main
from evokd.memory.marker import run_marker
from evokd.testing import world
from evokd.testing.loopback import chat, error, serving
from tests import parts
from tests.snapshots import snapshot

HEAVY = (
    "langgraph",
    "langchain_core",
    "langchain_openai",
    "langsmith",
    "openai",
    "torch",
    "transformers",
    "chromadb",
    "numpy",
    "datasets",
    "evokd.agents",
    "evokd.graph",
    "evokd.teacher",
    "evokd.student",
    "evokd.memory",
)

DEAD = "http://127.0.0.1:9/v1"  # nobody listens at this port
Said = tuple[int, str, str]


@pytest.fixture(autouse=True)
def as_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`main` changes the path and the environment of its process; here they are put back."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("LANGSMITH_USE_DAEMON", "ANONYMIZED_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.setenv(name, os.environ.get(name, "true"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def evokd(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def call(*words: str | Path) -> Said:
        code = main.main([str(word) for word in words])
        return code, *capsys.readouterr()

    return call


@pytest.mark.parametrize("words", [["--help"], [], ["run", "--help"], ["compare", "--help"]])
def test_help_is_light(words: list[str]) -> None:
    program = (
        f"import sys; from evokd import main; code = main.main({words!r});"
        f"print([name for name in {HEAVY!r} if name in sys.modules], len(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=parts.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("Usage: evokd")
    heavy, _, count = done.stderr.rpartition(" ")
    assert heavy == "[]" and int(count) < 400


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fly"], "No such command 'fly'. Try `evokd --help`."),
        (["run"], "Missing argument 'config'. Try `evokd --help`."),
        (["run", "a.toml", "--quick"], "No such option: --quick. Try `evokd --help`."),
        (
            ["run", "a.toml", "--seed", "x"],
            "Invalid value for '--seed': Input should be a valid integer, unable to parse string as an integer. "
            "Try `evokd --help`.",
        ),
        (["predict", "a", "nix.txt"], "Invalid value for 'file': file 'nix.txt' does not exist. Try `evokd --help`."),
        (["run", "nix.toml"], "there is no config file 'nix.toml'; `configs/` has examples."),
        (["show", "nix"], "there is no run 'nix'. Runs under runs/: none."),
        (["compare", "nix.toml"], "there is no config file 'nix.toml'; `configs/` has examples."),
        (
            ["compare", "a.toml", "--jobs", "0"],
            "Invalid value for '--jobs': Input should be greater than or equal to 1. Try `evokd --help`.",
        ),
    ],
)
def test_a_wrong_command_is_one_line_and_exit_code_2(words: list[str], said: str, evokd: Callable[..., Said]) -> None:
    assert evokd(*words) == (2, "", f"evokd: {said}\n")


def test_a_broken_dotenv_is_one_line(evokd: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"OPENAI_API_KEY=sch\xf6n")
    code, out, err = evokd("resume", "nix")
    assert (code, out) == (2, "") and err.startswith("evokd: .env cannot be read (") and err.count("\n") == 1


def test_a_run_that_is_not_there(evokd: Callable[..., Said], tmp_path: Path) -> None:
    made = tmp_path / "runs" / "mine" / "run.json"
    made.parent.mkdir(parents=True)
    made.write_text("{}")
    assert evokd("show", "nix")[2] == "evokd: there is no run 'nix'. Runs under runs/: mine.\n"
    assert evokd("resume", "nix")[2] == "evokd: there is no run 'nix'. Runs under runs/: mine.\n"
    said = evokd("predict", "nix")[2]
    assert said == (
        "evokd: 'nix' is neither a run with a champion nor a student's folder with a model.safetensors "
        "or, of a student of your own, a student.json. "
        "Runs under runs/: mine.\n"
    )


@pytest.mark.parametrize("words", [["--runs", "."], []])
def test_a_folder_that_is_also_the_users_is_left_as_it_is(
    words: list[str], evokd: Callable[..., Said], tmp_path: Path
) -> None:
    place = tmp_path / "small" if words else tmp_path / "runs" / "small"
    config = parts.write(place, DEAD)
    (place / "data").mkdir()
    for name in ("data/raw.jsonl", "data/seed.jsonl", "config.toml"):
        (place / name).write_text("theirs")
    before = snapshot(tmp_path)
    code, out, err = evokd("run", config, *words)
    assert (code, out, err.count("\n")) == (2, "", 1) and f"{place} is not empty, and EvoKD did not make it" in err
    assert snapshot(tmp_path) == before
    for command in ("resume", "show"):
        code, _, err = evokd(command, place)
        assert code == 2 and err == (
            f"evokd: {place} was not made by `evokd run` (it has no run.json). Name one that was.\n"
        )
    assert evokd("predict", place)[0] == 2 and snapshot(tmp_path) == before


def test_a_run_or_a_comparison_of_another_version_is_one_line(evokd: Callable[..., Said], tmp_path: Path) -> None:
    config, plan = parts.write(tmp_path, DEAD), tmp_path / "mine.toml"
    plan.write_text("strategies = ['static']\n[tasks.small]\nconfig = 'small.toml'\n")
    for file in ("runs/small/run.json", "compare/mine/comparison.json"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text('{"schema": 2, "id": "x"}')
    (tmp_path / "runs" / "small" / "best").mkdir()
    (tmp_path / "runs" / "small" / "config.toml").write_text(config.read_text())
    before = snapshot(tmp_path)
    commands: list[list[str | Path]] = [
        ["run", config],
        ["compare", plan],
        *([c, "small"] for c in ("resume", "show", "predict")),
    ]
    for command in commands:
        code, _, err = evokd(*command)
        assert (
            code == 2
            and err.count("\n") == 1
            and "(schema 1): its schema is 2. Nothing in the folder is touched" in err
        )
    assert snapshot(tmp_path) == before


def test_a_whole_run(evokd: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(parts.answer) as server:
        config = parts.write(tmp_path, server.url)
        code, out, err = evokd("run", config, "--cycles", "1")
        folder = tmp_path / "runs" / "small"
        assert (code, err) == (0, "")
        assert (
            "The run ended: all 1 cycles are done." in out
            and "Test set (24 texts, opened at the end), accuracy: seeds only" in out
        )
        code, out, err = evokd("run", config)
        assert code == 2 and out == ""
        assert err == (
            f"evokd: {folder} already holds a run. `evokd resume {folder}` goes on with it; another --name starts "
            "anew.\n"
        )
        code, out, err = evokd("resume", "small")
        assert (code, err) == (0, "") and "The run ended: all 1 cycles are done." in out
        assert evokd("run", config, "--name", "other", "--cycles", "0")[0] == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"small", "other"}
    code, out, _ = evokd("show", "small")
    assert code == 0 and "What was decided" in out and f"Champion: {Path('runs/small/best')}" in out
    code, out, _ = evokd("show", "small", "--prompts", "--role", "annotator")
    assert code == 0 and "annotator, cycle 1" in out and "generator" not in out
    code, out, _ = evokd("show", "small", "--costs")
    assert code == 0 and "tokens and money unknown each" in out and f"{Path('runs/small/answers.sqlite')}: " in out
    predicts(evokd, tmp_path, monkeypatch)


def predicts(evokd: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [world.make_text(label, world.random.Random(1)) for label in world.VOCABULARY]
    file = tmp_path / "texts.txt"
    file.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    code, out, err = evokd("predict", "small", file)
    answers = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "") and [answer["text"] for answer in answers] == texts
    assert [answer["label"] for answer in answers] == list(world.VOCABULARY)
    with file.open() as lines:
        monkeypatch.setattr(sys, "stdin", lines)
        assert evokd("predict", tmp_path / "runs" / "small") == (0, out, "")
    abstains(evokd, tmp_path, file)
    file.write_bytes(b"fine\ncaf\xe9\n")
    code, _, err = evokd("predict", "small", file)
    assert (code, err) == (2, f"evokd: {file}, line 2: not UTF-8 (unexpected end of data at byte 3).\n")


def abstains(evokd: Callable[..., Said], tmp_path: Path, file: Path) -> None:
    code, out, err = evokd("predict", "small", file, "--abstain", "0.3")
    answers = [json.loads(line) for line in out.splitlines()]
    given = [answer["label"] for answer in answers if answer["label"] is not None]
    assert code == 0 and all(("guess" in answer) == (answer["label"] is None) for answer in answers)
    condition, warning, count = err.splitlines()
    assert re.fullmatch(
        r"A label is given from a probability of [01]\.\d+ on\. Of \d+ training texts, each answered by a fit without "
        r"it, \d+% had one, \d+\.\d% of them wrong\. At most 30\.0% of the labels are expected to be "
        r"wrong where your texts are like those\.",
        condition,
    )
    assert warning.startswith("Real texts are harder than those that a teacher wrote: ")
    assert count == f"{len(given)} of 4 texts have a label; the others have a guess."
    assert evokd("predict", "small", file, "--sets", "0.1")[::2] == (
        2,
        "evokd: sets = 0.1 needs at least 100 rows of your own in the run's dev file, with one label a text, and has "
        "0: texts that a teacher wrote promise nothing about yours.\n",
    )
    code, out, err = evokd("predict", "small", file, "--abstain", "0.0001")
    assert (code, out) == (2, "") and err.startswith("evokd: abstain = 0.0001 cannot be reached: of ")


BAD_DATA: list[tuple[str, str | bytes, str]] = [
    ("seeds", "", "seeds.jsonl: has no rows. Give at least one with 'text' and 'label'."),
    (
        "seeds",
        '{"text": "the team won", "label": "sport"}\n',
        "seeds.jsonl: line 1: 'label' is 'sport', which is not one of: 'sports', 'money', 'science', 'food'",
    ),
    (
        "seeds",
        '{"text": "the team won", "label": "sports"}\n',
        "No seed example has the label 'money', 'science', 'food'. Add at least one for every label.",
    ),
    (
        "seeds",
        '{"text": "the team',
        """seeds.jsonl: line 1: broken JSON (Unterminated string starting at): '{"text": "the team'""",
    ),
    (
        "seeds",
        b'{"text": "caf\xe9", "label": "food"}\n',
        "seeds.jsonl: not UTF-8 at line 1 (byte 13 is 0xe9). Save the file as UTF-8.",
    ),
    (
        "seeds",
        '{"txt": "the team won", "label": "sports"}\n',
        "seeds.jsonl: line 1: there is no 'text'; the row has 'txt', 'label'. Columns of other names are named under "
        "[data]: text = ..., label = ...",
    ),
    (
        "dev",
        json.dumps({"text": "The TEAM won the  match", "label": "sports"}) + "\n",
        "1 of the 1 'dev' texts are also in 'seed': 'The TEAM won the  match'. Remove them from one of the two.",
    ),
]


@pytest.mark.parametrize(("file", "content", "said"), BAD_DATA)
def test_bad_data_is_one_helpful_line_and_leaves_no_run(
    file: str, content: str | bytes, said: str, evokd: Callable[..., Said], tmp_path: Path
) -> None:
    config = parts.write(tmp_path, DEAD)
    (tmp_path / f"{file}.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert evokd("run", config) == (2, "", f"evokd: {said}\n")
    assert not (tmp_path / "runs").exists()


def test_an_unknown_key_is_one_line(evokd: Callable[..., Said], tmp_path: Path) -> None:
    config = parts.write(tmp_path, DEAD, stop={"cycle": 2})
    said = f"evokd: {config}: [stop]: the key 'cycle' is not known. Did you mean 'cycles'? "
    said += "Allowed: cycles, patience, target.\n"
    assert evokd("run", config) == (2, "", said)


def test_a_missing_key_is_told_before_anything_is_spent(evokd: Callable[..., Said], tmp_path: Path) -> None:
    config = parts.write(tmp_path, DEAD, teacher={"api_key_env": "NO_SUCH_KEY"})
    code, _, err = evokd("run", config)
    assert code == 2 and err == (
        "evokd: teacher.api_key_env: the environment variable NO_SUCH_KEY is not set. Export it or put it into .env; "
        "for a server that wants no key, set api_key_env = 'none'.\n"
    )
    (tmp_path / ".env").write_text("NO_SUCH_KEY=secret\n")
    with serving(parts.answer) as server:
        config.write_text(config.read_text().replace(DEAD, server.url))
        assert evokd("run", config, "--cycles", "1")[0] == 0, "what never began is no run that is in the way"
        assert {request["authorization"] for request in server.requests} == {"Bearer secret"}
    os.environ.pop("NO_SUCH_KEY")
    kept = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert kept and not any(b"secret" in path.read_bytes() for path in kept)


def test_a_server_that_is_not_there(evokd: Callable[..., Said], tmp_path: Path) -> None:
    code, out, err = evokd("run", parts.write(tmp_path, DEAD))
    folder = tmp_path / "runs" / "small"
    assert code == 1 and err == (
        f"evokd: step 'generator' of cycle 1: The teacher at {DEAD} (model 'm') cannot be reached "
        "([Errno 111] Connection refused). Start the server or correct teacher.base_url, then "
        "resume.\n"
        f"Nothing before this step is lost. Settings: {folder / 'config.toml'}. Go on with: evokd resume {folder} "
        f"{' '.join(parts.ALLOW)}\n"
    )
    assert "Traceback" not in out


def test_at_a_limit_the_run_ends_with_its_champion_and_says_what_more_would_buy(
    evokd: Callable[..., Said], tmp_path: Path
) -> None:
    with serving(parts.answer) as server:
        config = parts.write(tmp_path, server.url, budget={"max_calls": 11})
        code, out, err = evokd("run", config)
        assert (code, err, len(server.requests)) == (0, "", 11)
        folder = tmp_path / "runs" / "small"
        assert "Stopped: budget.max_calls = 11 is reached: 11 calls made" in out
        assert "prompts of the generator are still without an answer: about 15 tokens" in out.replace(
            "1 prompts", "prompts"
        )
        assert "Another 10,000 tokens would buy about" in out and f"go on with: evokd resume {folder}" in out
        assert "Test set (24 texts, opened at the end)" in out and (folder / "best" / "model.json").exists()
        (folder / "config.toml").write_text((folder / "config.toml").read_text().replace("= 11", "= 50"))
        assert evokd("resume", "small")[0] == 0 and len(server.requests) == 15, "and nothing is asked twice"
    lines = [line.split() for line in evokd("show", "small", "--costs")[1].splitlines()]
    sums = [[each[1], *each[3:6]] for each in lines if each[:1] == ["all"]]
    assert sums == 2 * [["15", "150", "0", "75"]], "by role and by cycle, as the server counted: 10 and 5 tokens a call"


def test_a_server_that_answers_prose(evokd: Callable[..., Said], tmp_path: Path) -> None:
    with serving(lambda body: chat("I would love to help you with that!")) as server:
        code, _, err = evokd("run", parts.write(tmp_path, server.url))
    shown = "\n  'I would love to help you with that!'\n    (the answer holds no JSON object)"
    assert code == 1 and err.startswith(
        "evokd: step 'generator' of cycle 2: 20 answers in a row could not be used. The last three:"
        + 3 * shown
        + "\nTry a stronger teacher.model, or raise teacher.max_tokens if answers are cut off; then resume (with "
        "--no-cache, if the same model is to be asked again).\n"
    )


def test_a_server_that_labels_nothing_stops_the_run_until_it_is_asked_anew(
    evokd: Callable[..., Said], tmp_path: Path
) -> None:
    def weather(body: Any) -> Any:
        said = parts.answer(body)
        if parts.role_of(body) != "annotator":
            return said
        told = json.loads(said.body["choices"][0]["message"]["content"])
        return chat(json.dumps({"labels": [{**each, "label": "weather"} for each in told["labels"]]}))

    with serving(weather) as server:
        code, _, err = evokd("run", parts.write(tmp_path, server.url))
        wrong = (
            "\n  'weather' is not one of the labels. Answer with exactly one of: sports, money, science, food, drop."
        )
        assert code == 1 and err.startswith(
            "evokd: step 'annotator' of cycle 1: not one of 40 texts got a label that can be used. "
            f"What was wrong with the last three:{3 * wrong}\n"
        )
        server.script, paid = parts.answer, len(server.requests)
        assert evokd("resume", "small")[0] == 1 and len(server.requests) == paid, "what was answered is not asked again"
        code, _, err = evokd("resume", "small", "--no-cache")
        assert (code, err) == (0, "") and len(server.requests) > paid
    assert "use_cache = false" in (tmp_path / "runs" / "small" / "config.toml").read_text()


def test_a_server_without_that_model(evokd: Callable[..., Said], tmp_path: Path) -> None:
    with serving(lambda body: error(404, "no model m")) as server:
        code, _, err = evokd("run", parts.write(tmp_path, server.url))
    assert code == 1 and err.startswith(
        f"evokd: step 'generator' of cycle 1: The teacher at {server.url} (model 'm') refuses with HTTP 404 "
        "(no model m). Check teacher.model ('m') and teacher.base_url (it usually ends in /v1).\n"
    )


def test_an_interruption_before_the_first_step(
    evokd: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("evokd.graph.setup.create.read_examples", interrupted)
    code, _, err = evokd("run", parts.write(tmp_path, DEAD))
    assert (code, err.strip()) == (130, "evokd: stopped. To continue a run, use `evokd resume RUN`.")


def test_a_plan_says_what_it_would_take_and_that_nobody_is_there(evokd: Callable[..., Said], tmp_path: Path) -> None:
    config = parts.write(tmp_path, DEAD)
    code, out, err = evokd("plan", config, "--offline", "--prompts")
    assert (code, err) == (0, "") and "Verdict: look again" in out and "generator, cycle 1: Taxonomy" in out
    code, out, _ = evokd("plan", config)
    assert code == 1 and "Verdict: not yet" in out and "cannot be reached" in out
    assert not (tmp_path / "runs").exists()


def test_a_fault_in_a_role_of_ones_own_shows_its_line_where_asked(
    tmp_path: Path, evokd: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ["trainer", "evaluator", "analyst", "generator", "tests.parts:Asker", "annotator"]
    allow = (*parts.ALLOW, "--allow", "tests.parts:Asker")
    with serving(parts.answer) as server:
        config = parts.write(tmp_path, server.url, order=order)
        code, out, err = evokd("run", config, "--runs", tmp_path / "runs")
        again = f"evokd resume {tmp_path / 'runs' / 'small'}"
        assert (code, err) == (75, "") and "A role asks you" in out and f"Answer with: {again}" in out
        monkeypatch.setenv("EVOKD_TEST_FAULT", "1")
        for words, shown in ((("--debug",), True), ((), False)):
            words = ("resume", "small", "--runs", tmp_path / "runs", "--answer", "yes", *allow, *words)
            code, _, err = evokd(*words)
            assert code == 1 and "step 'asker' of cycle 1 failed: ValueError" in err
            assert ("parts.py" in err and "Traceback" in err) is shown
        monkeypatch.delenv("EVOKD_TEST_FAULT")
        assert evokd("resume", "small", "--runs", tmp_path / "runs", *allow)[0] == 0


@pytest.mark.parametrize("words", [("show", "small"), ("show", "small", "--prompts"), ("show", "small", "--costs")])
def test_a_terminal_that_is_not_utf8_shows_a_run(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = parts.folder(tmp_path / "runs" / "small")
    run_marker(folder.root).claim()
    said = "Grüße \u2019 \u96ea \ud83c\udfc6"
    (folder.root / "config.toml").write_text(tomli_w.dumps(parts.config("http://127.0.0.1:9/v1")))
    message = {"role": "user", "content": said}
    row = {"role": "analyst", "cycle": 1, "prompt": "p", "messages": [message], "answer": said}
    (folder.root / "transcripts.jsonl").write_text(json.dumps(row) + "\n")
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(parts.ROOT)}
    command = [sys.executable, "main.py", *words, "--runs", str(tmp_path / "runs")]
    done = subprocess.run(command, cwd=parts.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert ("\\u96ea" in done.stdout) is ("--prompts" in words)
