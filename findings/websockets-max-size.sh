#!/usr/bin/env bash
# websockets 17.4: `max_size` limits the frame on the wire as well as the message that comes out of
# the decompressor. A message within the limit that does not compress is larger on the wire, and is
# refused over permessage-deflate (close code 1009), though the same bytes are taken without it.
# Seen: plain taken, compressed refused; with an eighth more for the limit both are taken.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check websockets==17.4
"$folder/venv/bin/python" - <<'EOF'
import asyncio
import random

import logging

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError

logging.disable()  # the refusal below is expected

LIMIT = 65_536
MESSAGE = random.Random(7).randbytes(LIMIT)  # exactly the limit, and not compressible


async def outcome(compression: str | None, limit: int) -> str:
    async def echo(socket):
        async for message in socket:
            await socket.send(str(len(message)))

    async with serve(echo, "127.0.0.1", 0, max_size=limit, compression=compression) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", compression=compression) as client:
            try:
                await client.send(MESSAGE)
                return f"taken, {await client.recv()} bytes"
            except ConnectionClosedError as closed:
                return f"closed with {closed.rcvd.code}"


async def main() -> None:
    seen = {
        "plain": await outcome(None, LIMIT),
        "deflate": await outcome("deflate", LIMIT),
        "deflate, an eighth more": await outcome("deflate", LIMIT + LIMIT // 8 + 64),
    }
    for name, what in seen.items():
        print(f"{name:25} {what}")
    taken = f"taken, {LIMIT} bytes"
    assert seen == {"plain": taken, "deflate": "closed with 1009", "deflate, an eighth more": taken}


asyncio.run(main())
EOF
