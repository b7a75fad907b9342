"""No benchmark rots: each one runs, tiny, and prints figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.registry import NAMES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_it_writes_positive_figures(name: str, tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT)])
    subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--smoke", "--json", tmp_path / "figures.json"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        timeout=120,
    )
    figures = json.loads((tmp_path / "figures.json").read_text())
    rows = [row for table in figures[name]["tables"] for row in table["rows"]]
    assert rows
    assert all(row["median"] > 0 for row in rows)
