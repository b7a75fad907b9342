"""Builds the site into `build/site`: `python -m website`, or `python -m website serve` shows it.

Knows folders and the tools' commands; `pages` and `check` decide. The tools have to be
installed: `nox -s docs` does that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from website.check import problems
from website.pages import ROOTS, adapted, reachable

ROOT = Path(__file__).parents[1]
WEBSITE = ROOT / "website"
BUILD = ROOT / "build"
PAGES, SITE, CONFIG = BUILD / "docs", BUILD / "site", BUILD / "mkdocs.yml"
TYPEDOC = WEBSITE / "node_modules" / ".bin" / "typedoc"


def page(name: str) -> str:
    """The text of a page; none if there is no such page: Zensical says where that is linked."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def gather() -> None:
    """Put all pages into an empty folder: those of the repository, and those of the reference."""
    shutil.rmtree(BUILD, ignore_errors=True)
    for name in reachable(ROOTS, page):
        if (ROOT / name).exists():
            (PAGES / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, PAGES / name)
    subprocess.run([TYPEDOC, "--options", WEBSITE / "typedoc.json"], check=True)
    for path in (PAGES / "typescript").glob("*.md"):
        path.write_text(adapted(path.read_text(encoding="utf-8")), encoding="utf-8")
    for folder in ("python", "typescript"):
        shutil.copytree(WEBSITE / folder, PAGES / folder, dirs_exist_ok=True)
    (PAGES / "typescript" / "modules.md").unlink()
    shutil.copyfile(WEBSITE / "style.css", PAGES / "style.css")
    shutil.copyfile(WEBSITE / "mkdocs.yml", CONFIG)


def zensical(command: str, *options: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run Zensical, whose plugin for docstrings finds our extension of it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = ["zensical", command, *options, "-f", str(CONFIG)]
    return subprocess.run(line, check=False, text=True, env=environment, **how)


def build() -> list[str]:
    """Build the site; returns what is broken."""
    run = zensical("build", "--strict", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    sys.stdout.write(run.stdout)
    if run.returncode:
        return ["the site was not built"]
    # Not even --strict minds what Griffe has to say (Zensical 0.0.73).
    warnings = [line for line in run.stdout.splitlines() if line.startswith("griffe: ")]
    files = {str(each.relative_to(SITE)): each for each in SITE.rglob("*") if each.is_file()}
    names = [name for name in files if name.endswith(".html")]
    pages = {name: files[name].read_text(encoding="utf-8") for name in names}
    return warnings + problems(pages, frozenset(files) - pages.keys())


def main(*arguments: str) -> int:
    """Build the site and say what is broken; or show it, until Ctrl+C."""
    gather()
    if arguments:
        return zensical(*arguments).returncode
    found = build()
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
