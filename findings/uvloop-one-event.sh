#!/usr/bin/env bash
# uvloop 0.23: one readable event reads a socket again and again, up to 32 times 256 KiB, and calls
# `data_received` for each piece, before a callback of anybody else runs. asyncio's own loop reads
# once, 256 KiB at most. A protocol that calls `pause_reading` in `data_received` gets no further piece.
# Seen: megabytes between two turns on uvloop, at most 256 KiB on asyncio or when paused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
"$folder/venv/bin/python" - <<'EOF'
import asyncio
import socket
import threading

import uvloop

AMOUNT = 16 * 1024 * 1024


async def most_between_turns(paused: bool) -> int:
    """The largest number of bytes that came in without another callback in between."""
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    class Server(asyncio.Protocol):
        total = since = most = 0

        def connection_made(self, transport):
            self.transport = transport
            transport.pause_reading()
            loop.call_later(0.3, transport.resume_reading)  # let the kernel's buffer fill

        def data_received(self, data):
            if not self.since:
                loop.call_soon(self.turn)
            self.since += len(data)
            self.total += len(data)
            if paused:
                self.transport.pause_reading()
                loop.call_soon(self.transport.resume_reading)
            if self.total == AMOUNT:
                loop.call_soon(done.set_result, None)

        def turn(self):
            self.most, self.since = max(self.most, self.since), 0

    protocol = Server()
    server = await loop.create_server(lambda: protocol, "127.0.0.1", 0)
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 * 1024 * 1024)
    peer.connect(server.sockets[0].getsockname())
    threading.Thread(target=peer.sendall, args=(bytes(AMOUNT),), daemon=True).start()
    await done
    server.close()
    return protocol.most


seen = {}
for name, factory in (("uvloop", uvloop.new_event_loop), ("asyncio", asyncio.new_event_loop)):
    for paused in (False, True):
        with asyncio.Runner(loop_factory=factory) as runner:
            seen[name, paused] = runner.run(most_between_turns(paused))
        print(f"{name:8} {'pausing ' if paused else 'reading on'} {seen[name, paused]:>10,} bytes between two turns")
assert seen["uvloop", False] > 1024 * 1024
assert seen["asyncio", False] <= 256 * 1024
assert seen["uvloop", True] <= 256 * 1024
EOF
