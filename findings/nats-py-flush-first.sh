#!/usr/bin/env bash
# nats-py 2.16: `flush` after `subscribe` overtakes it. `subscribe` puts its line into a buffer that a task
# writes later; `flush` sends its PING at once, and returns when that is answered. So the server may know
# nothing of the subscription yet, and what somebody else publishes now is lost. The SUB is on the wire
# before the PING of a second `flush`. Here a server of a few lines writes down what it is sent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nats-py==2.16.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio

import nats

INFO = b'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576,"headers":true}\r\n'


async def main() -> None:
    sent = []

    async def serve(reader, writer) -> None:
        writer.write(INFO)
        while line := await reader.readline():
            word = line.split()[0].decode()
            sent.append(word)
            if word == "PING":
                writer.write(b"PONG\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = await nats.connect(f"nats://127.0.0.1:{port}", max_reconnect_attempts=1)
    sent.clear()
    await client.subscribe("news")
    await client.flush()
    first = list(sent)
    await client.flush()
    print(f"on the wire after subscribe and flush: {first}; after one more flush: {sent}")
    assert first[0] == "PING"
    assert sent.index("SUB") < len(sent) - 1 - sent[::-1].index("PING")
    await client.close()
    server.close()


asyncio.run(main())
PYTHON
