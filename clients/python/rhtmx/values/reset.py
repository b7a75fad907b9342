"""That what was read of a stream is void, as whoever reads it is told.

Knows positions. Must not know who reads, nor why it came to that.
"""

from __future__ import annotations

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position

__all__ = ["Reset"]


class Reset(RhtmxError):  # noqa: N818 (news, raised only where nobody takes it)
    """A stream could not go on where it was: drop what you hold, all of it follows anew.

    The server was restored from a backup, or the reader was away for longer than the server
    remembers deletions, or may read something else now. Writes that wait for their answer are
    not concerned.

    Args:
        entity: the collection.
        position: up to where it had been read; `None` if nothing had arrived.
    """

    def __init__(self, entity: str, position: Position | None) -> None:
        place = "at its beginning" if position is None else f"at version {position.version}"
        super().__init__(
            ErrorCode.UNSPECIFIED,
            f"the stream of '{entity}' could not go on {place}: what was read of it may be out "
            "of date. Pass on_reset=… to drop it and go on with all of it anew, or subscribe "
            "again with since=0",
        )
        self.entity = entity
        self.position = position
