"""A newcomer's way with a schema: from an empty folder to two browsers, as docs/schema.md leads.

    python -m benchmarks.first_schema [--json FILE] [--pictures FOLDER]

Makes an environment in an empty folder, installs rhtmx from this checkout, and does there what
the page's first minute says, with a stopwatch: writes the schema and the server, runs the
command, starts the server, and opens the page in two browsers. A task is added in one and shows
in the other; a wrong one is refused by the rule of the schema. Ends with 1 if it all takes more
than a minute. What is fetched comes from wherever pip is told to fetch from, and counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from pathlib import Path

from benchmarks.first_steps import Stopwatch, run, serving
from tests.browser.driver import browsing
from tests.docs.board import PROGRAMS, SHOWN
from tests.docs.markdown import ROOT
from tests.support.programs import chromium, node

DRIVER = Path(__file__).with_suffix(".mjs")
MOST = 60.0


async def open_in_two(watch: Stopwatch, address: str, pictures: Path | None) -> None:
    """Do in two browsers what the page says.

    Args:
        watch: is told what each step took.
        address: of the server.
        pictures: the folder for what both show, if anybody wants to see it.
    """

    async def took(_: str, name: str, seconds: float) -> None:
        watch.tell(name, seconds)

    async with browsing(node("playwright-core"), chromium(), driver=DRIVER) as browser:
        await browser.run("the first minute", f"http://{address}/", took, pictures)


def main() -> int:
    """Go the way, and print what it took.

    Returns:
        1 if it took more than a minute.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the seconds of each step to a file")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of both browsers")
    arguments = parser.parse_args()
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = folder / "venv" / "bin"
        with watch.step("An environment, and pip install"):
            run(sys.executable, "-m", "venv", "venv", folder=folder)
            run(tools / "pip", "install", "--quiet", f"{ROOT}[server,codegen]", folder=folder)
        with watch.step("The schema and the server are written, and rhtmx codegen is run"):
            for file in ("app.proto", "board.py"):
                (folder / file).write_text(PROGRAMS[file][0])
            command = shlex.split(SHOWN.splitlines()[0].removeprefix("$ rhtmx "))
            run(tools / "rhtmx", *command, folder=folder)
        served = serving(watch, tools, folder, "The server is ready", app="board:app")
        with served as address:
            asyncio.run(open_in_two(watch, address, arguments.pictures))
    total = sum(watch.steps.values())
    print(f"{total:7.1f} s  in all")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(watch.steps, indent=2) + "\n")
    return int(total > MOST)


if __name__ == "__main__":
    sys.exit(main())
