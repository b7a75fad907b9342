"""HTTP/2 frames as they arrive, cut into small pieces that are whole.

Knows the head of a frame (RFC 9113, section 4.1), and what kinds of frames cost
the most. Must not know what a frame means: h2 does. Pure.

h2 4.4 keeps a frame until it is complete before it looks at its length, and
joins the parts of a header block before it looks at its size. Both are seen
here, in the head, before anything is kept.
"""

from __future__ import annotations

from h2.exceptions import DenialOfServiceError, FrameTooLargeError

__all__ = ["FRAMES", "LARGEST", "Frames"]

FRAMES = 32
"""In one piece. A frame without content, the cheapest to send, takes h2 and grpclib
5 to 8 µs on the machine of `docs/performance.md`: a piece of them is a quarter of
the millisecond that a connection may use of a turn."""

LARGEST = 16_384
"""Bytes of content in a frame: this server offers no more."""

_PREFACE = 24
_HEAD = 9
_HEADERS, _SETTINGS, _CONTINUATION = 0x1, 0x4, 0x9
_ALONE = frozenset({_HEADERS, _SETTINGS, _CONTINUATION})
"""End a piece: one opens a call, the other goes through all streams there are."""


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
        """Forget all of it."""
        self._data.clear()

    def take(self) -> bytes:
        """The next piece: whole frames, or some of the preface; empty if nothing is whole.

        Raises:
            ProtocolError: the frame that comes next is larger than any may be.
        """
        data, end = self._data, 0
        size = len(data)
        if self._preface:
            end = min(self._preface, size)
            self._preface -= end
        else:
            for _ in range(FRAMES):
                if size - end < _HEAD:
                    break
                length = int.from_bytes(data[end : end + 3], "big")
                kind = data[end + 3]
                if end and (length > LARGEST or kind in _ALONE):
                    break  # what is before it comes first
                self._judge(kind, length)
                if size - end < _HEAD + length:
                    break
                end += _HEAD + length
                if kind in _ALONE:
                    self._block = self._block + length if kind == _CONTINUATION else length
                    break
        piece = bytes(data[:end])
        del data[:end]
        return piece

    def _judge(self, kind: int, length: int) -> None:
        if length > LARGEST:
            raise FrameTooLargeError(f"a frame of {length} bytes, at most {LARGEST} expected")
        whole = self._block + length if kind == _CONTINUATION else length
        if kind in (_HEADERS, _CONTINUATION) and whole > self._headers:
            raise DenialOfServiceError(f"a header block of more than {self._headers} bytes")
