"""rhtmx server: live data, live fields and live forms over one WebSocket.

Example:
    >>> from rhtmx_server import App, Invalid
    >>> app = App(store="memory://")
    >>> _ = app.entity("tasks")
"""

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.values.changes import Change, FieldChange
from rhtmx.values.form_value import File
from rhtmx.values.reset import Reset
from rhtmx.values.results import Conflict, FieldPushResult, PushResult, TransactionResult

try:
    from rhtmx_server.access.entity import Entity
    from rhtmx_server.access.grant import Grant
    from rhtmx_server.access.request import Request
    from rhtmx_server.app import App
    from rhtmx_server.config import Config
    from rhtmx_server.forms.entries import FormValues
    from rhtmx_server.forms.verdict import FormVerdict
    from rhtmx_server.mirror.mirrors import Mirror
    from rhtmx_server.mirror.outcomes import Reconciled
    from rhtmx_server.program.change_stream import AppChanges
    from rhtmx_server.program.collection import AppCollection
    from rhtmx_server.program.record import StoredRecord
    from rhtmx_server.program.sync import (
        SyncApp,
        SyncChanges,
        SyncCollection,
        SyncTransaction,
        SyncTypedCollection,
    )
    from rhtmx_server.program.typed_collection import AppTypedCollection
    from rhtmx_server.record_page import HistoryPage
    from rhtmx_server.schema.upcast import Edit
    from rhtmx_server.trackers.policy import Counter
    from rhtmx_server.trackers.values import HistoryChange
    from rhtmx_server.transports.asgi import AsgiApp
    from rhtmx_server.verdicts import Forbidden, Invalid, Valid
except ModuleNotFoundError as missing:
    if (missing.name or "rhtmx").startswith("rhtmx"):
        raise
    raise ImportError(
        f"the server needs {missing.name!r}, which is not installed: pip install 'rhtmx[server]', "
        "or '.[server]' in a checkout"
    ) from missing

__all__ = [
    "App",
    "AppChanges",
    "AppCollection",
    "AppTypedCollection",
    "AsgiApp",
    "Change",
    "Config",
    "Conflict",
    "Counter",
    "Edit",
    "Entity",
    "ErrorCode",
    "FieldChange",
    "FieldPushResult",
    "File",
    "Forbidden",
    "FormValues",
    "FormVerdict",
    "Grant",
    "HistoryChange",
    "HistoryPage",
    "Invalid",
    "Mirror",
    "PushResult",
    "Reconciled",
    "Request",
    "Reset",
    "RhtmxError",
    "StoredRecord",
    "SyncApp",
    "SyncChanges",
    "SyncCollection",
    "SyncTransaction",
    "SyncTypedCollection",
    "TransactionResult",
    "Valid",
]
