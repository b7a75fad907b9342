"""The TypeScript client in Chromium: what is stored, and how long the page has no answer for it.

10,000 writes without a connection until they are on the disk, all in one task of the page; 1,000
writes, each in a task of its own; 100,000 records from our server until they are shown and stored;
and a page that opens where they are stored already. The peers, bare IndexedDB and Dexie, store the
same from objects that are ready: they read no socket, check nothing and show nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

from benchmarks.support.figures import Scale, Table
from benchmarks.support.filled import Filled, filled
from benchmarks.support.processes import CORES, ROOT, rhtmx

ROUNDS = 3

APP = """\
from rhtmx_server import App
PAGE = b'<!doctype html><title>Bench</title><script src="/api/client.js" data-manual></script>'
app = App(undeclared=True, pages={"/": ("text/html; charset=utf-8", PAGE)})
"""

PROGRAM = ROOT / "benchmarks" / "clients_chromium.mjs"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

LASTED = "Chromium: until it is done"
BUSY = "Chromium: CPU of the page's main thread"
LONGEST = "Chromium: the longest task of the page"

BARE = "IndexedDB, 1,000 at a time"
"""The peer of what is stored in bulk."""

PATIENCE = 900.0
"""Seconds for one round."""


def one_round(chromium: str, file: Filled, scale: Scale) -> list[dict[str, str | float]]:
    """Each case once, ours and the peers."""
    with file.copy() as copy, rhtmx(app=APP, store=f"sqlite:///{copy}") as server:
        task = {
            "chromium": chromium,
            "url": f"http://127.0.0.1:{server.port}/",
            "head": file.head,
            "epoch": file.epoch,
            "writes": scale.pick(10_000, 20),
            "few": scale.pick(1_000, 10),
        }
        done = subprocess.run(
            ["node", str(PROGRAM)],
            input=json.dumps(task),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=PATIENCE,
            # A browser is several processes; the server has little to do.
            preexec_fn=lambda: os.sched_setaffinity(0, CORES),
        )
    figures: list[dict[str, str | float]] = json.loads(done.stdout)
    return figures


def run(scale: Scale) -> list[Table]:
    """Measure all of it.

    Raises:
        RuntimeError: there is no Chromium.
    """
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        raise RuntimeError(f"no browser: install one of {', '.join(BROWSERS)}")
    note = "a ratio below 1 means that ours takes less"
    lasted = Table(LASTED, "s", note=note)
    busy = Table(BUSY, "s", note=note)
    longest = Table(
        LONGEST,
        "ms",
        note="50 stands for none that is longer; where all is written in one task, it is that one",
    )
    with filled(scale.pick(100_000, 100)) as file:
        for _ in range(scale.rounds):
            for figure in one_round(chromium, file, scale):
                case, subject = str(figure["case"]), str(figure["subject"])
                lasted.add(case, subject, float(figure["wall"]))
                busy.add(case, subject, float(figure["cpu"]))
                longest.add(case, subject, float(figure["longest"]))
    return [lasted, busy, longest]
