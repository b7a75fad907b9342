"""Handshakes: what a reconnect storm costs a server before a word is said.

A hundred are under way at a time, and all stay open. Our server resumes nothing
here: that is in `catch_up`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.support.centrifugo import PATH, program
from benchmarks.support.centrifugo import alone as centrifugo
from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import Server, peer, rhtmx
from benchmarks.support.sockets import crowd

SUBJECTS: tuple[tuple[str, str, Callable[[], AbstractContextManager[Server]]], ...] = (
    ("rhtmx", "/api/ws", rhtmx),
    ("rhtmx, collector as it comes", "/api/ws", lambda: peer("embedded.py")),
    ("websockets", "/", lambda: peer("broadcast.py")),
    ("ws", "/", lambda: peer("ws.mjs")),
    ("socketify", "/", lambda: peer("socketify_hub.py")),
    ("picows", "/", lambda: peer("picows_echo.py")),
    ("Centrifugo 6.9", PATH, centrifugo),
)


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    table = Table("Handshakes per CPU second of the server", "1/s")
    for _ in range(scale.rounds):
        for count in scale.pick((500, 2000, 8000), (20,)):
            for name, path, start in SUBJECTS:
                if start is centrifugo and program() is None:
                    print("centrifugo is not on the path: measured without it", file=sys.stderr)
                    continue
                with start() as server:
                    burned = server.cpu()
                    clients = crowd(count, server.port, path)
                    burned = server.cpu() - burned
                    table.add(f"{count:,} sockets", name, count / burned)
                    for client in clients:
                        client.close()
    return [table]
