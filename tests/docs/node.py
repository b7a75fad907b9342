"""Node, where it is there.

Knows how programs in JavaScript and TypeScript are run and checked.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

TYPESCRIPT = ROOT / "clients" / "typescript"
MODULES = TYPESCRIPT / "node_modules"
RUN = Path(__file__).parent / "run.mjs"


def require_node() -> None:
    """Skip the test without Node or the packages; with `CI=true` fail instead."""
    missing = None
    if shutil.which("node") is None:
        missing = "there is no node"
    elif not (MODULES / "esbuild").is_dir() or not (MODULES / "ws").is_dir():
        missing = "no node_modules: npm ci in clients/typescript"
    if missing is not None and os.environ.get("CI") == "true":
        pytest.fail(missing)
    if missing is not None:
        pytest.skip(missing)
