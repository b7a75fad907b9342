"""No benchmark rots: each one runs, tiny, and prints figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.registry import NAMES
from tests.support.process import ROOT, run


@pytest.mark.parametrize("name", NAMES)
def test_it_writes_positive_figures(name: str, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "benchmarks", name, "--smoke", "--json")
    run(*command, tmp_path / "figures.json", folder=ROOT, patience=120)
    figures = json.loads((tmp_path / "figures.json").read_text())
    tables = figures[name]["tables"]
    assert all(table["rows"] for table in tables)
    for table in tables:
        medians = [row["median"] for row in table["rows"]]
        # What has no unit is counted, and nothing may have happened.
        assert min(medians) > 0 if table["unit"] else min(medians) >= 0
