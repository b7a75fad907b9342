"""Pages of records as bytes, whatever the frames around each message are.

Knows the direct writers of the wire, and that what is made of a kept page is
made once. Must not know frames: a dialect puts them around each message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rhtmx.wire import Format
from rhtmx.wire.generated.changes import (
    json_change_writer,
    json_field_change_writer,
    proto_change_writer,
    proto_field_change_writer,
)
from rhtmx_server.encoding.render import field_changes, written_after
from rhtmx_server.model import Record
from rhtmx_server.record_page import FieldFrames, RecordPage
from rhtmx_server.times import to_datetime

__all__ = ["PageDialect"]


class PageDialect:
    """The part of a dialect that writes what a reader is sent who catches up.

    Args:
        wire_format: how messages are written.
        framed: puts the dialect's frame around one.
    """

    def __init__(self, wire_format: Format, framed: Callable[[bytes], bytes]) -> None:
        self.format = wire_format
        self.framed = framed
        text = wire_format is Format.JSON
        self._change_writer = json_change_writer if text else proto_change_writer
        self._field_writer = json_field_change_writer if text else proto_field_change_writer

    def changes(self, records: Sequence[Record]) -> bytes:
        """Records as `change` frames, one after the other; those of a page are made once."""
        if not isinstance(records, RecordPage):
            return self._write(records)
        frames = records.encoded.get(self)
        if frames is None:
            frames = records.encoded[self] = self._write(records)
        return frames

    def field_changes(self, records: Sequence[Record], base: int) -> FieldFrames:
        """Their fields written after `base` as `field_change` frames; those of a page once."""
        if not isinstance(records, RecordPage):
            return self._write_fields(records, base)
        known = records.by_field.get(self)
        # One base is kept: after a restart everybody reads from one place, or from nowhere.
        if known is None or known[0] != base:
            known = records.by_field[self] = (base, self._write_fields(records, base))
        return known[1]

    def _write(self, records: Sequence[Record]) -> bytes:
        # A writer for each page: the dialect serves every server of the process, also
        # one that runs in another thread.
        write, framed = self._change_writer(), self.framed
        return b"".join(
            [
                framed(
                    write(
                        record.entity,
                        record.entity_id,
                        record.action,
                        record.data,
                        record.version,
                        record.client_id,
                        to_datetime(record.time),
                    )
                )
                for record in records
            ]
        )

    def _write_fields(self, records: Sequence[Record], base: int) -> FieldFrames:
        write, framed = self._field_writer(), self.framed
        frames: list[bytes] = []
        last: Record | None = None
        for record in records:
            names, clocks, fields = written_after(record, base)
            for name in names:
                clock = clocks[name]
                frames.append(
                    framed(
                        write(
                            record.entity,
                            record.entity_id,
                            name,
                            fields.get(name),
                            record.version,
                            clock.client_id,
                            to_datetime(clock.timestamp),
                        )
                    )
                )
                last = record
        if last is None:
            return FieldFrames()
        # The last one is held back as a message: only the end of the stream knows what to say of
        # it.
        frames.pop()
        return FieldFrames(b"".join(frames), len(frames), field_changes(last, base)[-1])
