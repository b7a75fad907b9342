"""A newcomer's way: from nothing to the first change, as the README leads.

    python -m benchmarks.first_steps [--json FILE]

Clones the repository into an empty folder and does there, with a stopwatch, what
the README's tour says: in Python, and in TypeScript with the package. What is
fetched comes from wherever pip and npm are told to fetch from, and counts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.docs.markdown import ROOT, page, programs

PROGRAMS = programs(page("README.md"))
PATIENCE = 600


class Stopwatch:
    """Prints each step with what it took."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one step."""
        begun = time.perf_counter()
        yield
        self.tell(name, time.perf_counter() - begun)

    def tell(self, name: str, seconds: float) -> None:
        """Note what somebody else has measured."""
        self.steps[name] = round(seconds, 1)
        print(f"{self.steps[name]:7.1f} s  {name}", flush=True)


def run(*command: str | Path, folder: Path) -> str:
    """Run a command to its end; what it printed."""
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, env=bare, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout


@contextlib.contextmanager
def serving(
    watch: Stopwatch, bin_folder: Path, folder: Path, step: str, app: str = "app:app"
) -> Iterator[str]:
    """A server, by default the README's, on a free port; its address."""
    command = [str(bin_folder / "rhtmx-server"), "--app", app, "--port", "0"]
    with watch.step(step):
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        line = server.stdout.readline()
    try:
        yield line.split()[1].split("/")[2]
    finally:
        server.terminate()
        server.wait()


def write(folder: Path, name: str, address: str) -> None:
    """One of the README's programs, at this address."""
    (folder / name).write_text(PROGRAMS[name][0].replace("127.0.0.1:3000", address))


def main() -> None:
    """Go the way, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the seconds of each step to a file")
    arguments = parser.parse_args()
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clone, app = folder / "rhtmx", folder / "app"
        app.mkdir()
        run("git", "clone", "--quiet", ROOT, clone, folder=folder)
        tools = folder / "venv" / "bin"
        with watch.step("Python: an environment, and pip install"):
            run(sys.executable, "-m", "venv", "venv", folder=folder)
            run(tools / "pip", "install", "--quiet", f"{clone}[server]", folder=folder)
        (app / "app.py").write_text(PROGRAMS["app.py"][0])
        with serving(watch, tools, app, "Python: the server of the tour is ready") as address:
            write(app, "live_data.py", address)
            with watch.step("Python: the first change arrives"):
                assert run(tools / "python", "live_data.py", folder=app).startswith("create 1")
            with watch.step("TypeScript: npm ci and npm pack"):
                source = clone / "clients" / "typescript"
                run("npm", "ci", "--no-audit", "--no-fund", folder=source)
                run("npm", "pack", folder=source)
                (package,) = source.glob("*.tgz")
            with watch.step("TypeScript: npm install into a project of one's own"):
                run("npm", "init", "--yes", folder=app)
                run(
                    "npm",
                    "install",
                    "--no-audit",
                    "--no-fund",
                    package,
                    "ws",
                    "esbuild",
                    folder=app,
                )
            write(app, "page.ts", address)
            with watch.step("TypeScript: the program of the tour is built, and reads and writes"):
                run("npx", "esbuild", "page.ts", "--outfile=page.mjs", folder=app)
                assert "Read it" in run("node", "page.mjs", folder=app)
    print(f"{sum(watch.steps.values()):7.1f} s  in all")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(watch.steps, indent=2) + "\n")


if __name__ == "__main__":
    main()
