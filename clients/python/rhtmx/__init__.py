"""One WebSocket for live data, live fields and live forms: the Python client.

Example:
    >>> import rhtmx
    >>> async with rhtmx.connect("ws://localhost:3000/api/ws", store="app.db") as client:
    ...     tasks = client.collection("tasks")
    ...     await tasks.set("1", {"title": "Write it down"})
    ...     async for rows in tasks.subscribe():
    ...         print([row.data["title"] for row in rows])

A backend service reaches the same data through gRPC: see `backend`.

The names here are the public ones. They are imported when they are first used:
the server shares `rhtmx.messages` and `rhtmx.wire`, and must not load a client.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rhtmx.changes import Change, FieldChange
    from rhtmx.client import Client, connect
    from rhtmx.collection import Collection
    from rhtmx.decisions import OpenConflict, Pending, RejectedWrite
    from rhtmx.errors import ErrorCode, RhtmxError
    from rhtmx.events import Reset, State
    from rhtmx.formvalue import File
    from rhtmx.grpc.catch_up import CatchUp
    from rhtmx.grpc.client import Backend, backend
    from rhtmx.grpc.pushes import Delete, PushOutcome, Write
    from rhtmx.grpc.target import Tls
    from rhtmx.grpc.watch import Watch
    from rhtmx.messages import Position
    from rhtmx.overlay import Record
    from rhtmx.results import (
        Conflict,
        FieldPushResult,
        FormError,
        FormValidation,
        PushResult,
        SyncResult,
        Validation,
    )
    from rhtmx.subscription import Subscription
    from rhtmx.verdict import ConnectionClosed
    from rhtmx.writing import Writing

__all__ = [
    "Backend",
    "CatchUp",
    "Change",
    "Client",
    "Collection",
    "Conflict",
    "ConnectionClosed",
    "Delete",
    "ErrorCode",
    "FieldChange",
    "FieldPushResult",
    "File",
    "FormError",
    "FormValidation",
    "OpenConflict",
    "Pending",
    "Position",
    "PushOutcome",
    "PushResult",
    "Record",
    "RejectedWrite",
    "Reset",
    "RhtmxError",
    "State",
    "Subscription",
    "SyncResult",
    "Tls",
    "Validation",
    "Watch",
    "Write",
    "Writing",
    "backend",
    "connect",
]

_HOMES = {
    "Backend": "grpc.client",
    "CatchUp": "grpc.catch_up",
    "Change": "changes",
    "Client": "client",
    "Collection": "collection",
    "Conflict": "results",
    "ConnectionClosed": "verdict",
    "Delete": "grpc.pushes",
    "ErrorCode": "errors",
    "FieldChange": "changes",
    "FieldPushResult": "results",
    "File": "formvalue",
    "FormError": "results",
    "FormValidation": "results",
    "OpenConflict": "decisions",
    "Pending": "decisions",
    "Position": "messages",
    "PushOutcome": "grpc.pushes",
    "PushResult": "results",
    "Record": "overlay",
    "RejectedWrite": "decisions",
    "Reset": "events",
    "RhtmxError": "errors",
    "State": "events",
    "Subscription": "subscription",
    "SyncResult": "results",
    "Tls": "grpc.target",
    "Validation": "results",
    "Watch": "grpc.watch",
    "Write": "grpc.pushes",
    "Writing": "writing",
    "backend": "grpc.client",
    "connect": "client",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'rhtmx' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"rhtmx.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
