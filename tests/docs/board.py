"""The schema of the page about schemas, and what its command makes of it.

Knows where the page has it. Must not know what is in it.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.docs.markdown import blocks, page, programs
from tests.support.process import Ended, run

__all__ = ["PAGE", "PROGRAMS", "SHOWN", "generate"]

PAGE = page("docs/schema.md")
PROGRAMS = programs(PAGE)
SHOWN = next(block.text for block in blocks(PAGE) if block.text.startswith("$ rhtmx codegen"))
"""The command that the page shows, and what it prints."""


def generate(folder: Path) -> Ended:
    """Run the page's command on the page's schema."""
    (folder / "app.proto").write_text(PROGRAMS["app.proto"][0])
    command = shlex.split(SHOWN.splitlines()[0].removeprefix("$ rhtmx "))
    return run(sys.executable, "-m", "rhtmx", *command, folder=folder)
