"""A mounted server, under uvicorn, and one on its own port.

The same server, within a Starlette application and as the command starts it, in turn: the same
clients, the same pushes, the same file. What differs is who has the sockets. With `--ws` uvicorn
takes frames that are made already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

from benchmarks import fan_out, latency
from benchmarks.support.figures import Scale, Table
from benchmarks.support.mounted import mounted
from benchmarks.support.pacing import PERCENTILES, percentile
from benchmarks.support.processes import Server, rhtmx

MOUNTED = "mounted"
WITH_FRAMES = "mounted, with --ws"
OWN_PORT = "on its own port"

RATES = "Mounted: deliveries per CPU second of the server"
WAITS = "Mounted: a push until the change on another socket, p50"

_FRAMES = "rhtmx_server.transports.asgi.uvicorn:FrameProtocol"

_SERVERS: Mapping[str, Callable[[], AbstractContextManager[Server]]] = {
    WITH_FRAMES: lambda: mounted(_FRAMES),
    MOUNTED: mounted,
    OWN_PORT: rhtmx,
}

_JSON = fan_out.Kind(
    "JSON",
    tuple(replace(fan_out.OURS, name=each, start=start) for each, start in _SERVERS.items()),
)


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    rates = Table(RATES, "1/s", ours=WITH_FRAMES, note="with decoding, group commit and fsync")
    walls = Table(f"{RATES} (wall time)", "1/s", ours=WITH_FRAMES, printed=False)
    waits = Table(WAITS, "ms", ours=WITH_FRAMES, note="counted from when the push was due")
    count, budget = scale.pick((500, 100_000), (5, 50))
    pushes = scale.pick({100: 300, 1000: 2000}, {1000: 50})
    for _ in range(scale.rounds):
        for subject in _JSON.subjects:
            fan_out.measure(_JSON, subject, count, budget, (rates, walls))
        for name, start in _SERVERS.items():
            measured = latency.measure(latency.Subject(name, start, latency.Ours), pushes)
            for rate, latencies in measured.items():
                found = percentile(latencies, dict(PERCENTILES)["p50"]) * 1000
                waits.add(f"{rate:,} a second, JSON", name, found)
    return [rates, waits]
