"""Our server inside another program, which keeps Python's garbage collector as it is."""

from __future__ import annotations

import sys

import uvloop

from rhtmx_server import App, Config

app = App(store="memory://", undeclared=True, config=Config(port=0, heartbeat=3600))


def ready(url: str) -> None:
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()


uvloop.run(app.serve(ready=ready))
