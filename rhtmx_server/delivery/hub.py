"""Fan-out: every commit, encoded once per encoding, to everyone who is live.

Knows groups of subscribers and the position up to which it has delivered.
Must not know sockets, formats or stores: an encoding turns a message into
bytes, a subscriber takes them.

Subscribers of one entity that read at one granularity in one encoding form a
group. All of them stand at the same position, so the cursor of a live
subscriber is its membership.

What is ephemeral has a road of its own beside the commits: no version, no position,
nothing to read later. Whoever is behind misses it, and does not fall for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.outbox import Outbox, Tick
from rhtmx_server.encoding.render import live_messages
from rhtmx_server.failures import place
from rhtmx_server.model import Commit, Granularity, Head

__all__ = ["Encoding", "Hub", "Subscriber"]

log = logging.getLogger("rhtmx_server")


class Encoding(Protocol):
    """Turns messages into the bytes of one kind of connection.

    Connections that share an encoding object get the very same bytes.
    """

    def frame(self, message: ServerMessage) -> bytes:
        """One message, ready to be written; empty if this kind never gets it."""


class Subscriber(Protocol):
    """Someone who reads live."""

    @property
    def encoding(self) -> Encoding:
        """Who shares this very object shares its frames."""

    @property
    def takes_ephemeral(self) -> bool:
        """Whether it is told what is never stored."""

    @property
    def outbox(self) -> Outbox:
        """Takes its frames, and knows whether it is behind with reading them."""

    def fell(self, entity: str, sent: int) -> None:
        """It was taken out of the live stream, having got everything up to `sent`."""


EARLY = 128 * 1024
"""Bytes of one tick after which the members of a group are written to at once."""


class Group:
    """Who reads one entity at one granularity in one encoding."""

    __slots__ = (
        "encoding",
        "entity",
        "ephemeral",
        "frames",
        "granularity",
        "members",
        "sent",
        "size",
    )

    def __init__(
        self, entity: str, granularity: Granularity, encoding: Encoding, sent: int
    ) -> None:
        self.entity = entity
        self.granularity = granularity
        self.encoding = encoding
        self.sent = sent
        self.members: dict[Subscriber, Outbox] = {}
        self.frames: list[bytes] = []
        self.ephemeral: list[bytes] = []
        self.size = 0

    def add(self, frames: Iterable[bytes]) -> None:
        """Keep frames until the end of the tick."""
        for frame in frames:
            self.frames.append(frame)
            self.size += len(frame)

    def tell(self, frame: bytes) -> None:
        """Keep an ephemeral frame until the end of the tick."""
        self.ephemeral.append(frame)
        self.size += len(frame)

    def flush_ephemeral(self) -> int:
        """Hand the ephemeral frames of this tick to the members; those behind miss them.

        Returns:
            How many deliveries were dropped.
        """
        frames, self.ephemeral = self.ephemeral, []
        joined, dropped = b"".join(frames), 0
        for member, outbox in self.members.items():
            if not member.takes_ephemeral:
                continue
            if outbox.behind:
                dropped += len(frames)
            else:
                outbox.put(joined)
        return dropped

    def flush(self, position: int) -> int:
        """Hand the frames of this tick to the members; those behind fall out without them.

        Returns:
            How many deliveries that made.
        """
        # Before anything is handed out: a member that falls in here is told where the group was.
        sent, self.sent = self.sent, position
        frames, self.frames = self.frames, []
        self.size = 0
        if not frames:
            return 0
        # A list first: they are taken out of what is looked through here.
        slow = [member for member, outbox in self.members.items() if outbox.behind]
        for member in slow:
            del self.members[member]
            _fell(member, self.entity, sent)
        # Once for all of them: every outbox gets the same object, and no copy of it.
        joined = b"".join(frames)
        for outbox in self.members.values():
            outbox.put(joined)
        return len(self.members) * len(frames)


def _fell(member: Subscriber, entity: str, sent: int) -> None:
    """Tell a member that it is out. If it fails at that too, that costs nobody else anything."""
    try:
        member.fell(entity, sent)
    except Exception as failure:
        log.error("a subscriber could not be sent back to the store: %s", place(failure))
        member.outbox.drop()  # it comes back and resumes


class Hub:
    """Delivers commits to live subscribers.

    Args:
        tick: ends the tick in which frames are joined.
        delivered: is told how many deliveries were made.
        dropped: is told how many deliveries of ephemeral messages were not.
    """

    def __init__(
        self,
        tick: Tick,
        delivered: Callable[[int], None] = lambda count: None,
        dropped: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._tick = tick
        self._delivered = delivered
        self._dropped = dropped
        self._heads: dict[str, Head] = {}
        self._groups: dict[str, dict[tuple[Granularity, Encoding], Group]] = {}
        self._dirty: dict[str, None] = {}

    def start(self, heads: Mapping[str, Head]) -> None:
        """Begin at the heads of the store."""
        self._heads = {entity: Head(head.version, head.floor) for entity, head in heads.items()}

    def raise_floors(self, heads: Mapping[str, Head]) -> None:
        """Take over the floors of the store, while running.

        Not its versions: what is durable may not have been handed out yet.
        """
        for entity, head in heads.items():
            if entity in self._heads:
                self._heads[entity].floor = head.floor

    @property
    def entities(self) -> int:
        """How many entities there are: that were ever written."""
        return len(self._heads)

    def head(self, entity: str) -> Head:
        """The log of an entity as far as it has been handed out."""
        return self._heads.get(entity) or Head()

    def position(self, entity: str) -> int:
        """Everything up to this version has been handed out."""
        head = self._heads.get(entity)
        return head.version if head else 0

    def join(self, entity: str, granularity: Granularity, subscriber: Subscriber) -> None:
        """Make a subscriber live that has got everything up to `position(entity)`."""
        groups = self._groups.setdefault(entity, {})
        key = (granularity, subscriber.encoding)
        group = groups.get(key)
        if group is None:
            position = self.position(entity)
            group = groups[key] = Group(entity, granularity, subscriber.encoding, position)
        self._flush(group)  # what waits there is known to the new member already
        group.members[subscriber] = subscriber.outbox

    def leave(self, entity: str, granularity: Granularity, subscriber: Subscriber) -> None:
        """Take a live subscriber out, once it has got everything up to `position(entity)`.

        If it is behind it falls instead.
        """
        groups = self._groups.get(entity, {})
        key = (granularity, subscriber.encoding)
        group = groups.get(key)
        if group is None or subscriber not in group.members:
            return
        self._flush(group)
        group.members.pop(subscriber, None)
        self._forget_empty(entity)

    def deliver(self, commits: Sequence[Commit]) -> None:
        """Hand out commits, in version order for each entity."""
        for commit in commits:
            entity, version = commit.record.entity, commit.record.version
            head = self._heads.setdefault(entity, Head())
            groups = self._groups.get(entity)
            if groups:
                # A gap: what is missing is in the store, and only there. Nobody may get what comes
                # after it first.
                if version != head.version + 1:
                    self._drop(groups.values())
                self._frame(commit, groups.values())
            head.version = version
            for group in list(groups.values()) if groups else ():
                if group.size > EARLY:
                    self._flush_early(group)
            self._flush_later(entity)

    def tell(self, entity: str, message: ServerMessage) -> None:
        """Hand an ephemeral message to everyone who reads an entity live, once each.

        It goes out with the tick, and is nowhere after it: who is behind misses it, and who
        catches up is not live. A client that said no `hello` is not told.
        """
        frames: dict[Encoding, bytes] = {}
        self._flush_later(entity)
        for group in list(self._groups.get(entity, {}).values()):
            if not group.members:
                continue
            frame = frames.get(group.encoding)
            if frame is None:
                frame = frames[group.encoding] = group.encoding.frame(message)
            if frame:
                group.tell(frame)
            if group.size > EARLY:
                self._flush_early(group)

    def _flush_later(self, entity: str) -> None:
        # Once in a tick, whatever the number of commits in it.
        if not self._dirty:
            self._tick.before_writing(self._flush_all)
        self._dirty[entity] = None

    def _frame(self, commit: Commit, groups: Iterable[Group]) -> None:
        # Rendered once for each granularity, encoded once for each encoding of it.
        rendered: dict[Granularity, list[ServerMessage]] = {}
        for group in groups:
            if not group.members:
                continue
            try:
                messages = rendered.get(group.granularity)
                if messages is None:
                    messages = live_messages(commit, group.granularity)
                    rendered[group.granularity] = messages
                encode = group.encoding.frame
                frames = [frame for message in messages if (frame := encode(message))]
            except Exception as failure:
                log.error("a commit could not be encoded: %s", place(failure))
                self._drop([group])
            else:
                group.add(frames)

    def _drop(self, groups: Iterable[Group]) -> None:
        """What comes next is missing: everyone reads the store from where they are."""
        for group in groups:
            self._flush(group)
            # Emptied first: a member that comes back at once joins the new life of the group.
            members, group.members = group.members, {}
            for member in members:
                _fell(member, group.entity, group.sent)

    def _flush(self, group: Group) -> None:
        if group.ephemeral:  # first: who falls now misses them, too
            self._dropped(group.flush_ephemeral())
        self._delivered(group.flush(self.position(group.entity)))

    def _flush_early(self, group: Group) -> None:
        """A burst is larger than a slow reader may keep waiting: see now who is slow."""
        self._flush(group)
        for outbox in list(group.members.values()):
            outbox.flush()

    def _flush_all(self) -> None:
        dirty, self._dirty = self._dirty, {}
        for entity in dirty:
            for group in self._groups.get(entity, {}).values():
                self._flush(group)
            self._forget_empty(entity)

    def _forget_empty(self, entity: str) -> None:
        groups = self._groups.get(entity, {})
        for key in [key for key, group in groups.items() if not group.members]:
            del groups[key]
        if not groups:
            self._groups.pop(entity, None)
