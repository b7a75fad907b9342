"""One WebSocket for live data, live fields and live forms: the Python client.

Example:
    >>> import rhtmx
    >>> async with rhtmx.connect("ws://localhost:3000/api/ws", store="app.db") as client:
    ...     async with client.collection("tasks") as tasks:
    ...         result = await tasks.set("1", {"title": "Write it down"})
    ...         async for rows in tasks.subscribe():
    ...             print([row.data["title"] for row in rows])
    ['Write it down']

A backend service reaches the same data through gRPC: see `backend`.

The names here are the public ones. They are imported when they are first used:
the server shares `rhtmx.messages` and `rhtmx.wire`, and must not load a client.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from rhtmx.version import __version__ as __version__

if TYPE_CHECKING:
    from rhtmx.api.client import Client
    from rhtmx.api.collection import Collection
    from rhtmx.api.conflict_resolution import Pending, RejectedWrite, TransactionPart
    from rhtmx.api.connect import connect
    from rhtmx.api.open_conflict import OpenConflict
    from rhtmx.api.pending_call import Writing
    from rhtmx.api.room import Room
    from rhtmx.api.transaction import ClientTransaction
    from rhtmx.api.typed_collection import TypedCollection
    from rhtmx.core.error_policy import ConnectionClosed
    from rhtmx.core.events import Reset, State
    from rhtmx.errors import ErrorCode, Invalid, RhtmxError, Violation
    from rhtmx.grpc.catch_up import CatchUp
    from rhtmx.grpc.client import Backend
    from rhtmx.grpc.connect import backend
    from rhtmx.grpc.endpoint import Tls
    from rhtmx.grpc.push_many import Delete, PushOutcome, Write
    from rhtmx.grpc.transaction import BackendTransaction
    from rhtmx.grpc.watch import Watch
    from rhtmx.messages import Position, SchemaVersion
    from rhtmx.runtime.subscription import Subscription
    from rhtmx.schema.convert import Unreadable
    from rhtmx.values.changes import Change, FieldChange
    from rhtmx.values.chunked_tuple import ChunkedTuple
    from rhtmx.values.conflict_side import ConflictSide
    from rhtmx.values.field_operations import (
        Add,
        Append,
        DeleteKey,
        Increment,
        Max,
        Min,
        Remove,
        SetKey,
    )
    from rhtmx.values.form_value import File
    from rhtmx.values.history import FieldAuthor, History, HistoryCommit
    from rhtmx.values.members import Member, MemberMessage
    from rhtmx.values.progress import Progress
    from rhtmx.values.record import Record
    from rhtmx.values.results import (
        Conflict,
        FieldPushResult,
        FormError,
        FormValidation,
        PushResult,
        SyncResult,
        TransactionResult,
        Validation,
    )

__all__ = [
    "Add",
    "Append",
    "Backend",
    "BackendTransaction",
    "CatchUp",
    "Change",
    "ChunkedTuple",
    "Client",
    "ClientTransaction",
    "Collection",
    "Conflict",
    "ConflictSide",
    "ConnectionClosed",
    "Delete",
    "DeleteKey",
    "ErrorCode",
    "FieldAuthor",
    "FieldChange",
    "FieldPushResult",
    "File",
    "FormError",
    "FormValidation",
    "History",
    "HistoryCommit",
    "Increment",
    "Invalid",
    "Max",
    "Member",
    "MemberMessage",
    "Min",
    "OpenConflict",
    "Pending",
    "Position",
    "Progress",
    "PushOutcome",
    "PushResult",
    "Record",
    "RejectedWrite",
    "Remove",
    "Reset",
    "RhtmxError",
    "Room",
    "SchemaVersion",
    "SetKey",
    "State",
    "Subscription",
    "SyncResult",
    "Tls",
    "TransactionPart",
    "TransactionResult",
    "TypedCollection",
    "Unreadable",
    "Validation",
    "Violation",
    "Watch",
    "Write",
    "Writing",
    "backend",
    "connect",
]

_HOMES = {
    "Add": "values.field_operations",
    "Append": "values.field_operations",
    "Backend": "grpc.client",
    "BackendTransaction": "grpc.transaction",
    "CatchUp": "grpc.catch_up",
    "Change": "values.changes",
    "ChunkedTuple": "values.chunked_tuple",
    "Client": "api.client",
    "ClientTransaction": "api.transaction",
    "Collection": "api.collection",
    "Conflict": "values.results",
    "ConflictSide": "values.conflict_side",
    "ConnectionClosed": "core.error_policy",
    "Delete": "grpc.push_many",
    "DeleteKey": "values.field_operations",
    "ErrorCode": "errors",
    "FieldAuthor": "values.history",
    "FieldChange": "values.changes",
    "FieldPushResult": "values.results",
    "File": "values.form_value",
    "FormError": "values.results",
    "FormValidation": "values.results",
    "History": "values.history",
    "HistoryCommit": "values.history",
    "Increment": "values.field_operations",
    "Invalid": "errors",
    "Max": "values.field_operations",
    "Member": "values.members",
    "MemberMessage": "values.members",
    "Min": "values.field_operations",
    "OpenConflict": "api.open_conflict",
    "Pending": "api.conflict_resolution",
    "Position": "messages",
    "Progress": "values.progress",
    "PushOutcome": "grpc.push_many",
    "PushResult": "values.results",
    "Record": "values.record",
    "RejectedWrite": "api.conflict_resolution",
    "Remove": "values.field_operations",
    "Reset": "core.events",
    "RhtmxError": "errors",
    "Room": "api.room",
    "SchemaVersion": "messages",
    "SetKey": "values.field_operations",
    "State": "core.events",
    "Subscription": "runtime.subscription",
    "SyncResult": "values.results",
    "TransactionPart": "api.conflict_resolution",
    "TransactionResult": "values.results",
    "Tls": "grpc.endpoint",
    "TypedCollection": "api.typed_collection",
    "Unreadable": "schema.convert",
    "Validation": "values.results",
    "Violation": "errors",
    "Watch": "grpc.watch",
    "Write": "grpc.push_many",
    "Writing": "api.pending_call",
    "backend": "grpc.connect",
    "connect": "api.connect",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'rhtmx' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"rhtmx.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
