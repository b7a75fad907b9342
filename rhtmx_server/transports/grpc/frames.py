"""HTTP/2 frames as they arrive, cut into small pieces that are whole.

Knows the head of a frame (RFC 9113, section 4.1), and what kinds of frames cost
the most. Must not know what a frame means: h2 does. Pure.

h2 4.4 keeps a frame until it is complete before it looks at its length, and
joins the parts of a header block before it looks at its size. Both are seen
here, in the head, before anything is kept.
"""

from __future__ import annotations

from h2.exceptions import DenialOfServiceError, FrameTooLargeError, ProtocolError

__all__ = ["FRAMES", "HEAD", "LARGEST", "Frames"]

FRAMES = 128
"""In one piece. A frame without content, the cheapest to send, takes h2 and grpclib
5 to 8 µs on the machine of `docs/performance.md`: a piece of them takes as long as a
connection may use of a turn. Others cost as much as several. Smaller pieces are no
fairer, and cost a good peer: of 64 calls in flight few would be in one transaction."""

LARGEST = 16_384
"""Bytes of content in a frame: this server offers no more."""

_PREFACE = 24
HEAD = 9
"""Bytes before the content of a frame."""

_HEADERS, _SETTINGS, _CONTINUATION = 0x1, 0x4, 0x9
_COSTS = {_HEADERS: 8, _CONTINUATION: 8, _SETTINGS: FRAMES}
"""Kind → what it costs, in frames, if not one: some open a call, and settings go through
all the streams there are."""


class Frames:
    """What has arrived and is not handled yet.

    Args:
        headers: bytes that a header block may have, over all of its frames.
    """

    def __init__(self, headers: int) -> None:
        self._headers = headers
        self._data = bytearray()
        self._preface = _PREFACE
        self._block = 0

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        """Keep what has arrived."""
        self._data += data

    def clear(self) -> None:
        """Drop what was not handled yet: its peer is gone."""
        self._data.clear()

    def take(self) -> bytes:
        """The next piece: whole frames, or some of the preface; empty if nothing is whole.

        Raises:
            ProtocolError: the frame that comes next is larger than any may be.
        """
        if self._preface:
            end = min(self._preface, len(self._data))
            self._preface -= end
        else:
            end = self._end()
        piece = bytes(self._data[:end])
        del self._data[:end]
        return piece

    def _end(self) -> int:
        """Where the next piece ends."""
        data, end, left = self._data, 0, FRAMES
        size = len(data)
        while left > 0 and size - end >= HEAD:
            length = int.from_bytes(data[end : end + 3], "big")
            kind = data[end + 3]
            cost = _COSTS.get(kind, 1)
            wrong = self._wrong(kind, length) if cost > 1 or length > LARGEST else None
            if end and (cost > left or wrong):
                break  # what is before it comes first
            if wrong:
                raise wrong
            if size - end < HEAD + length:
                break
            if cost > 1:
                self._block = self._joined(kind, length)
            end += HEAD + length
            left -= cost
        return end

    def _wrong(self, kind: int, length: int) -> ProtocolError | None:
        if length > LARGEST:
            return FrameTooLargeError(f"a frame of {length} bytes, at most {LARGEST} expected")
        if self._joined(kind, length) > self._headers:
            return DenialOfServiceError(f"a header block of more than {self._headers} bytes")
        return None

    def _joined(self, kind: int, length: int) -> int:
        """How long the header block is that a frame belongs to."""
        if kind == _SETTINGS:
            return 0
        return self._block + length if kind == _CONTINUATION else length
