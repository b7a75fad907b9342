"""No benchmark rots: each one runs and prints figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["codec", "commit_handoff"])
def test_it_prints_positive_figures(name: str) -> None:
    path = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / f"{name}.py")],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=60,
    )
    figures = [
        figure
        for value in json.loads(done.stdout).values()
        for figure in (value.values() if isinstance(value, dict) else [value])
    ]
    assert figures
    assert min(figures) > 0
