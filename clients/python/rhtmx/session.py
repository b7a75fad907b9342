"""The client's side of one conversation, over as many connections as it takes.

Knows what a user asks for. Must not know sockets, formats, clocks or the loop:
messages and times go in, messages and events come out. Times are in seconds of
any clock that does not jump; randomness is an argument.
"""

from __future__ import annotations

from datetime import datetime

from rhtmx.conflict import Dispute, Side, answer
from rhtmx.conversation import Conversation
from rhtmx.cursor import Cursor
from rhtmx.errors import RhtmxError
from rhtmx.grain import Grain
from rhtmx.local import Shelf
from rhtmx.messages import (
    Authenticate,
    Position,
    Push,
    PushFields,
    Subscribe,
    SubscribeFields,
    ValidateField,
    ValidateForm,
)
from rhtmx.ops import Image, Mutation
from rhtmx.queue import Row
from rhtmx.requests import Question
from rhtmx.verdict import too_large
from rhtmx.wire import ClientMessage

__all__ = ["Session"]


class Session(Conversation):
    """See the head of the file. After every call, `take` and `events` say what came of it."""

    @property
    def client_id(self) -> str:
        """The id of this client instance."""
        return self.local.identity.client_id

    def load(self, image: Image) -> None:
        """Begin with what a store has kept; its client is the one that goes on."""
        self.local.load(image)

    def offline(self, now: float) -> None:
        """The application wants no connection; drop it if there is one."""
        if self.error is None:
            self.lost(now)
            self._wanted = False

    def online(self) -> None:
        """The application wants a connection again: make one at once."""
        self._wanted, self._waiting = True, False

    def wake(self, now: float) -> None:
        """The machine has slept, or the network is another: what is open has to prove itself."""
        self._link.wake(now)

    def fits(self, message: ClientMessage, size: int) -> bool:
        """Whether the server takes a message of this size; if not, that is refused for good.

        It would end every connection. Only here is that known for sure: a write may
        have been made before the limit was, or be sent to a server with another one.

        Args:
            message: one that `take` gave.
            size: bytes that it has in the connection's format.
        """
        most = 0 if self.limits is None else self.limits.message_bytes
        if not most or size <= most:
            return True
        error = too_large(size, most)
        match message:
            case Push() | PushFields():
                row = self.local.writes.queue.numbered(message.seq)
                if row is not None:
                    self.local.writes.reject(row, error)
            case Subscribe():
                self._streams.refused(message.entities[0], Grain.RECORDS, error)
            case SubscribeFields():
                self._streams.refused(message.entities[0], Grain.FIELDS, error)
            case Authenticate() | ValidateField() | ValidateForm():
                error.request_id = message.request_id
                self._requests.refuse(error)
            case _:
                return True  # none that could be made smaller
        return False

    def subscribe(
        self, entity: str, grain: Grain, since: Position | None = None, *, ends: bool = False
    ) -> Cursor:
        """Start reading.

        Args:
            entity: the collection.
            grain: records or fields.
            since: where to start; without it, at the next change.
            ends: whoever reads ends it when it has caught up. Where the server takes no
                more, that waits for others of its kind.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other grain.
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        cursor = Cursor(since, ends=ends)
        self._streams.add(entity, grain, cursor)
        return cursor

    def unsubscribe(self, cursor: Cursor) -> None:
        """End reading."""
        self._streams.remove(cursor)

    def pause(self, cursor: Cursor) -> None:
        """Deliver nothing until `resume`, which goes on from the same place.

        What changed several times meanwhile comes once, at its latest.
        """
        self._streams.pause(cursor)

    def resume(self, cursor: Cursor) -> None:
        """Deliver again."""
        self._streams.resume(cursor)

    def open(self, entity: str, grain: Grain) -> Shelf:
        """Hold an entity here from now on.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other grain.
        """
        known = self.local.get(entity)
        shelf = self.local.open(entity, grain)
        if known is None:
            if self.is_open:
                shelf.replica.begin(self._epoch or "")
            try:
                self._streams.add(entity, grain, shelf.replica.cursor)
            except RhtmxError:
                self.local.shut(shelf)
                raise
        return shelf

    def shut(self, shelf: Shelf) -> None:
        """Hold an entity here no longer; unknown ones are no error."""
        if self.local.get(shelf.replica.entity) is not shelf:
            return
        self._streams.remove(shelf.replica.cursor)
        self.local.shut(shelf)

    def push(self, mutation: Mutation, since: float = 0.0) -> str:
        """Write. Returns the id under which `Answered` or `Refused` tells the outcome.

        Args:
            mutation: what to write.
            since: the time, in seconds since 1970, for those who look at the queue.

        Raises:
            ConnectionClosed: the session has ended.
        """
        shelf = self.local.get(mutation.entity)
        epoch = self._epoch if shelf is None else shelf.replica.position.epoch
        return self._write(mutation, epoch, since)

    def base_version(self, entity: str, entity_id: str) -> int | None:
        """The version that this client has seen of a record; `None` if it does not read it."""
        shelf = self.local.get(entity)
        return None if shelf is None else shelf.replica.base_version(entity_id)

    def retry(self, request_id: str, since: float = 0.0) -> str | None:
        """Write a refused write again; returns the new one's id, `None` if it is not kept.

        Raises:
            ConnectionClosed: the session has ended.
        """
        refused = self.local.writes.refused.get(request_id)
        if refused is None:
            return None
        return self._write(refused.message, refused.epoch, since, refused.id)

    def answer(self, dispute: Dispute, side: Side, at: datetime) -> str | None:
        """Decide a conflict; returns the id of the write that it takes, `None` if it takes none.

        Args:
            dispute: the conflict.
            side: what is to stand.
            at: now.

        Raises:
            ConnectionClosed: the session has ended.
        """
        mutation = answer(dispute, side, at)
        kept = dispute.refused if dispute.refused in self.local.writes.refused else None
        if mutation is not None:
            return self._write(mutation, dispute.epoch, at.timestamp(), kept)
        self.local.writes.discard(kept or "")
        return None

    def ask(self, question: Question) -> str:
        """Ask. Returns the id under which `Answered` or `Refused` tells the outcome.

        Raises:
            ConnectionClosed: the session has ended.
        """
        self._check_open()
        question.request_id = self._new_id()
        if isinstance(question, Authenticate):
            self.token = question.token
        self._requests.add(question)
        return question.request_id

    def cancel(self, request_id: str) -> None:
        """Nobody waits for the answer to a question any more."""
        self._requests.cancel(request_id)

    # Inside.

    def _write(
        self, mutation: Mutation, epoch: str | None, since: float, instead: str | None = None
    ) -> str:
        self._check_open()
        based = mutation.base_version is not None
        row = Row(self._new_id(), mutation, epoch=epoch if based else None, since=since)
        self.local.writes.add(row, instead)
        return row.id

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._id_prefix}-{self._ids}"
