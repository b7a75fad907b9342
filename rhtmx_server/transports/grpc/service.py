"""The service of the schema: which function answers which method.

Knows the names. Holds no code that answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from grpclib.const import Handler

from rhtmx.messages import Subscribe, SubscribeFields, Sync, SyncFields
from rhtmx.messages.rhtmx.v1 import TrackersBase
from rhtmx_server.transports.grpc import pushes, reads, streams
from rhtmx_server.transports.grpc.calls import GrpcMethod, answering
from rhtmx_server.transports.grpc.door import Door

__all__ = ["METHODS", "NAME", "Trackers"]

METHODS: Mapping[str, GrpcMethod] = {
    "Push": pushes.push,
    "PushEach": pushes.pushes(each=True),
    "PushMany": pushes.pushes(each=False),
    "PushFields": pushes.push_fields,
    "Transact": pushes.transact,
    "ValidateField": reads.validate_field,
    "ValidateForm": reads.validate_form,
    "GetRecord": reads.get_record,
    "GetFields": reads.get_fields,
    "Sync": streams.sync(Sync),
    "SyncFields": streams.sync(SyncFields),
    "Watch": streams.watch(Subscribe),
    "WatchFields": streams.watch(SubscribeFields),
    "History": reads.history,
    "RecordHistory": reads.record_history,
    "Blame": reads.blame,
    "Connect": streams.connect,
}

_GENERATED = TrackersBase().__mapping__()

NAME = next(iter(_GENERATED)).split("/")[1]
"""The full name of the service."""


class Trackers:
    """The service as grpclib takes it: paths and types as generated, answers ours.

    Args:
        door: the server.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def __mapping__(self) -> dict[str, Handler]:
        mapping = {}
        for path, generated in _GENERATED.items():
            name = path.rpartition("/")[2]
            mapping[path] = Handler(
                answering(self._door, name, METHODS[name]),
                generated.cardinality,
                generated.request_type,
                generated.reply_type,
            )
        return mapping
