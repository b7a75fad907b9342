"""What the page about forms in handlers shows is what happens."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.markdown import page, programs
from tests.support.process import run

PAGE = page("docs/guides/forms-in-your-handlers.md")
PROGRAMS = programs(PAGE)


def test_the_handler_prints_what_is_shown(tmp_path: Path) -> None:
    source, shown = PROGRAMS["handler.py"]
    (tmp_path / "handler.py").write_text(source)
    ran = run(sys.executable, "-W", "error", "handler.py", folder=tmp_path)
    assert ran.output.strip() == shown.strip()
