"""A NATS server as a peer: the real program, on one core."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.support.processes import SERVER_CORE, Server, free_port


class NatsServer(Server):
    """A running NATS server."""

    def __init__(self, process: subprocess.Popen[str], address: str, plain_port: int) -> None:
        super().__init__(process, address)
        self.plain_port = plain_port


@contextlib.contextmanager
def nats_server(*, jetstream: bool = False) -> Iterator[NatsServer]:
    """Start it: `port` is that of its WebSocket, `plain_port` that of its own protocol.

    Args:
        jetstream: with streams on disk that are synced before each answer.
    """
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as folder:
        plain, web = free_port(), free_port()
        settings = [
            f'listen: "127.0.0.1:{plain}"',
            f'websocket {{ listen: "127.0.0.1:{web}", no_tls: true, compression: false }}',
            'ping_interval: "1h"',
            "write_deadline: 60s",
        ]
        if jetstream:
            settings.append(f'jetstream {{ store_dir: "{folder}/js", sync_interval: always }}')
        config = Path(folder) / "nats.conf"
        config.write_text("\n".join(settings))
        program = Path(sys.executable).with_name("nats-server")
        process = subprocess.Popen(
            [str(program), "-c", str(config)],
            env={**os.environ, "GOMAXPROCS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
        )
        try:
            _wait_for(web)
            yield NatsServer(process, f"ws://127.0.0.1:{web}/", plain)
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
