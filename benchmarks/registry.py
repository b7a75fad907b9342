"""The names of the benchmarks: each is a module here, with a function `run`."""

from __future__ import annotations

NAMES = (
    "fan_out",
    "grpc_door",
    "handshakes",
)
