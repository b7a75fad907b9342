"""Reads what a server says that may be newer than this client.

Knows what becomes of what is not known: it is noted and passed over, never an error.

- A message that is not known is none.
- A word that is not known stays (see `rhtmx.unknown_enum_values`) where it may be left out.
  An action, which may not, is `update` if the message has a value, else `delete`: it tells
  of the record as it is now.
- A time that is left out is that of 1970.

Must not know who is told. What is known is read by the strict decoders, which a server
uses, too; what they do not take is mended, and read by them again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar, cast

from rhtmx.errors import RhtmxError
from rhtmx.messages import Envelope
from rhtmx.messages.tables import NAMES, SERVER_MESSAGES, Message, ServerMessage
from rhtmx.wire import newer_words as words
from rhtmx.wire.json_codec import decode_json
from rhtmx.wire.newer_json import ForeignError, mended
from rhtmx.wire.newer_proto import look, mend
from rhtmx.wire.proto_codec import decode_message, decode_proto, foreign, numbered

__all__ = ["ServerReader"]

M = TypeVar("M")

_SERVER = frozenset(SERVER_MESSAGES)


_MOST_LOOKED_AT = 1000
"""In so many messages of a connection fields are looked for that are not known: that takes
up to 5 µs, and a newer server says what it has to say soon."""


class ServerReader:
    """See the head of the file. There is one for each connection.

    Args:
        note: is told of what is not known, every time: its place, and what it is.

    Example:
        >>> ServerReader(print).json(b'{"type":"presence","who":["ada"]}')
        type message "presence"
    """

    def __init__(self, note: words.Note) -> None:
        self._note = note
        self._kept: list[words.Kept] = []
        self._left = _MOST_LOOKED_AT

    def json(self, data: bytes) -> ServerMessage | None:
        """Read one JSON message; `None` if it is not known.

        Raises:
            RhtmxError: `bad_message`, with the path of the first field that is wrong.
        """
        self._kept.clear()
        looks = self._left > 0
        try:
            if looks:
                return self._known(decode_json(data, self._mended))
            with suppress(RhtmxError):
                return self._known(decode_json(data))
            return self._known(decode_json(self._mended(data)))
        except ForeignError:
            return None

    def proto(self, data: bytes) -> ServerMessage | None:
        """Read one binary `Envelope`; `None` if its message is not known.

        Raises:
            RhtmxError: `bad_message`, with the path of the first field that is wrong.
        """
        self._kept.clear()
        try:
            message = decode_proto(data, self._look if self._left > 0 else None)
            return self._known(message, binary=True)
        except RhtmxError:
            number = foreign(data)
        if number is not None:
            self._note("message", words.message(number))
            return None
        return self._known(decode_proto(data, self._mend), binary=True)

    def message(self, kind: type[M], data: bytes) -> M:
        """Read one message of a known class, as gRPC sends it; see `decode_message`.

        An `Envelope` whose message is not known is read as an empty one.

        Raises:
            RhtmxError: `bad_message`, with the path of the first field that is wrong.
        """
        self._kept.clear()
        try:
            return decode_message(kind, data, self._look if self._left > 0 else None)
        except RhtmxError:
            number = foreign(data) if kind is Envelope else None
        if number is not None:
            self._note("message", words.message(number))
            return kind()
        message = decode_message(kind, data, self._mend)
        self._put_back(message)
        return message

    def _known(self, message: Message, *, binary: bool = False) -> ServerMessage | None:
        """What was read, if a server may say it."""
        if type(message) not in _SERVER:
            name = NAMES[type(message)]
            where, what = ("message", numbered(name)) if binary else ("type", name)
            self._note(where, words.message(what))
            return None
        if self._kept:
            self._put_back(message)
        return cast("ServerMessage", message)

    def _put_back(self, message: object) -> None:
        """Put the words that are not known where they were left out, to be read without them."""
        for (*path, name), word in self._kept:
            holder: Any = message
            for step in path:
                holder = holder[step] if isinstance(step, int) else getattr(holder, step)
            setattr(holder, str(name), word)

    def _mended(self, data: bytes) -> bytes:
        self._left -= 1
        return mended(data, self._note, self._kept)

    def _mend(self, content: Any, where: str) -> None:
        mend(content, where, self._note, self._kept)

    def _look(self, content: Any, where: str) -> None:
        self._left -= 1
        look(content, where, self._note)
