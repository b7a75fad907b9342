"""The names of the benchmarks: each is a module here, with a function `run`."""

from __future__ import annotations

NAMES = (
    "fan_out",
    "durable_pushes",
    "latency",
    "catch_up",
    "codec",
    "memory",
    "validation",
    "growth",
    "grpc_door",
    "handshakes",
    "commit_handoff",
    "hostile",
    "scopes",
    "operations",
    "schema",
    "postgres",
    "cluster",
    "cluster_costs",
    "cluster_fan_out",
    "centrifugo",
    "asgi",
    "clients_node",
    "clients_chromium",
    "clients_python",
)
