"""The tools have one version, wherever they are named."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import chain

from tests.house.source import ROOT


def test_what_runs_before_a_commit_is_what_the_project_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = chain.from_iterable(project["dependency-groups"].values())
    pinned = {each for each in groups if isinstance(each, str)}
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r'"([\w-]+==[\w.]+)"', text))
    assert named
    assert named <= pinned
    package = json.loads(
        (ROOT / "clients" / "typescript" / "package.json").read_text(encoding="utf-8")
    )
    of_node = {f"{name}@{version}" for name, version in package["devDependencies"].items()}
    named = set(re.findall(r'"(@[\w/-]+@[\w.]+)"', text))
    assert named
    assert named <= of_node
