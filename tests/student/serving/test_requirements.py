"""What is installed for serving alone is what the whole of EvoKD is tested with."""

import tomllib

from tests.parts import ROOT


def test_the_versions_for_serving_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    known = {*project["dependencies"], *extras["serve"]}
    lines = (ROOT / "student" / "serving" / "requirements.txt").read_text().splitlines()
    wanted = {line for line in lines if line and not line.startswith("#")}
    assert wanted - known <= {"tokenizers>=0.23,<1"}  # comes with transformers, which asks for its own range
    names = {line.split(">")[0].casefold().replace("_", "-") for line in wanted}
    pinned = (ROOT / "constraints.txt").read_text().casefold().replace("_", "-").splitlines()
    assert names <= {line.split("==")[0] for line in pinned}
