"""Patterns of plain HTTP."""

from __future__ import annotations

import contextlib
import select
import socket
import time

from benchmarks.support.hostile.aim import Aim

READERS = 60


def _request(aim: Aim) -> bytes:
    """Read nearly all of it; no two ask for the same."""
    line = b"GET /api/sync/big?since=%d HTTP/1.1" % (aim.tally.opened % READERS)
    return line + b"\r\nHost: 127.0.0.1:%d\r\n\r\n" % aim.port


def unread_bodies(aim: Aim) -> None:
    """60 GETs of a 20 MB entity that are never read"""
    waiting: dict[int, socket.socket] = {}
    ready = select.poll()
    while True:
        while len(waiting) < READERS:
            with contextlib.suppress(OSError):
                connection = aim.tcp()
                waiting[connection.fileno()] = connection
                aim.send(connection, _request(aim))
                ready.register(connection, 0)  # only its end
        for fd, _ in ready.poll(0):
            ready.unregister(fd)
            waiting.pop(fd).close()
            aim.tally.cut += 1
        time.sleep(0.5)


def slow_bodies(aim: Aim) -> None:
    """60 GETs of a 20 MB entity that are read a little at a time"""
    readers: list[socket.socket] = []
    while True:
        while len(readers) < READERS:
            connection = aim.tcp()
            connection.setblocking(False)
            aim.send(connection, _request(aim))
            readers.append(connection)
        for reader in list(readers):
            with contextlib.suppress(BlockingIOError):
                try:
                    there = reader.recv(1024)
                except ConnectionError:
                    there = b""
                if not there:
                    readers.remove(reader)
                    reader.close()
                    aim.tally.cut += 1
        time.sleep(0.1)
