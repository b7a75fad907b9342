"""A server on socketify (uWebSockets in C++): what one client sends, all get, by a topic."""

from __future__ import annotations

import socket
import sys
from typing import Any

from socketify import App, AppListenOptions, CompressOptions, OpCode  # type: ignore[import-untyped]  # it has no annotations


def opened(connection: Any) -> None:
    connection.subscribe("bench")


def received(connection: Any, message: Any, opcode: OpCode) -> None:
    # To all subscribers but the sender, as uWebSockets does it.
    connection.publish("bench", message, opcode)


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]

app = App()
app.ws(
    "/*",
    {
        "compression": CompressOptions.DISABLED,
        "max_payload_length": 16 * 1024 * 1024,
        "max_backpressure": 64 * 1024 * 1024,
        "idle_timeout": 0,
        "open": opened,
        "message": received,
    },
)


def ready(config: Any) -> None:
    sys.stdout.write(f"ready ws://127.0.0.1:{port}/\n")
    sys.stdout.flush()


app.listen(AppListenOptions(port=port, host="127.0.0.1"), ready)
app.run()
