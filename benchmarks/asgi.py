"""A mounted server, under uvicorn, and one on its own port.

The same server, once within a Starlette application and once as the command starts it,
in turn: the same clients, the same pushes, the same file. What differs is who has the sockets.
"""

from __future__ import annotations

from benchmarks import fan_out, latency
from benchmarks.support.figures import Scale, Table
from benchmarks.support.mounted import mounted
from benchmarks.support.pacing import PERCENTILES, percentile
from benchmarks.support.processes import rhtmx

MOUNTED = "mounted, under uvicorn"
OWN_PORT = "on its own port"

ROUNDS = 5

KINDS = (
    fan_out.Kind(
        "JSON",
        (
            fan_out.Subject(
                MOUNTED,
                mounted,
                subscribe=fan_out.OURS.subscribe,
                publish=fan_out.OURS.publish,
                answered=True,
            ),
            fan_out.Subject(
                OWN_PORT,
                rhtmx,
                subscribe=fan_out.OURS.subscribe,
                publish=fan_out.OURS.publish,
                answered=True,
            ),
        ),
    ),
)


def run(scale: Scale) -> list[Table]:
    """Measure all of it."""
    rates = Table(
        "Mounted: deliveries per CPU second of the server",
        "1/s",
        ours=MOUNTED,
        note="with decoding, group commit and fsync\nbudget: at 10 a tick at least 0.35",
    )
    walls = Table("Mounted: deliveries per second of wall time", "1/s", ours=MOUNTED, printed=False)
    waits = Table(
        "Mounted: p50 from a push until the change on another socket",
        "ms",
        ours=MOUNTED,
        note="counted from when the push was due\nbudget: at most 1.6",
    )
    count, budget = scale.pick((500, 100_000), (5, 50))
    pushes = scale.pick({100: 300, 1000: 2000}, {1000: 50})
    subjects = (
        latency.Subject(MOUNTED, mounted, latency.Ours),
        latency.Subject(OWN_PORT, rhtmx, latency.Ours),
    )
    for _ in range(scale.rounds):
        for kind in KINDS:
            for subject in kind.subjects:
                fan_out.measure(kind, subject, count, budget, (rates, walls))
        for each in subjects:
            for rate, latencies in latency.measure(each, pushes).items():
                found = percentile(latencies, dict(PERCENTILES)["p50"]) * 1000
                waits.add(f"{rate:,} a second, JSON", each.name, found)
    return [rates, walls, waits]
