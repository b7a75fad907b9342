"""Centrifugo as a peer, the real program: in memory, or several of it on one PostgreSQL.

`go install github.com/centrifugal/centrifugo/v6@v6.9.1` makes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.support.processes import CORES, SERVER_CORE, Server, free_port
from benchmarks.support.sockets import Client

PATH = "/connection/websocket"

_COMMON: dict[str, Any] = {
    "log": {"level": "error"},
    "health": {"enabled": True},
    "usage_stats": {"disabled": True},
    "client": {"insecure": True, "allowed_origins": ["*"]},
}
_OPEN: dict[str, Any] = {"allow_publish_for_client": True, "allow_subscribe_for_client": True}
_KEPT = {"history_size": 100_000, "history_ttl": "1h", "force_recovery": True}


def program() -> str | None:
    """Where it is; `None` where it is not."""
    return shutil.which("centrifugo")


@contextlib.contextmanager
def cluster(count: int, database: str, poll: str) -> Iterator[Sequence[Server]]:
    """So many nodes, on the cores in turn, each with one core's worth of threads.

    Args:
        count: of nodes.
        database: the URL of an empty PostgreSQL, which delivers and keeps.
        poll: how often each asks it for what is new, as Centrifugo writes it (`100ms`).
    """
    with contextlib.ExitStack() as stack:
        nodes = []
        for number in range(count):
            core = CORES[number % len(CORES)]
            nodes.append(stack.enter_context(_node(_settings(database, poll), core)))
        yield nodes


def alone(*, keeps: bool = False) -> contextlib.AbstractContextManager[Server]:
    """One node, on the core of the servers.

    Args:
        keeps: what was published, in memory.

    Raises:
        FileNotFoundError: there is no Centrifugo here.
    """
    if program() is None:
        raise FileNotFoundError("centrifugo")
    channel = {**_OPEN, **_KEPT} if keeps else _OPEN
    return _node({**_COMMON, "channel": {"without_namespace": channel}}, SERVER_CORE)


@contextlib.contextmanager
def stocked(publications: Sequence[bytes]) -> Iterator[tuple[Server, str]]:
    """One in whose history this was published in the channel `bench`; and the history's epoch."""
    with alone(keeps=True) as server:
        client = Client(server.port, PATH)
        client.send(b'{"id":1,"connect":{}}')
        client.until(b'"connect"')
        for number, data in enumerate(publications, 2):
            client.send(b'{"id":%d,"publish":{"channel":"bench","data":%s}}' % (number, data))
            client.until(b'"publish":{}')
        client.send(b'{"id":1,"subscribe":{"channel":"bench"}}')
        reply = json.loads(client.until(b'"subscribe"'))["subscribe"]
        client.close()
        yield server, reply["epoch"]


def _settings(database: str, poll: str) -> dict[str, Any]:
    postgres = {"dsn": database}
    return {
        **_COMMON,
        "broker": {
            "enabled": True,
            "type": "postgres",
            "postgres": {**postgres, "outbox": {"poll_interval": poll}},
        },
        "controller": {"enabled": True, "type": "postgres", "postgres": postgres},
        "channel": {"without_namespace": {**_OPEN, **_KEPT}},
    }


@contextlib.contextmanager
def _node(settings: dict[str, Any], core: int) -> Iterator[Server]:
    command, port = program(), free_port()
    assert command is not None
    with tempfile.TemporaryDirectory(prefix="rhtmx-bench-") as name:
        file = Path(name) / "config.json"
        where = {"http_server": {"address": "127.0.0.1", "port": port}}
        file.write_text(json.dumps({**settings, **where}))
        process = subprocess.Popen(
            [command, "-c", str(file)],
            env={**os.environ, "GOMAXPROCS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/health")
            yield Server(process, f"ws://127.0.0.1:{port}{PATH}")
        finally:
            process.kill()
            process.wait()


def _wait_for(page: str) -> None:
    until = time.monotonic() + 30
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(page).close()
            return
        if time.monotonic() > until:
            raise TimeoutError(f"{page} does not answer")
        time.sleep(0.01)
