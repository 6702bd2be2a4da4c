"""Every mistake in a config is one line that says what is allowed; parts of one's own are found, built and checked."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from evokd.agents.annotator.agent import Annotator
from evokd.agents.evaluator.agent import Evaluator
from evokd.agents.generator.agent import Generator
from evokd.graph.config.roles import ROLES
from evokd.graph.config.run_config import RunConfig, agents, load, read_toml, stop_rule, validate
from evokd.graph.config.strategies import STRATEGIES
from evokd.graph.setup.own_students import DescribedStudents
from evokd.graph.setup.services import make_students, make_task, open_services
from evokd.graph.setup.teachers import open_run_teacher
from evokd.graph.stop import Stop
from evokd.tasks.errors import ConfigError
from evokd.teacher.teacher import ChatTeacher
from tests import parts
from tests.graph import own

CONFIGS = Path(__file__).parents[3] / "configs"

PLAIN: dict[str, Any] = {
    "name": "plain",
    "task": {"description": "d", "labels": ["a", "b"]},
    "data": {"seeds": "seeds.jsonl"},
}

TOP = "agents, budget, checkpoints, data, memory, name, order, seed, stop, strategy, student, task, teacher."
ROLE = (
    "api_key_env, base_url, extra_body, kind, max_tokens, model, prompting, settings, structured, temperature, "
    "timeout, top_p, usd_per_million_cached_input, usd_per_million_input, usd_per_million_output."
)


def config(**changes: Any) -> RunConfig:
    return validate({**PLAIN, **changes}, "x.toml", trusted=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"foo": 1}, f"the key 'foo' is not known. Allowed: {TOP}"),
        ({"teacher": {"local": {"foo": 1}}}, "'teacher.local.foo' is not known. Allowed: context, slots, startup_s"),
        ({"teacher": {"roles": {"critic": {"foo": 1}}}}, f"'teacher.roles.critic.foo' is not known. Allowed: {ROLE}"),
        ({"agents": {"generator": {"foo": 1}}}, "[agents.generator]: the key 'foo' is not known. Allowed: backbone, b"),
        (
            {"agents": {"generator": {"foo": 1}}},
            "'foo' is not known. Allowed: backbone, batch, conversation",
        ),
        ({"agents": {"critic": {}}}, "the role in [agents] 'critic' is not known. Allowed: analyst, annotator, eval"),
        ({"agents": {"generator": 5}}, "agents.generator = 5: Input should be a valid dictionary."),
        ({"agents": {"annotator": {"method": "x"}}}, "method = 'x': Input should be 'auto', 'logprobs' or 'vote'."),
        ({"agents": {"annotator": {"threshold": "much"}}}, "threshold = 'much': Input should be a valid number"),
        ({"stop": {"foo": 1}}, "[stop]: the key 'foo' is not known. Allowed: cycles, patience, target."),
        ({"stop": {"cycles": -1}}, "[stop]: cycles = -1: Input should be greater than or equal to 0."),
        ({"stop": {"kind": "soon"}}, "stop.kind 'soon' is not known. Allowed: module:Class."),
        ({"stop": 5}, "stop = 5: Input should be a valid dictionary."),
        (
            {"strategy": "x"},
            "strategy = 'x': Input should be 'gated', 'paper', 'static', 'zerogen', 'auggpt' or 'none'.",
        ),
        (
            {"order": ["critic"]},
            "order 'critic' is not known. Allowed: analyst, annotator, evaluator, generator, module:",
        ),
        (
            {"order": ROLES[:4]},
            "lacks annotator. A cycle needs trainer, evaluator, analyst, generator, ann",
        ),
        (
            {"order": [*ROLES[:2], *ROLES[3:]]},
            "order lacks the analyst, who writes the lessons that agents",
        ),
        ({"order": [*ROLES[2:]]}, "lacks trainer, evaluator. A cycle needs"),
        ({"order": ROLES[::-1]}, "order = ['annotator', 'generator', 'analyst', 'evaluator', 'trainer']: a cycle"),
        ({"order": [*ROLES, "trainer"]}, "order names the role 'trainer' twice."),
        ({"order": [*ROLES, "no_such:Role"]}, "order = 'no_such:Role' cannot be imported (ModuleNotFoundError: No mod"),
        ({"order": [*ROLES, "tests.parts:Nope"]}, "(AttributeError: module 'tests.parts' has no attribute 'Nope')"),
        (
            {"order": [*ROLES, "tests.parts:config"]},
            "order = 'tests.parts:config' is a function, not a class. Name a class with the",
        ),
        ({"order": [*ROLES, "tests.parts:Server"]}, "has no attribute 'Server'"),
        ({"task": {"description": "d", "labels": ["a", 5]}}, "task.labels = ['a', 5]: a list of labels holds names on"),
        ({"task": {"description": "d", "labels": [["a"]]}}, "task.labels = [['a']]: a list of labels holds names only"),
        ({"task": {"description": "d", "labels": ["a", "a"]}}, "task.labels = ['a', 'a']: a label is named twice."),
        ({"task": {**PLAIN["task"], "kind": "seq"}}, "task.kind 'seq' is not known. Allowed: classification, module:C"),
        ({"student": {"kind": "svm"}}, "student.kind 'svm' is not known. Allowed: module:Class, transformer."),
        ({"memory": {"kind": "redis"}}, "memory.kind 'redis' is not known. Allowed: chroma, module:Class."),
        (
            {"teacher": {"kind": "oracle"}},
            "teacher.kind 'oracle' is not known. Allowed: langchain, local, module:",
        ),
        ({"teacher": {"kind": "openai"}}, "teacher.model is needed for kind = 'openai'"),
        ({"data": {"seeds": 5}}, "data.seeds = 5: Input should be a valid string."),
        ({"data": {}}, "the key 'data.seeds' is missing."),
        ({"name": "a/b"}, "name = 'a/b': must be letters, digits, '.', '_' or '-', at most 80"),
        ({"seed": -1}, "seed = -1: Input should be greater than or equal to 0."),
    ],
    ids=repr,
)
def test_a_mistake_is_one_line_that_says_what_is_allowed(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**changes)
    message = str(caught.value)
    assert message.startswith("x.toml: ") and said in message and "\n" not in message


def test_a_missing_section_is_named() -> None:
    with pytest.raises(ConfigError, match=r"x\.toml: the key 'task' is missing\."):
        validate({"name": "n", "data": {"seeds": "s"}}, "x.toml")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name = ", "not a readable TOML file: Invalid value (at end of document)"),
        (b"name = '\xff'", "not a readable TOML file: 'utf-8' codec can't decode byte 0xff"),
        (b"a = 1\na = 2\n", "not a readable TOML file: Cannot overwrite a value (at line 2, column 6)"),
    ],
)
def test_what_is_not_toml_is_told_with_its_place(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ") and said in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no config file '.*nix\.toml'; `configs/` has examples\."):
        load(tmp_path / "nix.toml")


def test_the_command_line_overrides_and_the_file_names_the_run(tmp_path: Path) -> None:
    path = tmp_path / "my-run.toml"
    path.write_text(tomli_w.dumps({**PLAIN, "stop": {"patience": 2}} | {"name": "x"}).replace('name = "x"\n', ""))
    found = load(path, {"stop.cycles": 3, "seed": 7})
    assert (found.name, found.seed, stop_rule(found)) == ("my-run", 7, Stop(cycles=3, patience=2))


def test_an_override_of_what_is_no_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("stop = 5\n")
    with pytest.raises(ConfigError, match=r"stop = 5: must be a table, \[stop\]"):
        load(path, {"stop.cycles": 3})


def test_a_strategy_is_a_set_of_defaults_that_the_config_overrides_key_by_key() -> None:
    ring = agents(config(strategy="paper", agents={"generator": {"batch": 5}, "annotator": {"votes": 3}}))
    assert isinstance(ring["generator"], Generator) and isinstance(ring["annotator"], Annotator)
    assert (ring["generator"].batch, ring["generator"].gate_size, ring["generator"].varied) == (5, 0, False)
    assert (ring["annotator"].votes, ring["annotator"].quarantine) == (3, False)


def test_what_is_misspelt_is_named_with_what_is_nearest() -> None:
    for changes, said in (
        ({"taks": {}}, "the key 'taks' is not known. Did you mean 'task'? Allowed: "),
        ({"agents": {"generator": {"bacth": 3}}}, "the key 'bacth' is not known. Did you mean 'batch'? Allowed: "),
        ({"agents": {"analist": {}}}, "'analist' is not known. Did you mean 'analyst'? Allowed: "),
        ({"order": [*ROLES[:4], "Annotator"]}, "order 'Annotator' is not known. Did you mean 'annotator'? Allowed: "),
        ({"student": {"kind": "transformers"}}, "'transformers' is not known. Did you mean 'transformer'? Allowed: "),
        ({"teacher": {"kind": "opnai"}}, "teacher.kind 'opnai' is not known. Did you mean 'openai'? Allowed: "),
        ({"strategy": "statik"}, "'zerogen', 'auggpt' or 'none'. Did you mean 'static'?"),
    ):
        with pytest.raises(ConfigError) as caught:
            config(**changes)
        assert said in str(caught.value)


def test_a_class_of_ones_own_takes_the_place_of_a_role_and_gets_of_a_preset_what_it_knows() -> None:
    order = [*ROLES[:3], "tests.graph.own:Generator", ROLES[4]]
    ring = agents(config(order=order, strategy="paper", agents={"generator": {"style": "terse"}}))
    assert list(ring) == list(ROLES)
    assert ring["generator"] == own.Generator(style="terse", varied=False), "varied is the preset's; it knows no other"


def test_the_analyst_may_be_left_out_where_no_lessons_are_asked_for() -> None:
    order = [role for role in ROLES if role != "analyst"]
    assert list(agents(config(order=order, strategy="static"))) == order
    assert list(agents(config(order=order, agents={"evaluator": {"curriculum": "breadth"}}))) == order
    with pytest.raises(ConfigError, match=r"curriculum = 'lessons' asks for\. Put it after the evaluator, or set"):
        config(order=order, strategy="paper")


def test_every_part_of_ones_own_gets_settings_that_are_checked() -> None:
    kinds = {"task": "Stars", "student": "Linear", "memory": "Newest", "teacher": "Oracle"}
    wrong = {"task": "tolerence", "student": "strenght", "memory": "neweset", "teacher": "styl"}
    right = {"task": ("tolerance", 2), "student": ("strength", 0.5), "memory": ("newest", 9), "teacher": ("style", "x")}
    for section, kind in kinds.items():
        name, value = right[section]
        part = {**(PLAIN["task"] if section == "task" else {}), "kind": f"tests.graph.own:{kind}"}
        found = config(**{section: {**part, "settings": {name: value}}})
        assert getattr(found, section).settings == {name: value}
        assert list(getattr(config(**{section: part}), section).settings) == [name], "a default is written out"
        said = rf"\[{section}\.settings\]: the key '{wrong[section]}' is not known\. Did you mean '{name}'\?"
        with pytest.raises(ConfigError, match=said):
            config(**{section: {**part, "settings": {wrong[section]: value}}})
        with pytest.raises(ConfigError, match=rf"\[{section}\.settings\]: {name} = \[\]: Input should be"):
            config(**{section: {**part, "settings": {name: []}}})
        with pytest.raises(
            ConfigError, match=rf"{section}\.settings(\] is for a part of your own| goes with kind = 'module:Class')"
        ):
            config(**{section: {**(PLAIN["task"] if section == "task" else {}), "settings": {name: value}}})


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_only_ours_has_texts_of_a_pool_labelled(strategy: str) -> None:
    ring = agents(config(strategy=strategy))
    assert isinstance(ring["generator"], Generator) and isinstance(ring["evaluator"], Evaluator)
    takes = ring["evaluator"].curriculum in ("gated", "label") or ring["generator"].gate_size > 0
    assert takes is (strategy in ("gated", "none")), "for the gate, or to learn from"


def test_a_role_of_ones_own_stands_where_order_puts_it_with_its_settings() -> None:
    order = [*ROLES[:4], "tests.parts:Critic", ROLES[4]]
    ring = agents(config(order=order, agents={"critic": {"shortest": 5}}))
    assert list(ring) == [*ROLES[:4], "critic", ROLES[4]]
    assert ring["critic"] == parts.Critic(shortest=5)
    with pytest.raises(ConfigError, match=r"\[agents\.critic\]: the key 'longest' is not known\. Allowed: shortest\."):
        config(order=order, agents={"critic": {"longest": 5}})


def test_a_stop_rule_of_ones_own_gets_its_settings() -> None:
    assert stop_rule(config(stop={"kind": "tests.parts:After", "lessons": 2})) == parts.After(lessons=2)
    with pytest.raises(ConfigError, match=r"\[stop\]: the key 'cycles' is not known\. Allowed: lessons\."):
        config(stop={"kind": "tests.parts:After", "cycles": 2})


def test_a_task_and_a_student_of_ones_own_are_built_as_ours_are() -> None:
    found = config(task={**PLAIN["task"], "kind": "evokd.tasks.kinds.classification:Classification"})
    assert list(make_task(found.task).labels) == ["a", "b"]
    students = make_students(config(student={"kind": "tests.parts:Students"}), make_task(found.task))
    assert isinstance(students, DescribedStudents) and isinstance(students.own, parts.Students)
    assert students.own.labels == ["a", "b"]


def test_a_part_that_lacks_methods_is_refused_with_their_names() -> None:
    with pytest.raises(ConfigError) as caught:
        make_task(config(task={**PLAIN["task"], "kind": "tests.parts:NoMemory"}).task)
    assert "task.kind = 'tests.parts:NoMemory' lacks answer_schema, choices, describe, exports, f" in str(caught.value)


def test_a_part_that_takes_other_arguments_is_refused() -> None:
    found = config(student={"kind": "evokd.testing.students:WordStudents"})
    with pytest.raises(ConfigError, match=r"'evokd\.testing\.students:WordStudents' cannot be built: .*positional arg"):
        make_students(found, make_task(found.task))


def test_a_teacher_and_a_memory_of_ones_own_are_built_as_ours_are_and_closed(tmp_path: Path) -> None:
    from evokd.graph.setup.create import create

    path = parts.write(tmp_path, "http://127.0.0.1:1/v1", teacher={"kind": "tests.graph.own:Oracle"})
    found, folder = load(path), parts.folder(tmp_path / "run")
    create(found, tmp_path, folder)
    with open_services(found, folder) as services:
        teacher: Any = services.teacher
        assert teacher.given == ("small", 0, folder.root) and not teacher.closed
        assert isinstance(services.memory, parts.Notes) and len(services.memory.samples("dev")) == 24
    assert teacher.closed


def test_a_teacher_that_answers_by_itself_is_told_to_do_without_our_accounts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = "http://127.0.0.1:1/v1"
    for kind, warned in (("tests.graph.own:Oracle", True), ("tests.graph.own:World", False)):
        found = load(parts.write(tmp_path / kind[-5:], url, teacher={"kind": kind}))
        caplog.clear()
        teacher = open_run_teacher(found, tmp_path / kind[-5:], 0.0)
        assert isinstance(teacher, ChatTeacher) is not warned
        told = [record.getMessage() for record in caplog.records]
        assert bool(told) is warned and all("[budget], the ledger and its costs" in each for each in told)
        teacher.close()


def test_a_class_with_neither_contract_is_told_both(tmp_path: Path) -> None:
    path = parts.write(tmp_path, "http://127.0.0.1:1/v1", teacher={"kind": "tests.parts:NoMemory"})
    with pytest.raises(ConfigError, match=r"lacks ask, .* Or inherit from evokd\.teacher\.custom\.CustomTeacher\."):
        load(path)
    path = parts.write(
        tmp_path, "http://127.0.0.1:1/v1", teacher={"roles": {"critic": {"kind": "tests.parts:NoMemory"}}}
    )
    with pytest.raises(ConfigError, match=r"'tests.parts:NoMemory' lacks"):
        load(path)


def test_code_that_a_role_names_must_be_allowed_too(tmp_path: Path) -> None:
    raw = parts.config("http://127.0.0.1:1/v1", teacher={"roles": {"critic": {"kind": "somebodys:Teacher"}}})
    with pytest.raises(ConfigError, match="--allow somebodys:Teacher"):
        validate(raw, "config.toml")


def test_the_config_that_a_run_keeps_is_the_config_it_was_given(tmp_path: Path) -> None:
    from evokd.graph.setup.create import create, read_config

    path = parts.write(tmp_path, "http://127.0.0.1:1/v1", budget={"max_calls": 5}, stop={"target": 0.9})
    found, folder = load(path, {"strategy": "static"}), parts.folder(tmp_path / "run")
    create(found, tmp_path, folder)
    assert read_config(folder) == found
    assert "max_usd" not in read_toml(folder.root / "config.toml")["budget"]


def test_the_ready_configs_are_read() -> None:
    for path in CONFIGS.glob("*.toml"):
        if path.name != "compare.toml":
            assert agents(load(path))


def test_what_the_papers_config_has_in_comments_can_be_said() -> None:
    """Its four ablations, and its first batch of seeds in other words."""
    found, role = {}, ""
    for line in (CONFIGS / "paper.toml").read_text().splitlines():
        if heading := re.fullmatch(r"# \[(agents\.\w+)\]", line):
            role = heading[1]
        elif role and (setting := re.fullmatch(r"# (\w+) = (\S+).*", line)):
            found[f"{role}.{setting[1]}"] = tomllib.loads(f"x = {setting[2]}")["x"]
    ablations = ("generator.easy", "generator.separate", "analyst.correct", "trainer.review")
    wanted = {f"agents.{name}": False for name in ablations}
    assert found == wanted | {"agents.generator.first": "rewrites", "agents.evaluator.curriculum": "gated"}
    for name, value in found.items():
        _, role, setting = name.split(".")
        assert getattr(agents(load(CONFIGS / "paper.toml", {name: value}))[role], setting) == value


@pytest.mark.parametrize(
    "line", ["kind = openai", "kind = \u201copenai\u201d", "data.test = seeds.jsonl", "api_key_env = sk-1"]
)
def test_a_text_without_quotes_is_told_by_its_key_alone(tmp_path: Path, line: str) -> None:
    (tmp_path / "t.toml").write_text(f"[teacher]\n{line}\n")
    key, _, value = line.partition(" = ")
    with pytest.raises(
        ConfigError, match=rf'at line 2.*A text stands between straight quotes: {key} = "\.\.\."'
    ) as told:
        read_toml(tmp_path / "t.toml")
    assert value not in str(told.value)


@pytest.mark.parametrize("line", ["kind = [1, 2", "= 5", "kind = 5x"])
def test_other_mistakes_of_toml_are_told_as_they_are(tmp_path: Path, line: str) -> None:
    (tmp_path / "t.toml").write_text(line)
    with pytest.raises(ConfigError, match="not a readable TOML file") as told:
        read_toml(tmp_path / "t.toml")
    assert "quotes" not in str(told.value)
