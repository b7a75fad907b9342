#!/usr/bin/env bash
# uvloop 0.23: a write to a transport whose connection is gone raises RuntimeError. asyncio's own
# loop drops the bytes without a word, as it does in the same turn in which the transport was closed;
# so does uvloop there. Code that writes to many transports in a loop, tested on asyncio, stops in the
# middle on uvloop as soon as one peer has gone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
"$folder/venv/bin/python" - <<'EOF'
import asyncio

import uvloop


async def outcomes() -> tuple[str, str]:
    """What a write does in the turn of the close, and in a later one."""
    made = asyncio.get_running_loop().create_future()

    class Server(asyncio.Protocol):
        def connection_made(self, transport):
            made.set_result(transport)

    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    transport = await made
    transport.close()
    seen = []
    for _ in range(2):
        try:
            transport.write(b"late")
            seen.append("silent")
        except RuntimeError:
            seen.append("RuntimeError")
        await asyncio.sleep(0.05)
    writer.close()
    server.close()
    return tuple(seen)


seen = {}
for name, factory in (("uvloop", uvloop.new_event_loop), ("asyncio", asyncio.new_event_loop)):
    with asyncio.Runner(loop_factory=factory) as runner:
        seen[name] = runner.run(outcomes())
    print(f"{name:8} at once: {seen[name][0]}, later: {seen[name][1]}")
assert seen == {"uvloop": ("silent", "RuntimeError"), "asyncio": ("silent", "silent")}
EOF
