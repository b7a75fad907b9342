"""Our server, mounted in a Starlette application under uvicorn."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.support.processes import ANY_APP, Server, free_port, serving

__all__ = ["mounted"]

_SITE = """
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from rhtmx_server import Config

app.configure(Config(heartbeat=3600), store="sqlite:///bench.db")
live = app.asgi()
site = Starlette(routes=[Mount("/", live)], lifespan=live.lifespan)


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print("ready ws://127.0.0.1:{port}/api/ws", flush=True)


settings = {"port": {port}, "log_level": "warning", "access_log": False, "ws": "{ws}"}
Server(uvicorn.Config(site, **settings)).run()
"""


@contextlib.contextmanager
def mounted(ws: str = "auto") -> Iterator[Server]:
    """The server of `processes.rhtmx`, with the same settings, without a port of its own.

    Args:
        ws: uvicorn's WebSocket protocol.
    """
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as name:
        program = Path(name) / "bench_site.py"
        site = _SITE.replace("{port}", str(free_port())).replace("{ws}", ws)
        program.write_text(ANY_APP + site)
        with serving([sys.executable, str(program)], folder=Path(name)) as server:
            yield server
